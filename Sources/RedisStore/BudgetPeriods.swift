import RoutingPolicy

/// The starts of the period of a budget before a time, of the one around it, and of the two after it, for a script. To
/// compute them takes as long as everything else of a call.
struct BudgetPeriods {
    let words: [String]
    private let around: Range<Int>

    init(_ period: Budget.Period, around now: Int) {
        let (start, end) = period.window(around: now)
        guard let end else {
            (words, around) = (["0", "0", "0", "0"], .min..<(.max))
            return
        }
        let boundaries = [period.window(around: start - 1).start, start, end, period.window(around: end).end ?? 0]
        (words, around) = (boundaries.map { "\($0)" }, start..<end)
    }

    /// The periods around the present, kept until they end.
    struct Cache {
        private var known: [Budget.Period: BudgetPeriods] = [:]

        mutating func periods(_ budget: Budget?, now: Int) -> BudgetPeriods? {
            guard let period = budget?.period else { return nil }
            if let periods = known[period], periods.around.contains(now) { return periods }
            let periods = BudgetPeriods(period, around: now)
            known[period] = periods
            return periods
        }
    }
}
