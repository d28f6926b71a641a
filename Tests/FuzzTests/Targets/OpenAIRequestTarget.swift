import Codecs
import ProviderKit

@testable import WireFormats

/// A chat request in OpenAI's format that can be read, and written, reads back as equal.
func checkOpenAIRequest(_ bytes: [UInt8]) throws {
    guard (try? JSON.members(of: bytes.span.bytes)) != nil else { return }
    guard var request = try? OpenAIChat.readRequest(bytes.span.bytes) else { return }
    // The format's own server knows no such effort, and refuses such a user.
    if request.reasoning == .effort("max") { request.reasoning = nil }
    if request.user?.unicodeScalars.count ?? 0 > 64 { request.user = nil }
    let call = Call(operation: .chat, model: "m", isStream: false, format: WireFormat("other"), payload: .chat(request))
    var dialect = OpenAIDialect()
    dialect.reasoning = .content
    dialect.hasCacheControl = true
    guard let written = try? OpenAIChat.writeRequest(request, for: call, dialect) else { return }
    let again = try? OpenAIChat.readRequest(written.span.bytes)
    try ensure(
        again == request,
        "\(request), written as \(String(decoding: written, as: UTF8.self)), reads back as \(String(describing: again))")
}
