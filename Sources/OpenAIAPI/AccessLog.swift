import Synchronization

/// The access log: a JSON object a line, stamped.
package final class AccessLog: Sendable {
    private let lines: LineWriter
    /// The last stamp's seconds, and their text after a quote: they change seldom.
    private let second = Mutex<(seconds: Int, text: [UInt8])>((0, []))

    package init(_ lines: LineWriter) {
        self.lines = lines
    }

    package var droppedLines: Int { lines.droppedLines }

    func write(_ record: AccessRecord) {
        let time = Timestamp.clock()
        let seconds = second.withLock { second -> [UInt8] in
            if second.seconds != time.seconds { second = (time.seconds, Array("\"\(Timestamp.text(seconds: time.seconds))".utf8)) }
            return second.text
        }
        lines.write(record.line(seconds: seconds, milliseconds: time.milliseconds))
    }
}
