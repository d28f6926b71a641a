import Codecs
package import NIOCore
package import ProviderKit

/// What spans say of a response besides its usage: the provider's id of it, its name of the model that made it, and why
/// its choices ended. It is read from the parts before the first content, and from those in which a choice ends.
package struct ResponseIdentity: Sendable {
    /// nil if the provider has named none.
    package private(set) var id: String?
    /// nil if the provider has named none.
    package private(set) var model: String?
    /// By the choices' indices, in the provider's words.
    private var reasons: [(choice: Int, reason: String)] = []

    /// A response may have so many choices that their reasons are of no use.
    private static let maxReasons = 16
    private static let maxReasonBytes = 64
    private static let maxModelBytes = 256

    package init() {}

    package var finishReasons: [String] { reasons.sorted { $0.choice < $1.choice }.map(\.reason) }

    /// - Parameter bytes: what the parts' ranges refer to.
    package mutating func read(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        let span = bytes.readableBytesSpan
        for part in parts {
            switch part {
            case .chunk(let chunk): read(span.extracting(chunk.json))
            case .buffered(let range, _): read(span.extracting(range))
            case .joined(let json, _): read(json.span.bytes)
            case .event(.start(let id, let model)):
                self.id = id
                if let model { note(model: model) }
            case .event(.finish(let reason, _)): note(reason.rawValue)
            case .event, .embeddings, .count, .payload: break
            }
        }
    }

    private mutating func read(_ json: RawSpan) {
        if let object = JSONTree(json) { read(object, choice: 0) }
    }

    /// Reads a chunk or a response, in any of the formats that pass through: OpenAI's have `id` and `finish_reason`,
    /// Anthropic's `id` and `stop_reason`, Gemini's `responseId` and `finishReason`, Ollama's `done_reason`, and
    /// Responses `id` and the status of what has `output`. Gemini names the model `modelVersion`, all others `model`.
    ///
    /// Source: the API references of the five.
    private mutating func read(_ object: JSONTree, choice: Int) {
        if id == nil { id = (object["id"] ?? object["responseId"])?.string }
        if model == nil, let name = (object["model"] ?? object["modelVersion"])?.string { note(model: name) }
        for name in ["finish_reason", "stop_reason", "finishReason", "done_reason"] as [StaticString] {
            if let reason = object[name]?.string { note(reason, of: choice) }
        }
        if object["output"] != nil, let status = object["status"]?.string {
            note(object["incomplete_details"]?["reason"]?.string ?? status)
        }
        // Of Anthropic's first and last event, and of those of Responses.
        for name in ["message", "delta", "response"] as [StaticString] { if let part = object[name] { read(part, choice: choice) } }
        for name in ["choices", "candidates"] as [StaticString] {
            for part in object[name]?.elements ?? [] { read(part, choice: part["index"]?.integer ?? 0) }
        }
    }

    private mutating func note(model name: String) {
        model = name.isEmpty ? nil : String(decoding: name.utf8.prefix(Self.maxModelBytes), as: UTF8.self)
    }

    private mutating func note(_ reason: String, of choice: Int = 0) {
        let reason = String(decoding: reason.utf8.prefix(Self.maxReasonBytes), as: UTF8.self)
        if let known = reasons.firstIndex(where: { $0.choice == choice }) {
            reasons[known].reason = reason
        } else if reasons.count < Self.maxReasons {
            reasons.append((choice, reason))
        }
    }
}

extension ProviderKit.Operation {
    /// Whether responses to it are texts, with an id and a reason for their end.
    var hasIdentity: Bool { self == .chat || self == .completion }
}

extension ProviderError {
    /// The reason of a failed attempt that no timer has ended: the class, except for bytes that nobody can read.
    var reason: String { code == Self.invalidUTF8Code ? "invalid_utf8" : failure.rawValue }
}
