package import NIOCore

/// N tokens a minute: it starts full, holds at most N, and fills continuously.
///
/// Exact: it counts in shares of 1/60,000,000,000 token, of which each nanosecond brings N, so that nothing is ever rounded. 128 bits hold a bucket of
/// 2^63 tokens a minute over 2^63 nanoseconds.
package struct TokenBucket: Sendable {
    private static let sharesPerToken: Int128 = 60_000_000_000
    /// A debt is at most what an hour brings: an upstream that reports nonsense can't close a bucket for ever.
    private static let maxDebtMinutes: Int128 = 60

    package let perMinute: Int
    /// In shares; negative: a debt.
    private var level: Int128
    private var filledAt = NIODeadline.uptimeNanoseconds(0)

    /// - Parameter perMinute: at least 1.
    package init(perMinute: Int) {
        self.perMinute = max(perMinute, 1)
        level = Int128(self.perMinute) * Self.sharesPerToken
    }

    private var capacity: Int128 { Int128(perMinute) * Self.sharesPerToken }

    /// Whole tokens; negative: a debt.
    package func tokens(now: NIODeadline) -> Int {
        let (quotient, remainder) = filled(now).quotientAndRemainder(dividingBy: Self.sharesPerToken)
        return Int(clamping: remainder < 0 ? quotient - 1 : quotient)
    }

    /// How long until so many can be spent if nobody else spends any; zero: now. More than N are there when the bucket is full: then they are a debt.
    package func wait(for tokens: Int, now: NIODeadline) -> Duration {
        let missing = min(shares(tokens), capacity) - filled(now)
        guard missing > 0 else { return .zero }
        let rate = Int128(perMinute)
        return .nanoseconds(Int64(clamping: (missing + rate - 1) / rate))
    }

    /// Takes tokens, there or not: what isn't is a debt, which the next wait for.
    package mutating func spend(_ tokens: Int, now: NIODeadline) {
        level = max(filled(now) - shares(tokens), -capacity * Self.maxDebtMinutes)
        filledAt = max(filledAt, now)
    }

    /// Returns tokens that were spent. What a full bucket can't hold is gone.
    package mutating func giveBack(_ tokens: Int) {
        level = min(level + shares(tokens), capacity)
    }

    /// Corrects an estimate that was spent to what it cost.
    package mutating func settle(spent: Int, used: Int, now: NIODeadline) {
        let (spent, used) = (max(spent, 0), max(used, 0))
        if used > spent {
            spend(used - spent, now: now)
        } else {
            giveBack(spent - used)
        }
    }

    private func shares(_ tokens: Int) -> Int128 { Int128(max(tokens, 0)) * Self.sharesPerToken }

    private func filled(_ now: NIODeadline) -> Int128 {
        guard now > filledAt else { return level }
        let elapsed = Int128(now.uptimeNanoseconds - filledAt.uptimeNanoseconds)
        return min(level + elapsed * Int128(perMinute), capacity)
    }
}
