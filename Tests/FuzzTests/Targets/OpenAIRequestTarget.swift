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
    // The format's own server wants the word in the prompt, so that a message with it would be added.
    if request.responseFormat == .json { request.messages.append(ChatMessage(.user, "JSON")) }
    let call = Call(operation: .chat, model: "m", isStream: false, format: WireFormat("other"), payload: .chat(request))
    var dialect = OpenAIDialect()
    dialect.reasoning = .content
    dialect.hasCacheControl = true
    guard let written = try? OpenAIChat.writeRequest(request, for: call, dialect) else { return }
    var again = try? OpenAIChat.readRequest(written.span.bytes)
    // A schema that OpenAI's strict mode refuses is written without it.
    request.forgetStrictness()
    again?.forgetStrictness()
    try ensure(
        again == request,
        "\(request), written as \(String(decoding: written, as: UTF8.self)), reads back as \(String(describing: again))")
}

extension ChatRequest {
    fileprivate mutating func forgetStrictness() {
        for index in tools.indices { tools[index].isStrict = nil }
        if case .schema(let name, let description, let schema, _) = responseFormat {
            responseFormat = .schema(name: name, description: description, schema: schema, isStrict: false)
        }
    }
}
