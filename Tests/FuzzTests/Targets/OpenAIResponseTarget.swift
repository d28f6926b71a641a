import Codecs
import ProviderKit
import WireFormats

@testable import ProviderConformance

/// A response in OpenAI's format has the same parts wherever its bytes are cut, each part that is forwarded is one JSON
/// value, and collecting the text changes nothing else.
///
/// The first byte chooses the content type.
func checkOpenAIResponse(_ bytes: [UInt8]) throws {
    guard let first = bytes.first else { return }
    let (type, isStream) = kinds[Int(first) % kinds.count]
    let response = ProviderConformance.RecordedResponse(
        "response", isStream: isStream, head: UpstreamHead(status: 200, fields: [HTTPField("content-type", type)]),
        bytes: Array(bytes.dropFirst()))
    func decode(cuts: [Int] = [], keepsText: Bool = true) -> DecodedResponse {
        let call = Call(
            operation: .chat, model: "up", isStream: isStream, format: OpenAIChat.format, payload: .members([]), keepsText: keepsText)
        return DecodedResponse(response, cuts: cuts, .openAI, call)
    }

    let decoded = try sameForEverySplit(of: response.bytes) { decode(cuts: $0.dropLast().map(\.endIndex)) }
    for part in decoded.parts {
        guard let start = part.utf8.firstIndex(of: ASCII.space).map({ part.utf8.index(after: $0) }) else { continue }
        var cursor = JSONCursor()
        try ensure((try? cursor.skipValue(Array(part.utf8[start...]).span.bytes)) != nil, "it forwards what is not JSON: \(part)")
    }
    var plain = decode(keepsText: false)
    try ensure(plain.text == nil, "it collects a text that nobody needs")
    plain.text = decoded.text
    try ensure(plain == decoded, "with its text collected, it is \(decoded), otherwise \(plain)")
}

private let kinds = [("text/event-stream", true), ("application/x-ndjson", true), ("application/json", false), ("application/json", true)]
