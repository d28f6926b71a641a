/// A named entry of a section, such as a provider, in a policy file that is being written.
package struct DraftEntry: Sendable, Equatable {
    package let name: String
    package private(set) var fields: [DraftField] = []
    /// Above the entry, one for each.
    package var comments: [String] = []

    package init(_ name: String) { self.name = name }

    /// Sets an option. nil leaves it as it is.
    package mutating func set(_ key: String, _ value: DraftValue?) {
        guard let value else { return }
        fields.removeAll { $0.key == key }
        fields.append(DraftField(key, value))
    }

    /// Sets an option of a section inside of the entry, such as `limits`. nil leaves it as it is.
    mutating func set(_ section: String, _ key: String, _ value: DraftValue?) {
        guard let value else { return }
        var members: [DraftField] = []
        if case .mapping(let fields)? = self[section] { members = fields.filter { $0.key != key } }
        set(section, .mapping(members + [DraftField(key, value)]))
    }

    subscript(key: String) -> DraftValue? { fields.first { $0.key == key }?.value }

    /// Whether the options are the same, whatever the name.
    func hasSameOptions(as other: DraftEntry) -> Bool { fields == other.fields }

    /// The lines of the entry, without the indentation of its section.
    package var lines: [String] {
        let comments = comments.flatMap(Comment.lines)
        let flow = "\(DraftValue.quoted(name)): \(DraftValue.mapping(fields).yaml)"
        if flow.count <= 100 { return comments + [flow] }
        return comments + ["\(DraftValue.quoted(name)):"] + fields.map { "  \($0.yaml)" }
    }
}

/// A comment of a policy file.
enum Comment {
    /// Lines of at most 100 columns, as far as its words allow it. Control characters become blanks, so that no text of
    /// another file can end a comment.
    static func lines(_ text: String) -> [String] {
        var lines: [String] = []
        for word in text.split(whereSeparator: { $0 == " " || $0.unicodeScalars.contains { $0.properties.generalCategory == .control } }) {
            if let last = lines.last, last.count + 1 + word.count <= 98 {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append("# \(word)")
            }
        }
        return lines
    }
}
