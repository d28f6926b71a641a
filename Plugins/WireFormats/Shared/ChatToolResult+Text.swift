import ProviderKit

extension ChatToolResult {
    /// The parts, of which the first text says that the tool has failed, for formats that have no other sign of it.
    var markedParts: [ChatPart] {
        guard isError else { return parts }
        var marked = parts
        if let first = marked.firstIndex(where: { $0.text != nil }), let text = marked[first].text {
            marked[first].content = .text("Error: \(text)")
        } else {
            marked.insert(ChatPart(.text("Error: ")), at: 0)
        }
        return marked
    }
}

extension [ChatPart] {
    /// The texts as one, each on lines of its own, for formats that have only one.
    var joinedText: String { compactMap(\.text).joined(separator: "\n") }
}
