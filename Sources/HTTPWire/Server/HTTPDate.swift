import Codecs
import Glibc

/// The `date` field, rendered at most once a second.
struct HTTPDate {
    private var second: Int?
    private var line: [UInt8] = []

    /// The field line for the current second without CR LF, such as `date: Sun, 06 Nov 1994 08:49:37 GMT`.
    mutating func current() -> [UInt8] {
        let now = time(nil)
        if now != second {
            second = now
            line = Array("date: \(WireDate.http(now))".utf8)
        }
        return line
    }
}
