import Codecs

/// `budget:` of a key: what its requests may cost in a period.
package struct Budget: Sendable, Equatable, OptionHolder {
    /// Periods are those of UTC.
    package enum Period: String, Sendable, CaseIterable {
        case day
        /// From Monday.
        case week, month
        /// From the first request on.
        case total
    }

    /// What happens to a request that a model without a price would serve.
    package enum Unpriced: String, Sendable, CaseIterable {
        case allow, refuse
    }

    /// US dollars; nil: no bound.
    package var dollars: Double?
    /// Prompt and completion tokens together; nil: no bound.
    package var tokens: Int?
    package var period = Period.month
    /// Whether requests beyond the budget are refused, and not only counted.
    package var isHard = true
    package var unpriced = Unpriced.refuse

    package init() {}

    /// Whether only models with a price may serve the key: what another one costs would count as nothing.
    package var needsPrice: Bool { dollars != nil && isHard && unpriced == .refuse }

    /// The budget as a noun phrase for messages: `$50 a month`.
    package var words: String {
        let bounds = [dollars.map { "$\($0.asWritten)" }, tokens.map { "\($0) tokens" }].compactMap { $0 }.joined(separator: " and ")
        return period == .total ? "\(bounds) in all" : "\(bounds) a \(period.rawValue)"
    }
}

extension Budget.Period {
    private static let secondsPerDay = 86_400

    /// The period around a time, from its first second to the first one behind it. All are seconds since 1970; a total
    /// has no end.
    package func window(around second: Int) -> (start: Int, end: Int?) {
        let midnight = second - second.remainder(below: Self.secondsPerDay)
        switch self {
        case .day:
            return (midnight, midnight + Self.secondsPerDay)
        case .week:
            // 1 January 1970 was a Thursday.
            let monday = midnight - (midnight / Self.secondsPerDay + 3).remainder(below: 7) * Self.secondsPerDay
            return (monday, monday + 7 * Self.secondsPerDay)
        case .month:
            let start = Self.firstSecond(ofMonth: second)
            // Every month has at most 31 days, and the next one has at least 28.
            return (start, Self.firstSecond(ofMonth: start + 31 * Self.secondsPerDay))
        case .total:
            return (0, nil)
        }
    }

    /// The first second of the month that contains `second`.
    private static func firstSecond(ofMonth second: Int) -> Int {
        let month = WireDate.rfc3339(second).prefix("2026-11".utf8.count)
        return WireDate.rfc3339("\(month)-01T00:00:00Z").map { Int($0) } ?? 0
    }
}

extension Int {
    /// The remainder of the division, from 0 to below the divisor, for negative numbers too.
    fileprivate func remainder(below divisor: Int) -> Int {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
