import Logging
import RoutingPolicy
import Synchronization
import Telemetry

/// The log handler for the operator's messages: one line each on standard error, `TIME LEVEL MESSAGE key=value…`.
/// Values are escaped. A `report` consists of several lines, which follow indented. If standard error isn't read,
/// messages are dropped, so that logging never blocks.
struct StandardErrorLog: LogHandler {
    let lines: LineWriter
    let threshold: MessageThreshold
    var metadata: Logger.Metadata = [:]

    init(_ lines: LineWriter, _ threshold: MessageThreshold) {
        self.lines = lines
        self.threshold = threshold
    }

    var logLevel: Logger.Level {
        get { threshold.level }
        set { threshold.level = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var values = metadata
        if let more = event.metadata { values.merge(more) { _, new in new } }
        let report = values.removeValue(forKey: "report")
        var line = "\(Timestamp.now().text) \(event.level) \(event.message)"
        for (key, value) in values.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(LogText.quoted("\(value)"))" }
        if let report {
            for row in "\(report)".split(separator: "\n", omittingEmptySubsequences: false) where !row.isEmpty {
                line += "\n    \(LogText.escaped(String(row)))"
            }
        }
        line.withUTF8 { _ = lines.write(UnsafeRawBufferPointer($0)) }
    }
}

/// The least severe messages that are written. A reload changes it.
final class MessageThreshold: Sendable {
    private let stored = Mutex(Logger.Level.info)

    var level: Logger.Level {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }

    func follow(_ policy: RoutingPolicy) {
        if let level = Logger.Level(rawValue: policy.log.level.rawValue) { self.level = level }
    }
}
