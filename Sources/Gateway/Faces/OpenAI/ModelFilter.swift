import Codecs
import RoutingPolicy

/// The filters `tags`, `supports`, `serves` and `type` in the query of `GET /models`.
struct ModelFilter {
    private var tags: [String] = []
    private var supports: [String] = []
    private var serves: [String] = []
    private var type: String?

    init(query: String) {
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let value = String(percentEncoded: parts[1].utf8), !value.isEmpty else { continue }
            switch parts[0] {
            case "tags": tags += value.split(separator: ",").map { String($0.trimmingBlanks()) }
            case "supports": supports += value.split(separator: ",").map { String($0.trimmingBlanks()) }
            case "serves": serves += value.split(separator: ",").map { String($0.trimmingBlanks()) }
            case "type": type = value
            default: continue
            }
        }
    }

    func matches(_ entry: ModelEntry) -> Bool {
        tags.allSatisfy(entry.tags.contains) && supports.allSatisfy { name in entry.supports.contains { $0.rawValue == name } }
            && serves.allSatisfy { name in entry.serves.contains { $0.rawValue == name } }
            && (type == nil || entry.type == type)
    }
}
