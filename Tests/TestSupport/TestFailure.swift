/// The error of a helper that waited in vain. It names the line of the test that called the helper.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ message: String, _ place: CallSite) {
        description = "\(place): \(message)"
    }
}

/// The line of a test that called a helper.
package struct CallSite: Sendable, CustomStringConvertible {
    private let file: String
    private let line: Int

    package init(_ file: StaticString, _ line: Int) {
        self.file = "\(file)"
        self.line = line
    }

    package var description: String { "\(file):\(line)" }
}
