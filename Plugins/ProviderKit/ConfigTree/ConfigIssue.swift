/// One thing that is wrong, or doubtful, in a file that a person edits.
public struct ConfigIssue: Error, Sendable, Equatable {
    public enum Severity: String, Sendable {
        case error, warning
    }

    public var severity: Severity
    public var position: SourcePosition
    /// Lower case, no full stop; never a value that was substituted from the environment or a file.
    public var message: String
    /// The next step, where the message alone doesn't show it.
    public var hint: String?

    public init(_ severity: Severity = .error, at position: SourcePosition, _ message: String, hint: String? = nil) {
        self.severity = severity
        self.position = position
        self.message = message
        self.hint = hint
    }
}
