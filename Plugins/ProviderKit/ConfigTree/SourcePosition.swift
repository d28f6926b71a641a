/// A place in a file that a person edits.
public struct SourcePosition: Sendable, Hashable, CustomStringConvertible {
    /// The path as the person gave it.
    public var file: String
    /// From 1.
    public var line: Int
    /// From 1, in Unicode scalars: a tab counts as one, as does an accented letter in its composed form.
    public var column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    public var description: String { "\(file):\(line):\(column)" }
}
