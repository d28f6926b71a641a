import Codecs
import ProviderKit

/// The access log: one JSON object per line, with a timestamp.
package final class AccessLog: Sendable {
    private let lines: LineWriter

    package init(_ lines: LineWriter) {
        self.lines = lines
    }

    package var droppedLines: Int { lines.droppedLines }

    package func write(_ record: borrowing AccessRecord) {
        var writer = JSONWriter(capacity: 1024)
        record.write(at: .now(), to: &writer)
        writer.withBytes { lines.write($0) }
    }
}
