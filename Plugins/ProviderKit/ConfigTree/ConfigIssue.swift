/// A mistake, or something doubtful, in a configuration file that a person edits.
public struct ConfigIssue: Error, Sendable, Equatable {
    /// How serious an issue is.
    public enum Severity: String, Sendable {
        /// The file can't be used.
        case error
        /// The file can be used, but probably doesn't do what its author wants.
        case warning
    }

    /// How serious the issue is.
    public var severity: Severity
    /// The place in the file that is at fault.
    public var position: SourcePosition
    /// What is wrong: lowercase, without a full stop, and with names in quotes. It never contains a value that was
    /// substituted from the environment or from a file, because that may be a secret.
    public var message: String
    /// The next step for the author of the file; nil if the message already shows it.
    public var hint: String?

    /// Creates an issue.
    public init(_ severity: Severity = .error, at position: SourcePosition, _ message: String, hint: String? = nil) {
        self.severity = severity
        self.position = position
        self.message = message
        self.hint = hint
    }
}
