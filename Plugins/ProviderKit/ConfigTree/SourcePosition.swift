/// A place in a file that a person edits.
public struct SourcePosition: Sendable, Hashable, CustomStringConvertible {
    /// The path of the file, as the person wrote it.
    public var file: String
    /// The line, from 1.
    public var line: Int
    /// The column, from 1, in Unicode scalars. A tab counts as one, and so does a precomposed letter such as `é`.
    public var column: Int

    /// Creates a position.
    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// The position as `file:line:column`.
    public var description: String { "\(file):\(line):\(column)" }
}
