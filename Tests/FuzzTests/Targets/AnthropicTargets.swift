import Anthropic
import Codecs
import ConfigTree
import ProviderKit

@testable import ProviderConformance
@testable import WireFormats

/// A request in Anthropic's format that can be read, and written, reads back as what is written then.
func checkAnthropicRequest(_ bytes: [UInt8]) throws {
    guard (try? JSON.members(of: bytes.span.bytes)) != nil else { return }
    guard let request = try? AnthropicMessages.readRequest(bytes.span.bytes) else { return }
    for model in ["claude-opus-4-8", "claude-sonnet-4-5", "other"] {
        let call = Call(operation: .chat, model: model, isStream: false, format: WireFormat("other"), payload: .chat(request))
        guard let written = try? AnthropicMessages.writeRequest(request, for: call) else { continue }
        let text = String(decoding: written, as: UTF8.self)
        try ensure((try? JSON.validate(written.span.bytes)) != nil, "it is written as what is not JSON: \(text)")
        guard let again = try? AnthropicMessages.readRequest(written.span.bytes) else {
            throw Violation(description: "it is written as what is refused: \(text)")
        }
        let rewritten = try? AnthropicMessages.writeRequest(again, for: call)
        try ensure(rewritten == written, "\(text) is written as \(rewritten.map { String(decoding: $0, as: UTF8.self) } ?? "nothing") then")
    }
    guard
        let written = try? OpenAIChat.writeRequest(
            request, for: Call(operation: .chat, model: "m", isStream: false, format: WireFormat("other"), payload: .chat(request)),
            OpenAIDialect())
    else { return }
    try ensure((try? JSON.validate(written.span.bytes)) != nil, "for OpenAI, it is written as what is not JSON")
}

/// A response in Anthropic's format has the same parts wherever its bytes are cut, passed through and typed, each part
/// that is forwarded is one JSON value, and collecting the text changes nothing else.
///
/// The first byte chooses whether it is a stream, and was asked for as one.
func checkAnthropicResponse(_ bytes: [UInt8]) throws {
    guard let first = bytes.first else { return }
    let response = ProviderConformance.RecordedResponse(
        "response", isStream: first & 1 == 0,
        head: UpstreamHead(status: 200, fields: [HTTPField("content-type", first & 2 == 0 ? "text/event-stream" : "application/json")]),
        bytes: Array(bytes.dropFirst()))
    for payload in [Payload.members([]), .chat(ChatRequest(messages: []))] {
        func decode(cuts: [Int] = [], keepsText: Bool = true) -> DecodedResponse {
            let call = Call(
                operation: .chat, model: "up", isStream: response.isStream, format: AnthropicMessages.format, payload: payload,
                keepsText: keepsText)
            return DecodedResponse(response, cuts: cuts, .anthropic, call)
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

/// The body that passes through is valid JSON, and names the policy's model once.
func checkAnthropicBody(_ bytes: [UInt8]) throws {
    guard let members = try? JSON.members(of: bytes.span.bytes) else { return }
    for repairs in [[], [Repair.withoutThinking]] {
        let call = Call(
            operation: .chat, model: "up", isStream: false, format: AnthropicMessages.format, payload: .members(members), repairs: repairs,
            provider: "p")
        let sent = try AnthropicMessagesBody().sources(for: call, body: bytes.span.bytes).joined(of: bytes)
        try ensure((try? JSON.validate(sent.span.bytes)) != nil, "it is sent as what is not JSON: \(String(decoding: sent, as: UTF8.self))")
        for message in JSONTree(sent.span.bytes)?["messages"]?.elements ?? [] {
            for block in message["content"]?.elements ?? [] where block["type"]?.string == "thinking" {
                let isForeign = block["signature"]?.string?.hasPrefix(OpaqueToken.mark) == true && block["data"] == nil
                try ensure(repairs.isEmpty && !isForeign, "thinking is sent that the provider doesn't understand")
            }
        }
    }
}

extension Provider where Self == AnthropicProvider {
    /// A provider in Anthropic's format.
    static var anthropic: AnthropicProvider { provider }
}

private let provider: AnthropicProvider = {
    let start = SourcePosition(file: "routes.yaml", line: 1, column: 1)
    let key = ConfigEntry(
        key: ConfigText("api_key", at: start), value: ConfigNode(.scalar(ConfigScalar("sk-ant-0123456789abcdef")), at: start))
    var fields = FieldReader([key], at: start)
    guard let options = AnthropicPlugin.readOptions(&fields) else { preconditionFailure("\(fields.issues)") }
    return AnthropicProvider(options)
}()
