/// A policy file that is being written: the sections that are filled, and comments about what could not be said.
package struct PolicyDraft: Sendable {
    /// At the top of the file, one for each.
    package var header: [String] = []
    package var listen: String?
    /// Options of `defaults`. Its name isn't shown.
    package var defaults = DraftEntry("defaults")
    package var providers: [DraftEntry] = []
    package var models: [DraftEntry] = []
    package var routes: [DraftEntry] = []
    package var keys: [DraftEntry] = []
    /// What has no counterpart here, one for each. They stand at the end of the file.
    package var omissions: [String] = []

    package init() {}

    /// The number of comments that say what could not be taken over.
    package var omissionCount: Int {
        omissions.count + ([defaults] + providers + models + routes + keys).reduce(0) { $0 + $1.comments.count }
    }

    /// The text of the file.
    package var text: String {
        var blocks = [header.flatMap(Comment.lines) + ["version: 1"] + (listen.map { ["listen: \(DraftValue.text($0).yaml)"] } ?? [])]
        if !defaults.fields.isEmpty || !defaults.comments.isEmpty {
            blocks.append(["defaults:"] + (defaults.comments.flatMap(Comment.lines) + defaults.fields.map(\.yaml)).map { "  \($0)" })
        }
        for (name, entries) in [("providers", providers), ("models", models), ("routes", routes), ("keys", keys)] where !entries.isEmpty {
            blocks.append(["\(name):"] + entries.flatMap(\.lines).map { "  \($0)" })
        }
        if !omissions.isEmpty { blocks.append(["# Not taken over:"] + omissions.flatMap { Comment.lines("- \($0)") }) }
        return blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }
}
