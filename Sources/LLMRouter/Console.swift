import Glibc

/// Standard output, standard error, the environment and the exit of the process, without Foundation.
enum Console {
    static func out(_ text: String) { put(text, 1) }

    static func error(_ text: String) { put(text, 2) }

    static func exit(_ code: Int32) -> Never {
        Glibc.exit(code)
    }

    static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    private static func put(_ text: String, _ descriptor: Int32) {
        var line = text.hasSuffix("\n") || text.isEmpty ? text : text + "\n"
        line.withUTF8 { bytes in
            var start = 0
            while start < bytes.count {
                let count = write(descriptor, bytes.baseAddress.map { $0 + start }, bytes.count - start)
                if count > 0 { start += count } else if errno != EINTR { return }
            }
        }
    }
}
