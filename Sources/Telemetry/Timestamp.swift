import Codecs
import Glibc

/// A wall-clock time. Only for timestamps in logs and responses.
package struct Timestamp: Sendable {
    /// Since 1970, in UTC; negative before.
    let seconds: Int
    /// Of the second.
    let nanoseconds: Int

    init(seconds: Int, nanoseconds: Int) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    init(seconds: Int, milliseconds: Int) { self.init(seconds: seconds, nanoseconds: milliseconds * 1_000_000) }

    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
    }

    var milliseconds: Int { nanoseconds / 1_000_000 }

    /// Seconds since 1970.
    package static func seconds() -> Int { now().seconds }

    /// Since 1970.
    package var allMilliseconds: Int { seconds * 1000 + milliseconds }

    /// Since 1970; wrong for times that are centuries away.
    var allNanoseconds: Int { seconds &* 1_000_000_000 &+ nanoseconds }

    /// RFC 3339 in UTC, with milliseconds: `2026-01-31T09:30:00.125Z`.
    package var text: String { WireDate.rfc3339(seconds, milliseconds: milliseconds) }
}

extension JSONWriter {
    mutating func member(_ name: StaticString, _ time: Timestamp) {
        key(name)
        let text = WireDate.rfc3339Bytes(time.seconds, milliseconds: time.milliseconds)
        plain(text.span.bytes)
    }
}
