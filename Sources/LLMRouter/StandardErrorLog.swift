import Logging
import Telemetry

/// The log handler for the operator's messages: one line each on standard error, `TIME LEVEL MESSAGE key=value…`.
/// Values are escaped. A `report` consists of several lines, which follow indented. If standard error isn't read,
/// messages are dropped, so that logging never blocks.
struct StandardErrorLog: LogHandler {
    let lines: LineWriter
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    init(_ lines: LineWriter) {
        self.lines = lines
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
        for (key, value) in values.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(Self.quoted("\(value)"))" }
        if let report {
            for row in "\(report)".split(separator: "\n", omittingEmptySubsequences: false) where !row.isEmpty {
                line += "\n    \(Self.escaped(String(row)))"
            }
        }
        line.withUTF8 { lines.write(UnsafeRawBufferPointer($0)) }
    }

    private static func quoted(_ value: String) -> String {
        let text = escaped(value)
        return text.isEmpty || text.utf8.contains(0x20) || text.utf8.contains(0x22)
            ? "\"\(text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\""))\"" : text
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\n": text += "\\n"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}":
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
