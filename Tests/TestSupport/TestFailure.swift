/// What a harness call reports when the awaited thing did not happen; it names the test's line that waited.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ message: String, _ place: CallSite) {
        description = "\(place): \(message)"
    }
}

/// The line of a test that called into the harness.
package struct CallSite: Sendable, CustomStringConvertible {
    private let file: String
    private let line: Int

    package init(_ file: StaticString, _ line: Int) {
        self.file = "\(file)"
        self.line = line
    }

    package var description: String { "\(file):\(line)" }
}
