package import NIOCore

/// A bucket that refills continuously with N tokens per minute. It starts full and contains at most N tokens.
///
/// The bucket is exact: it counts in units of 1/60,000,000,000 token and gains N of them per nanosecond, so nothing is
/// ever rounded. 128 bits suffice for 2^63 tokens per minute over 2^63 nanoseconds.
package struct TokenBucket: Sendable {
    private static let unitsPerToken: Int128 = 60_000_000_000
    /// The debt is at most the refill of one hour, so that an upstream that reports nonsense cannot block a bucket
    /// forever.
    private static let maxDebtMinutes: Int128 = 60

    package let perMinute: Int
    /// In units; a negative level is a debt.
    private var level: Int128
    private var filledAt = NIODeadline.uptimeNanoseconds(0)

    /// - Parameter perMinute: at least 1.
    package init(perMinute: Int) {
        self.perMinute = max(perMinute, 1)
        level = Int128(self.perMinute) * Self.unitsPerToken
    }

    private var capacity: Int128 { Int128(perMinute) * Self.unitsPerToken }

    /// The number of complete tokens; a negative number is a debt.
    package func tokens(now: NIODeadline) -> Int {
        let (quotient, remainder) = filled(now).quotientAndRemainder(dividingBy: Self.unitsPerToken)
        return Int(clamping: remainder < 0 ? quotient - 1 : quotient)
    }

    /// How long it takes until the tokens can be spent, if no others are spent before; zero: they can be spent now.
    /// More than N tokens can be spent once the bucket is full; they leave a debt.
    package func wait(for tokens: Int, now: NIODeadline) -> Duration {
        let missing = min(units(tokens), capacity) - filled(now)
        guard missing > 0 else { return .zero }
        let rate = Int128(perMinute)
        return .nanoseconds(Int64(clamping: (missing + rate - 1) / rate))
    }

    /// Takes the tokens even if the bucket contains fewer. The missing ones are a debt that later requests wait for.
    package mutating func spend(_ tokens: Int, now: NIODeadline) {
        level = max(filled(now) - units(tokens), -capacity * Self.maxDebtMinutes)
        filledAt = max(filledAt, now)
    }

    /// Returns tokens that were spent. Tokens above the capacity are lost.
    package mutating func giveBack(_ tokens: Int) {
        level = min(level + units(tokens), capacity)
    }

    /// Continues from another count of tokens; a negative number is a debt.
    package mutating func set(_ tokens: Int, now: NIODeadline) {
        level = max(min(Int128(tokens) * Self.unitsPerToken, capacity), -capacity * Self.maxDebtMinutes)
        filledAt = now
    }

    /// Corrects the estimate that was spent to the tokens that were used.
    package mutating func settle(spent: Int, used: Int, now: NIODeadline) {
        let (spent, used) = (max(spent, 0), max(used, 0))
        if used > spent {
            spend(used - spent, now: now)
        } else {
            giveBack(spent - used)
        }
    }

    private func units(_ tokens: Int) -> Int128 { Int128(max(tokens, 0)) * Self.unitsPerToken }

    private func filled(_ now: NIODeadline) -> Int128 {
        guard now > filledAt else { return level }
        let elapsed = Int128(now.uptimeNanoseconds - filledAt.uptimeNanoseconds)
        return min(level + elapsed * Int128(perMinute), capacity)
    }
}
