#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The wall clock, for stamps alone.
package enum Timestamp {
    /// Seconds since 1970.
    package static func seconds() -> Int {
        clock().seconds
    }

    /// RFC 3339 in UTC, with milliseconds: `2026-01-31T09:30:00.125Z`.
    package static func now() -> String {
        let time = clock()
        var bytes = Array(text(seconds: time.seconds).utf8)
        append(milliseconds: time.milliseconds, to: &bytes)
        return String(decoding: bytes.dropLast(), as: UTF8.self)
    }

    static func clock() -> (seconds: Int, milliseconds: Int) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (time.tv_sec, time.tv_nsec / 1_000_000)
    }

    /// `2026-01-31T09:30:00`.
    static func text(seconds: Int) -> String {
        let (days, rest) = (seconds / 86_400, seconds % 86_400)
        let (year, month, day) = date(daysSince1970: days)
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        return "\(year)-\(two(month))-\(two(day))T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))"
    }

    /// What follows the seconds, and a closing quote: `.125Z"`.
    static func append(milliseconds: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "."))
        for divisor in [100, 10, 1] { bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: milliseconds / divisor % 10)) }
        bytes.append(UInt8(ascii: "Z"))
        bytes.append(UInt8(ascii: "\""))
    }

    /// The Gregorian date. Source: H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    private static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
