import Codecs
import ConfigTree
import Ollama
import ProviderKit

@testable import ProviderConformance
@testable import WireFormats

/// A request in Ollama's format that can be read, and written, reads back as what is written then. Other formats write
/// JSON.
func checkOllamaRequest(_ bytes: [UInt8]) throws {
    guard (try? JSON.members(of: bytes.span.bytes)) != nil else { return }
    for request in [try? OllamaChat.readRequest(bytes.span.bytes), try? OllamaChat.readGenerateRequest(bytes.span.bytes)] {
        guard let request else { continue }
        let call = Call(operation: .chat, model: "m", isStream: false, format: WireFormat("other"), payload: .chat(request))
        if let written = try? OllamaChat.writeRequest(request, for: call) {
            let text = String(decoding: written, as: UTF8.self)
            try ensure((try? JSON.validate(written.span.bytes)) != nil, "it is written as what is not JSON: \(text)")
            guard let again = try? OllamaChat.readRequest(written.span.bytes) else {
                throw Violation(description: "it is written as what is refused: \(text)")
            }
            let rewritten = try? OllamaChat.writeRequest(again, for: call)
            try ensure(rewritten == written, "\(text) is written as \(rewritten.map { String(decoding: $0, as: UTF8.self) } ?? "nothing")")
        }
        if let written = try? OpenAIChat.writeRequest(request, for: call, OpenAIDialect()) {
            try ensure((try? JSON.validate(written.span.bytes)) != nil, "for OpenAI, it is written as what is not JSON")
        }
    }
    for request in [try? OllamaEmbed.readRequest(bytes.span.bytes), try? OllamaEmbed.readLegacyRequest(bytes.span.bytes)] {
        guard let request else { continue }
        let written = try OllamaEmbed.writeRequest(request)
        try ensure(try OllamaEmbed.readRequest(written.span.bytes) == request, "its texts are written as others")
    }
}

/// A body that passes through is valid JSON, and names the policy's model and context.
func checkOllamaBody(_ bytes: [UInt8]) throws {
    guard let members = try? JSON.members(of: bytes.span.bytes) else { return }
    let call = Call(
        operation: .chat, model: "up", isStream: false, format: OllamaChat.format, payload: .members(members), provider: "p", context: 4096)
    let sent = try OllamaBody().sources(for: call, body: bytes.span.bytes).joined(of: bytes)
    try ensure((try? JSON.validate(sent.span.bytes)) != nil, "it is sent as what is not JSON: \(String(decoding: sent, as: UTF8.self))")
    try ensure(JSONTree(sent.span.bytes)?["options"]?["num_ctx"]?.integer == 4096, "it is sent with another context")
}

/// A response in Ollama's format has the same parts wherever its bytes are cut, passed through and typed, each part
/// that is forwarded is one JSON value, and collecting the text changes nothing else.
///
/// The first byte chooses whether it is a stream, and was asked for as one.
func checkOllamaResponse(_ bytes: [UInt8]) throws {
    guard let first = bytes.first else { return }
    let type = first & 2 == 0 ? "application/x-ndjson" : "application/json"
    let response = ProviderConformance.RecordedResponse(
        "response", isStream: first & 1 == 0, head: UpstreamHead(status: 200, fields: [HTTPField("content-type", type)]),
        bytes: Array(bytes.dropFirst()))
    let operation = first & 4 == 0 ? ProviderKit.Operation.chat : .embeddings
    for payload in [Payload.members([]), .chat(ChatRequest(messages: []))] {
        func decode(cuts: [Int] = [], keepsText: Bool = true) -> DecodedResponse {
            let call = Call(
                operation: operation, model: "up", isStream: response.isStream, format: OllamaChat.format, payload: payload,
                keepsText: keepsText)
            return DecodedResponse(response, cuts: cuts, .ollama, call)
        }
        let decoded = try sameForEverySplit(of: response.bytes) { decode(cuts: $0.dropLast().map(\.endIndex)) }
        for part in decoded.parts where part.hasPrefix("chunk ") || part.hasPrefix("buffered ") {
            guard let start = part.utf8.firstIndex(of: ASCII.space).map({ part.utf8.index(after: $0) }) else { continue }
            var cursor = JSONCursor()
            try ensure((try? cursor.skipValue(Array(part.utf8[start...]).span.bytes)) != nil, "it forwards what is not JSON: \(part)")
        }
        var plain = decode(keepsText: false)
        try ensure(plain.text == nil, "it collects a text that nobody needs")
        plain.text = decoded.text
        try ensure(plain == decoded, "with its text collected, it is \(decoded), otherwise \(plain)")
    }
}

extension Provider where Self == OllamaProvider {
    /// A provider in Ollama's format.
    static var ollama: OllamaProvider { provider }
}

private let provider: OllamaProvider = {
    var fields = FieldReader([], at: SourcePosition(file: "routes.yaml", line: 1, column: 1))
    guard let options = OllamaPlugin.readOptions(&fields) else { preconditionFailure("\(fields.issues)") }
    return OllamaProvider(options)
}()
