/// The access log: one JSON object per line, with a timestamp. All event loops share it.
package final class AccessLog: Sendable {
    private let lines: LineWriter

    package init(_ lines: LineWriter) {
        self.lines = lines
    }

    var droppedLines: Int { lines.droppedLines }

    /// - Parameter line: a JSON object.
    func write(_ line: UnsafeRawBufferPointer) { lines.write(line) }
}
