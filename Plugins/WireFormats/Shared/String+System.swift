extension String {
    /// The text of a system message, for a user's turn where a model can't have it elsewhere.
    static func systemMarked(_ text: String) -> String { "<system>\n\(text)\n</system>" }
}
