/// What requests have cost.
package struct Spending: Sendable, Equatable {
    /// US dollars.
    package var dollars = 0.0
    /// Prompt and completion tokens together.
    package var tokens = 0

    package init(dollars: Double = 0, tokens: Int = 0) {
        self.dollars = dollars
        self.tokens = tokens
    }

    package static func += (sum: inout Spending, other: Spending) {
        sum.dollars += other.dollars
        sum.tokens = sum.tokens.addingSaturated(other.tokens)
    }

    package static func -= (sum: inout Spending, other: Spending) {
        // A sum of rounded numbers can miss zero by a little.
        sum.dollars = max(0, sum.dollars - other.dollars)
        sum.tokens = max(0, sum.tokens - other.tokens)
    }
}
