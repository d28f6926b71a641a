import Codecs
import ProviderKit

@testable import WireFormats

/// A chat request in OpenAI's format that can be read, and written, reads back as equal.
func checkOpenAIRequest(_ bytes: [UInt8]) throws {
    guard (try? JSON.members(of: bytes.span.bytes)) != nil else { return }
    guard let request = try? OpenAIChat.readRequest(bytes.span.bytes),
        let written = try? OpenAIChat.writeRequest(request, isStream: false)
    else { return }
    let again = try? OpenAIChat.readRequest(written.span.bytes)
    try ensure(
        again == request,
        "\(request), written as \(String(decoding: written, as: UTF8.self)), reads back as \(String(describing: again))")
}
