import Codecs
import Engine
import ProviderKit

/// The access log: one JSON object per line, with a timestamp. All event loops share it.
package final class AccessLog: Sendable {
    private let lines: LineWriter

    package init(_ lines: LineWriter) {
        self.lines = lines
    }

    var droppedLines: Int { lines.droppedLines }

    func write(_ request: borrowing RequestRecord) {
        var writer = JSONWriter(capacity: 1024)
        request.write(at: .now(), to: &writer)
        writer.withBytes { lines.write($0) }
    }
}
