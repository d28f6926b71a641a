/// Conversion between points in time, in seconds since 1970, and their text on the wire.
///
/// Parsing is strict: a text that doesn't have the expected format gives nil.
public enum WireDate {
    /// The time of an HTTP date, in seconds since 1970; nil if the text is not one.
    ///
    /// There are three formats. Servers send the first; recipients must accept all of them:
    ///
    /// | format | example |
    /// |---|---|
    /// | IMF-fixdate | `Sun, 06 Nov 1994 08:49:37 GMT` |
    /// | RFC 850 | `Sunday, 06-Nov-94 08:49:37 GMT` |
    /// | asctime | `Sun Nov  6 08:49:37 1994` |
    ///
    /// The name of the weekday must be a weekday, but is not checked against the date. Source: RFC 9110, 5.6.7.
    ///
    /// - Parameters:
    ///   - text: the date.
    ///   - now: the current time in seconds since 1970. It decides the century of a year of two digits: the date is
    ///     at most 50 years in the future. If it is nil, 70 to 99 mean 1970 to 1999, and 00 to 69 mean 2000 to 2069.
    public static func http(_ text: String, now: Double?) -> Double? {
        let parts = text.split(separator: " ")
        switch parts.count {
        case 6 where parts[5] == "GMT" && dayNames.contains { parts[0] == $0.prefix(3) + "," }:
            return civil(year: number(parts[3], digits: 4), month: month(parts[2]), day: number(parts[1], digits: 2), time: parts[4])
        case 4 where parts[3] == "GMT" && dayNames.contains { parts[0] == $0 + "," }:
            let date = parts[1].split(separator: "-", omittingEmptySubsequences: false)
            guard date.count == 3, let short = number(date[2], digits: 2) else { return nil }
            return civil(year: century(of: short, now: now), month: month(date[1]), day: number(date[0], digits: 2), time: parts[2])
        case 5 where dayNames.contains { parts[0] == $0.prefix(3) }:
            return civil(
                year: number(parts[4], digits: 4), month: month(parts[1]), day: number(parts[2], digits: min(2, parts[2].utf8.count)),
                time: parts[3])
        default:
            return nil
        }
    }

    /// The time of an RFC 3339 date, such as `2025-10-25T12:00:00Z`, in seconds since 1970; nil if the text is not one.
    /// It may have a fraction of a second, and an offset such as `+02:00` instead of `Z`. Source: RFC 3339, 5.6.
    public static func rfc3339(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[10] | 0x20 == UInt8(ascii: "t") else { return nil }
        let date = text.utf8.prefix(10).split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map { Substring($0) }
        guard date.count == 3 else { return nil }
        let time = Substring(text.utf8.dropFirst(11).prefix(8))
        guard
            let seconds = civil(
                year: number(date[0], digits: 4), month: number(date[1], digits: 2), day: number(date[2], digits: 2), time: time)
        else { return nil }
        var rest = Substring(text.utf8.dropFirst(19))
        var fraction = 0.0
        if rest.first == "." {
            let digits = rest.dropFirst().prefix { $0.isASCIIDigit }
            guard !digits.isEmpty, let value = Double("0." + digits) else { return nil }
            fraction = value
            rest = rest.dropFirst(digits.count + 1)
        }
        return offset(rest).map { seconds + fraction - $0 }
    }

    /// The seconds of an offset from UTC: `Z` or `+02:00`.
    private static func offset(_ text: Substring) -> Double? {
        if text == "Z" || text == "z" { return 0 }
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard let sign = text.first, sign == "+" || sign == "-", parts.count == 2 else { return nil }
        guard let hours = number(parts[0], digits: 2), let minutes = number(parts[1], digits: 2), hours < 24, minutes < 60 else {
            return nil
        }
        return Double(hours * 3600 + minutes * 60) * (sign == "-" ? -1 : 1)
    }

    private static func civil(year: Int?, month: Int?, day: Int?, time: Substring) -> Double? {
        guard let year, let month, let day, 1...12 ~= month, 1...days(in: month, of: year) ~= day else { return nil }
        let parts = time.split(separator: ":", omittingEmptySubsequences: false).map { number($0, digits: 2) }
        guard parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts[2] else { return nil }
        guard hour < 24, minute < 60, second <= 60 else { return nil }  // 60 is a leap second
        return Double(((CivilDate(year: year, month: month, day: day).daysSince1970 * 24 + hour) * 60 + minute) * 60 + second)
    }

