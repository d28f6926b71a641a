import Codecs
import Glibc

/// A wall-clock time. Only for timestamps in logs and responses.
package struct Timestamp: Sendable {
    /// Since 1970, in UTC.
    let seconds: Int
    let milliseconds: Int

    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// Seconds since 1970.
    package static func seconds() -> Int { now().seconds }

    /// RFC 3339 in UTC, with milliseconds: `2026-01-31T09:30:00.125Z`.
    package var text: String {
        let literal = literal
        return literal.span.withUnsafeBufferPointer { String(decoding: $0.dropFirst().dropLast(), as: UTF8.self) }
    }

    /// The text as a JSON string, in quotes.
    fileprivate var literal: InlineArray<26, UInt8> {
        let (days, time) = (seconds / 86_400, seconds % 86_400)
        let date = CivilDate(daysSince1970: days)
        var literal = InlineArray<26, UInt8>(repeating: UInt8(ascii: "\""))
        func put(_ number: Int, digits: Int, at start: Int, then separator: Unicode.Scalar) {
            var rest = number
            for position in (start..<(start + digits)).reversed() {
                literal[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            literal[start + digits] = UInt8(ascii: separator)
        }
        put(date.year, digits: 4, at: 1, then: "-")
        put(date.month, digits: 2, at: 6, then: "-")
        put(date.day, digits: 2, at: 9, then: "T")
        put(time / 3600, digits: 2, at: 12, then: ":")
        put(time / 60 % 60, digits: 2, at: 15, then: ":")
        put(time % 60, digits: 2, at: 18, then: ".")
        put(milliseconds, digits: 3, at: 21, then: "Z")
        return literal
    }
}

extension JSONWriter {
    mutating func member(_ name: StaticString, _ time: Timestamp) {
        key(name)
        let literal = time.literal
        raw(0..<literal.count, of: literal.span.bytes)
    }
}
