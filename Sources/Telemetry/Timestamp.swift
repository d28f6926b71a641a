import Codecs
import Glibc

/// A wall-clock time. Only for timestamps in logs and responses.
package struct Timestamp: Sendable {
    /// Since 1970, in UTC; negative before.
    let seconds: Int
    let milliseconds: Int

    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// Seconds since 1970.
    package static func seconds() -> Int { now().seconds }

    /// Since 1970.
    package var allMilliseconds: Int { seconds * 1000 + milliseconds }

    /// RFC 3339 in UTC, with milliseconds: `2026-01-31T09:30:00.125Z`.
    package var text: String { WireDate.rfc3339(seconds, milliseconds: milliseconds) }
}

extension JSONWriter {
    mutating func member(_ name: StaticString, _ time: Timestamp) {
        key(name)
        let text = WireDate.rfc3339Bytes(time.seconds, milliseconds: time.milliseconds)
        var literal = InlineArray<26, UInt8>(repeating: UInt8(ascii: "\""))
        for index in text.indices { literal[index + 1] = text[index] }
        raw(0..<literal.count, of: literal.span.bytes)
    }
}
