import Codecs
import ConfigTree
import Gemini
import ProviderKit

@testable import ProviderConformance
@testable import WireFormats

/// A request in Gemini's format that can be read, and written, reads back as what is written then. Other formats get
/// valid JSON.
func checkGeminiRequest(_ bytes: [UInt8]) throws {
    guard (try? JSON.members(of: bytes.span.bytes)) != nil else { return }
    if let embeddings = try? GeminiEmbeddings.readRequest(bytes.span.bytes) {
        let written = try GeminiEmbeddings.writeRequest(embeddings, model: "m")
        try ensure((try? GeminiEmbeddings.readRequest(written.span.bytes)) == embeddings, "vectors are asked for in another way")
    }
    guard let request = try? Gemini.readRequest(bytes.span.bytes) else { return }
    for model in ["gemini-3-flash-preview", "gemini-2.5-pro", "other"] {
        let call = Call(operation: .chat, model: model, isStream: false, format: WireFormat("other"), payload: .chat(request))
        guard let written = try? Gemini.writeRequest(request, for: call, nil) else { continue }
        let text = String(decoding: written, as: UTF8.self)
        try ensure((try? JSON.validate(written.span.bytes)) != nil, "it is written as what is not JSON: \(text)")
        guard let again = try? Gemini.readRequest(written.span.bytes) else {
            throw Violation(description: "it is written as what is refused: \(text)")
        }
        let rewritten = try? Gemini.writeRequest(again, for: call, nil)
        // Models that always think have no word for no thinking: the least of it, in silence, reads as the least of it.
        // They have none for as much as they find right either, which is their default.
        if let reasoning = request.reasoning, ["none", nil].contains(reasoning.effortName) { continue }
        try ensure(rewritten == written, "\(text) is written as \(rewritten.map { String(decoding: $0, as: UTF8.self) } ?? "nothing") then")
    }
    let call = Call(operation: .chat, model: "m", isStream: false, format: WireFormat("other"), payload: .chat(request))
    if let written = try? OpenAIChat.writeRequest(request, for: call, OpenAIDialect()) {
        try ensure((try? JSON.validate(written.span.bytes)) != nil, "for OpenAI, it is written as what is not JSON")
    }
    if let written = try? AnthropicMessages.writeRequest(request, for: call) {
        try ensure((try? JSON.validate(written.span.bytes)) != nil, "for Anthropic, it is written as what is not JSON")
    }
}

/// A response in Gemini's format has the same parts wherever its bytes are cut, passed through and typed, each part
/// that is forwarded is one JSON value, and collecting the text changes nothing else.
///
/// The first byte chooses whether it is a stream, and was asked for as one, and what was requested.
func checkGeminiResponse(_ bytes: [UInt8]) throws {
    guard let first = bytes.first else { return }
    let response = ProviderConformance.RecordedResponse(
        "response", isStream: first & 1 == 0,
        head: UpstreamHead(status: 200, fields: [HTTPField("content-type", first & 2 == 0 ? "text/event-stream" : "application/json")]),
        bytes: Array(bytes.dropFirst()))
    let operation: ProviderKit.Operation = first & 4 == 0 ? .chat : first & 8 == 0 ? .embeddings : .countTokens
    for payload in [Payload.members([]), .chat(ChatRequest(messages: []))] {
        func decode(cuts: [Int] = [], keepsText: Bool = true) -> DecodedResponse {
            let call = Call(
                operation: operation, model: "up", isStream: response.isStream, format: Gemini.format, payload: payload,
                keepsText: keepsText)
            return DecodedResponse(response, cuts: cuts, .gemini, call)
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

/// The body that passes through is valid JSON without a model of the client's, and has no signature that the provider
/// doesn't understand.
func checkGeminiBody(_ bytes: [UInt8]) throws {
    guard let members = try? JSON.members(of: bytes.span.bytes) else { return }
    for operation in [ProviderKit.Operation.chat, .countTokens, .embeddings] {
        for repairs in [[], [Repair.withoutSignatures]] {
            let call = Call(
                operation: operation, model: "up", isStream: false, format: Gemini.format, payload: .members(members),
                overrides: [BodyField(key: "labels", json: Array("{}".utf8))], repairs: repairs, provider: "p")
            let sent = try GeminiBody(signatures: GeminiSignatures()).sources(for: call, body: bytes.span.bytes).joined(of: bytes)
            let text = String(decoding: sent, as: UTF8.self)
            try ensure((try? JSON.validate(sent.span.bytes)) != nil, "it is sent as what is not JSON: \(text)")
            try ensure(JSONTree(sent.span.bytes)?["model"] == nil, "the client's model is sent: \(text)")
            guard operation == .chat else { continue }
            for content in JSONTree(sent.span.bytes)?["contents"]?.elements ?? [] {
                for part in content["parts"]?.elements ?? [] {
                    guard let signature = part[proto: "thoughtSignature"]?.string else { continue }
                    let isForeign = GeminiSignature.decoded(signature) != nil
                    let isOwn = signature == GeminiSignature.sentinel || repairs.isEmpty
                    try ensure(!isForeign && isOwn, "a signature is sent that the provider doesn't understand: \(text)")
                }
            }
        }
    }
}

extension Provider where Self == GeminiProvider {
    /// A provider in Gemini's format.
    static var gemini: GeminiProvider { provider }
}

private let provider: GeminiProvider = {
    let start = SourcePosition(file: "routes.yaml", line: 1, column: 1)
    let key = ConfigEntry(
        key: ConfigText("api_key", at: start), value: ConfigNode(.scalar(ConfigScalar("AIza-0123456789abcdef")), at: start))
    var fields = FieldReader([key], at: start)
    guard let options = GeminiPlugin.readOptions(&fields) else { preconditionFailure("\(fields.issues)") }
    return GeminiProvider(options)
}()
