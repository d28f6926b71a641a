import Codecs
import ProviderKit

/// Reads typed events from the chunks of a stream, or from a complete response.
///
/// Only the first candidate has events. The parts of Google's own tools have none, and are left out: no other format
/// has them. Images and sounds that the model makes are refused, because typed responses have no form for them. A
/// finish reason beside content may not be the last one, so it becomes an event with the end of the
/// response.
struct GeminiEventReader {
    private let providerCall: Call
    private let signatures: GeminiSignatures?
    private var hasStarted = false
    private var hasFinished = false
    private var reason = FinishReason.stop
    private var toolCalls = 0
    private var responseID: String?
    private var cited: Set<String> = []

    init(_ call: Call, _ signatures: GeminiSignatures?) {
        providerCall = call
        self.signatures = signatures
    }

    mutating func read(_ object: JSONTree, _ response: inout ResponseSink) throws(ProviderError) {
        if responseID == nil { responseID = object["responseId"]?.string }
        if !hasStarted {
            hasStarted = true
            response.event(.start(id: responseID, model: object["modelVersion"]?.string))
        }
        // A prompt that was blocked has no candidates.
        if let blocked = object["promptFeedback"]?["blockReason"]?.string, !blocked.hasSuffix("_UNSPECIFIED"), !blocked.isEmpty {
            return finish(.contentFilter, &response)
        }
        for candidate in object["candidates"]?.elements ?? [] where candidate["index"]?.integer ?? 0 == 0 {
            let parts = candidate["content"]?["parts"]?.elements ?? []
            for part in parts { try readPart(part, &response) }
            for source in candidate["groundingMetadata"]?["groundingChunks"]?.elements ?? [] { cite(source, &response) }
            guard let text = candidate["finishReason"]?.string, let reason = GeminiFinishReason(text)?.finishReason else { continue }
            self.reason = reason
            if parts.isEmpty { finish(reason, &response) }
        }
    }

    /// The response is complete.
    mutating func end(_ response: inout ResponseSink) { finish(reason, &response) }

    private mutating func finish(_ reason: FinishReason, _ response: inout ResponseSink) {
        guard !hasFinished else { return }
        hasFinished = true
        response.event(.finish(reason == .stop && toolCalls > 0 ? .toolCalls : reason))
    }

    private mutating func readPart(_ part: JSONTree, _ response: inout ResponseSink) throws(ProviderError) {
        if let data = part["inlineData"] ?? part["fileData"], !data.isNull {
            let type = data["mimeType"]?.string ?? "unknown"
            throw ProviderError(
                .unsupported,
                message: "the model has made data of the type '\(type.prefix(64))', which only clients of Gemini's API can get")
        }
        let signature = part["thoughtSignature"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        if let text = part["text"]?.string, !text.isEmpty {
            response.event(part["thought"]?.bool == true ? .reasoning(text) : .text(text))
        }
        // The signature of a call stands in front of it, that of a text behind it.
        if let signature { response.event(.reasoningToken(OpaqueToken(signature, .signature, madeFor: providerCall))) }
        if let function = part["functionCall"] { readCall(function, signature, &response) }
    }

    private mutating func readCall(_ function: JSONTree, _ signature: String?, _ response: inout ResponseSink) {
        let sent = function["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let made = responseID.map { "call_\($0)_\(toolCalls)" }
        let id = sent ?? made ?? providerCall.toolID(toolCalls, of: nil)
        if let signature, sent ?? made != nil { signatures?.remember(signature, of: id) }
        response.event(.toolCall(index: toolCalls, id: id, name: function["name"]?.string ?? ""))
        let arguments = function["args"].flatMap { $0.isNull ? nil : $0.encoded } ?? Array("{}".utf8)
        response.event(.toolArguments(index: toolCalls, fragment: String(decoding: arguments, as: UTF8.self)))
        toolCalls += 1
    }

    /// Adds a page that Google's search has found. It may be repeated in each chunk.
    private mutating func cite(_ source: JSONTree, _ response: inout ResponseSink) {
        guard let url = source["web"]?["uri"]?.string, !url.isEmpty, cited.count < 1000, cited.insert(url).inserted else { return }
        response.event(.citation(ChatCitation(url: url, title: source["web"]?["title"]?.string)))
    }
}
