/// A failure with a message for standard error, and the exit code 1.
struct Failure: Error, CustomStringConvertible {
    let message: String
    var description: String { "llm-router: \(message)" }

    init(_ message: String) { self.message = message }
}
