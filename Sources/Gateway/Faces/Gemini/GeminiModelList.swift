import Codecs
import ProviderKit
import RoutingPolicy
import WireFormats

/// The model list in Gemini's form. Source: the Gemini API reference, "Models".
struct GeminiModelList {
    private let entries: ArraySlice<ModelEntry>
    /// The id of the last entry, if more follow it.
    private let nextPageToken: String?

    private static let defaultLimit = 50
    private static let maxLimit = 1000

    /// The query's `pageSize` bounds the number of entries, and `pageToken` is the id of the entry before them.
    init(_ list: ModelList) throws(APIError) {
        var limit = Self.defaultLimit
        var rest = list.entries[...]
        for field in list.query.split(separator: "&") {
            let parts = field.split(separator: "=", maxSplits: 1)
            guard let value = String(percentEncoded: (parts.dropFirst().first ?? "").utf8), !value.isEmpty else { continue }
            switch parts.first {
            case "pageSize", "page_size":
                guard let number = Int(value), number > 0 else { throw .invalid("pageSize", "a number from 1 to \(Self.maxLimit)") }
                limit = min(number, Self.maxLimit)
            case "pageToken", "page_token":
                guard let index = rest.firstIndex(where: { $0.id == value }) else { throw .invalid("pageToken", "that of a page before") }
                rest = rest[(index + 1)...]
            default: continue
            }
        }
        entries = rest.prefix(limit)
        nextPageToken = entries.count < rest.count ? entries.last?.id : nil
    }

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("models")
            $0.array { for entry in entries { Self.write(entry, to: &$0) } }
            if let nextPageToken { $0.member("nextPageToken", nextPageToken) }
        }
    }

    static func write(_ entry: ModelEntry, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("name", Gemini.modelPrefix + entry.id)
            writer.member("version", "")
            writer.member("displayName", entry.name)
            if let context = entry.context { writer.member("inputTokenLimit", context) }
            if let maxOutput = entry.maxOutput { writer.member("outputTokenLimit", maxOutput) }
            writer.key("supportedGenerationMethods")
            writer.array { writer in
                if entry.serves.contains(.chat) {
                    for method in ["generateContent", "streamGenerateContent", "countTokens"] { writer.string(method) }
                }
                if entry.serves.contains(.embeddings) { for method in ["embedContent", "batchEmbedContents"] { writer.string(method) } }
            }
            if entry.supports.contains(.reasoning) { writer.member("thinking", true) }
        }
    }
}