    private static func days(in month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    private static func century(of short: Int, now: Double?) -> Int {
        guard let now else { return short < 70 ? 2000 + short : 1900 + short }
        let current = 1970 + Int(min(max(now, 0), 250_000_000_000) / 31_556_952)  // the seconds of a mean year
        let year = current - current % 100 + short
        return year > current + 50 ? year - 100 : year <= current - 50 ? year + 100 : year
    }

    private static let monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func month(_ name: Substring) -> Int? {
        monthNames.firstIndex { $0 == name }.map { $0 + 1 }
    }

    private static let dayNames = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    private static func number(_ text: Substring, digits: Int) -> Int? {
        guard text.utf8.count == digits, (1...4).contains(digits), text.utf8.allSatisfy({ ASCII.digit($0) != nil }) else { return nil }
        return Int(text)
    }

    /// The HTTP date of a point in time, as an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`. Source: RFC 9110, 5.6.7.
    ///
    /// - Parameter seconds: the seconds since 1970; negative before. A time outside the years 0 to 9999, which the
    ///   format can't express, becomes the nearest one inside.
    public static func http(_ seconds: Int) -> String {
        let (days, time) = split(seconds)
        let date = CivilDate(daysSince1970: days)
        // 1 January 1970 was a Thursday; the names begin with Monday. 719,530 is a multiple of 7 and more than the days
        // from the year 0 to 1970.
        let weekday = dayNames[(days + 719_530 + 3) % 7].prefix(3)
        let clock = [time / 3600, time / 60 % 60, time % 60].map { padded($0, 2) }.joined(separator: ":")
        return "\(weekday), \(padded(date.day, 2)) \(monthNames[date.month - 1]) \(padded(date.year, 4)) \(clock) GMT"
    }

    /// The RFC 3339 date of a point in time, in UTC and with milliseconds: `2026-01-31T09:30:00.125Z`. Source:
    /// RFC 3339, 5.6.
    ///
    /// - Parameters:
    ///   - seconds: the seconds since 1970; negative before. A time outside the years 0 to 9999, which the format
    ///     can't express, becomes the nearest one inside.
    ///   - milliseconds: 0 to 999.
    public static func rfc3339Bytes(_ seconds: Int, milliseconds: Int = 0) -> InlineArray<24, UInt8> {
        let (days, time) = split(seconds)
        let date = CivilDate(daysSince1970: days)
        var text = InlineArray<24, UInt8>(repeating: UInt8(ascii: "Z"))
        func put(_ number: Int, at start: Int, then separator: Unicode.Scalar) {
            let number = UInt8(truncatingIfNeeded: number)
            text[start] = UInt8(ascii: "0") &+ number / 10
            text[start + 1] = UInt8(ascii: "0") &+ number % 10
            text[start + 2] = UInt8(ascii: separator)
        }
        let milliseconds = min(max(milliseconds, 0), 999)
        put(date.year / 100, at: 0, then: "-")
        put(date.year % 100, at: 2, then: "-")
        put(date.month, at: 5, then: "-")
        put(date.day, at: 8, then: "T")
        put(time / 3600, at: 11, then: ":")
        put(time / 60 % 60, at: 14, then: ":")
        put(time % 60, at: 17, then: ".")
        text[20] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: milliseconds / 100)
        put(milliseconds % 100, at: 21, then: "Z")
        return text
    }

    /// The text of ``rfc3339Bytes(_:milliseconds:)``.
    public static func rfc3339(_ seconds: Int, milliseconds: Int = 0) -> String {
        let bytes = rfc3339Bytes(seconds, milliseconds: milliseconds)
        return bytes.span.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// The days since 1970, and the seconds since the start of the day.
    private static func split(_ seconds: Int) -> (days: Int, time: Int) {
        let seconds = min(max(seconds, -62_167_219_200), 253_402_300_799)
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        return (days, seconds - days * 86_400)
    }

    private static func padded(_ number: Int, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
