import Codecs

/// The model list in Anthropic's form. Source: Anthropic's API reference, "List Models" and "Get a Model".
struct AnthropicModelList {
    private let entries: ArraySlice<ModelEntry>
    private let hasMore: Bool
    private let created: Int

    private static let defaultLimit = 20
    private static let maxLimit = 1000

    /// The query's `limit` bounds the number of entries, and `after_id` or `before_id` names the entry beside them.
    init(_ list: ModelList) throws(APIError) {
        var limit = Self.defaultLimit
        var rest = list.entries[...], isBackward = false
        for field in list.query.split(separator: "&") {
            let parts = field.split(separator: "=", maxSplits: 1)
            guard let value = String(percentEncoded: (parts.dropFirst().first ?? "").utf8), !value.isEmpty else { continue }
            switch parts.first {
            case "limit":
                guard let number = Int(value), 1...Self.maxLimit ~= number else {
                    throw .invalid("limit", "a number from 1 to \(Self.maxLimit)")
                }
                limit = number
            case "after_id":
                guard let index = rest.firstIndex(where: { $0.id == value }) else { throw .invalid("after_id", "the id of a model") }
                rest = rest[(index + 1)...]
            case "before_id":
                guard let index = rest.firstIndex(where: { $0.id == value }) else { throw .invalid("before_id", "the id of a model") }
                rest = rest[..<index]
                isBackward = true
            default: continue
            }
        }
        self.entries = isBackward ? rest.suffix(limit) : rest.prefix(limit)
        hasMore = self.entries.count < rest.count
        created = list.created
    }

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("data")
            $0.array { for entry in entries { Self.write(entry, created: created, to: &$0) } }
            $0.member("has_more", hasMore)
            $0.member("first_id", entries.first?.id)
            $0.member("last_id", entries.last?.id)
        }
    }

    static func write(_ entry: ModelEntry, created: Int, to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", "model")
            $0.member("id", entry.id)
            $0.member("display_name", entry.name)
            $0.member("created_at", WireDate.rfc3339(created))
            if let context = entry.context { $0.member("max_input_tokens", context) }
            if let maxOutput = entry.maxOutput { $0.member("max_tokens", maxOutput) }
        }
    }
}
