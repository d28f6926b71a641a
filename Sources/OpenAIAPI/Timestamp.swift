#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The wall clock, for stamps alone.
package enum Timestamp {
    /// Seconds since 1970.
    package static func seconds() -> Int {
        clock().tv_sec
    }

    /// RFC 3339 in UTC, with milliseconds: `2026-01-31T09:30:00.125Z`.
    package static func now() -> String {
        let time = clock()
        return text(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    static func text(seconds: Int, milliseconds: Int) -> String {
        let (days, rest) = (seconds / 86_400, seconds % 86_400)
        let (year, month, day) = date(daysSince1970: days)
        return String(unsafeUninitializedCapacity: 24) { buffer in
            var position = 0
            func put(_ number: Int, _ digits: Int, _ end: Character) {
                var divisor = 1
                for _ in 1..<digits { divisor *= 10 }
                for _ in 0..<digits {
                    buffer[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10)
                    divisor = max(1, divisor / 10)
                    position += 1
                }
                buffer[position] = end.asciiValue ?? 0x20
                position += 1
            }
            put(year, 4, "-")
            put(month, 2, "-")
            put(day, 2, "T")
            put(rest / 3600, 2, ":")
            put(rest / 60 % 60, 2, ":")
            put(rest % 60, 2, ".")
            put(milliseconds, 3, "Z")
            return position
        }
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

    private static func clock() -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time
    }
}
