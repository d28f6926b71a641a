import Codecs
import ProviderKit

@testable import ProviderConformance
@testable import WireFormats

/// A request in the format of OpenAI's Responses that can be read, and written, reads back as what is written then.
/// Chat completions get it as JSON too.
func checkResponsesRequest(_ bytes: [UInt8]) throws {
    guard (try? JSON.members(of: bytes.span.bytes)) != nil else { return }
    guard let request = try? OpenAIResponses.readRequest(bytes.span.bytes) else { return }
    let call = Call(operation: .chat, model: "m", isStream: false, format: WireFormat("other"), payload: .chat(request))
    if let written = try? OpenAIResponses.writeRequest(request, for: call) {
        let text = String(decoding: written, as: UTF8.self)
        try ensure((try? JSON.validate(written.span.bytes)) != nil, "it is written as what is not JSON: \(text)")
        guard let again = try? OpenAIResponses.readRequest(written.span.bytes) else {
            throw Violation(description: "it is written as what is refused: \(text)")
        }
        let rewritten = try? OpenAIResponses.writeRequest(again, for: call)
        try ensure(rewritten == written, "\(text) is written as \(rewritten.map { String(decoding: $0, as: UTF8.self) } ?? "nothing") then")
    }
    guard let written = try? OpenAIChat.writeRequest(request, for: call, OpenAIDialect()) else { return }
    try ensure((try? JSON.validate(written.span.bytes)) != nil, "for chat completions, it is written as what is not JSON")
}

/// A response in this format has the same parts wherever its bytes are cut, passed through and typed, each part that is
/// forwarded is one JSON value, and what is written of a typed one is JSON.
///
/// The first byte chooses whether it is a stream, and was asked for as one.
func checkResponsesResponse(_ bytes: [UInt8]) throws {
    guard let first = bytes.first else { return }
    let response = ProviderConformance.RecordedResponse(
        "response", isStream: first & 1 == 0,
        head: UpstreamHead(status: 200, fields: [HTTPField("content-type", first & 2 == 0 ? "text/event-stream" : "application/json")]),
        bytes: Array(bytes.dropFirst()))
    for payload in [Payload.members([]), .chat(ChatRequest(messages: []))] {
        func decode(cuts: [Int] = [], keepsText: Bool = true) -> DecodedResponse {
            let call = Call(
                operation: .chat, model: "up", isStream: response.isStream, format: OpenAIResponses.format, payload: payload,
                keepsText: keepsText)
            return DecodedResponse(response, cuts: cuts, .openAI, call)
        }
        let decoded = try sameForEverySplit(of: response.bytes) { decode(cuts: $0.dropLast().map(\.endIndex)) }
        for part in decoded.parts where part.hasPrefix("chunk ") || part.hasPrefix("buffered ") {
            guard let start = part.utf8.firstIndex(of: ASCII.space).map({ part.utf8.index(after: $0) }) else { continue }
            let text = Array(part.utf8[start...])
            var cursor = JSONCursor()
            guard let value = try? cursor.skipValue(text.span.bytes) else {
                throw Violation(description: "it forwards what is not JSON: \(part)")
            }
            let json = Array(text[value.range]), member = Array(#""_router":{}"#.utf8)
            let added =
                part.hasPrefix("chunk ")
                ? OpenAIResponses.adding(member, toResponseOf: json.span.bytes) : OpenAIResponses.adding(member, to: json.span.bytes)
            try ensure((try? JSON.validate(added.span.bytes)) != nil, "with a member more, it is no JSON: \(part)")
        }
        var plain = decode(keepsText: false)
        try ensure(plain.text == nil, "it collects a text that nobody needs")
        plain.text = decoded.text
        try ensure(plain == decoded, "with its text collected, it is \(decoded), otherwise \(plain)")
    }
}

/// The body that passes through is valid JSON, and has no reasoning that another provider has made.
func checkResponsesBody(_ bytes: [UInt8]) throws {
    guard let members = try? JSON.members(of: bytes.span.bytes) else { return }
    for operation in [ProviderKit.Operation.chat, .countTokens] {
        let call = Call(
            operation: operation, model: "up", isStream: false, format: OpenAIResponses.format, payload: .members(members), provider: "p")
        let sent = try OpenAIResponsesBody().sources(for: call, body: bytes.span.bytes).joined(of: bytes)
        try ensure((try? JSON.validate(sent.span.bytes)) != nil, "it is sent as what is not JSON: \(String(decoding: sent, as: UTF8.self))")
        for item in JSONTree(sent.span.bytes)?["input"]?.elements ?? [] where item["type"]?.string == "reasoning" {
            try ensure(
                item["encrypted_content"]?.string?.hasPrefix(OpaqueToken.mark) != true,
                "reasoning is sent that the provider doesn't understand")
        }
    }
}
