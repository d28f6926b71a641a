import Glibc

/// Standard output, standard error, the environment and the exit of the process, without Foundation.
enum Console {
    /// - Parameter endsLine: whether a line feed is added to a text that doesn't end with one.
    static func out(_ text: String, endsLine: Bool = true) { put(text, 1, endsLine: endsLine) }

    static func error(_ text: String) { put(text, 2) }

    /// Standard output, without a line break at the end.
    static func ask(_ text: String) { write(text, 1) }

    static func exit(_ code: Int32) -> Never {
        Glibc.exit(code)
    }

    static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// The number of columns for tables: `COLUMNS` if it is set, else the width of the terminal; nil if standard output
    /// is no terminal, because then nothing can be too wide.
    static var width: Int? {
        if let columns = environment("COLUMNS").flatMap({ Int($0) }), columns > 0 { return columns }
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// The machine's name.
    static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Whether standard output is a terminal, and whether colours are welcome there.
    static var output: (isTerminal: Bool, hasColors: Bool) {
        let isTerminal = isatty(1) == 1
        // Source: https://no-color.org.
        let isPlain = !(environment("NO_COLOR") ?? "").isEmpty || environment("TERM") == "dumb"
        return (isTerminal, isTerminal && !isPlain)
    }

    /// A text from outside without control characters, which could move the cursor or hide what follows.
    static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }

    private static func put(_ text: String, _ descriptor: Int32, endsLine: Bool = true) {
        write(text.hasSuffix("\n") || text.isEmpty || !endsLine ? text : text + "\n", descriptor)
    }

    private static func write(_ text: String, _ descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            while start < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + start }, bytes.count - start)
                if count > 0 { start += count } else if errno != EINTR { return }
            }
        }
    }
}
