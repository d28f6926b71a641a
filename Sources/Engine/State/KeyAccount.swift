package import RoutingPolicy
import Synchronization

/// What the requests of a key have cost in the current period of its budget, and what those in flight may cost. It
/// outlives policies that don't change the period.
package final class KeyAccount: Sendable {
    /// The account at one point in time.
    package struct View: Sendable, Equatable {
        package var spent: Spending
        /// What the requests in flight may cost.
        package var reserved: Spending
        /// The end of the period, in seconds since 1970; nil: it has none.
        package var periodEnd: Int?
        /// How many requests ended or began beyond a budget that isn't hard.
        package var requestsBeyond: Int
    }

    package let period: Budget.Period
    private let state: Mutex<State>

    private struct State {
        var start: Int
        var end: Int?
        var spent: Spending
        var reserved = Spending()
        var requestsBeyond = 0
        var hasWarned = false

        /// Begins a new period if the current one is over. What is reserved stays so: it will be spent in the new one.
        mutating func roll(_ period: Budget.Period, to now: Int) {
            guard let end, now >= end else { return }
            (start, self.end) = period.window(around: now)
            spent = Spending()
            hasWarned = false
        }

        /// Whether nothing is left beside what is spent and reserved.
        func isUsedUp(_ budget: Budget) -> Bool { budget.isUsedUp(by: spent, reserved) }
    }

    /// - Parameters:
    ///   - spent: what was spent before in the period around `now`.
    ///   - now: in seconds since 1970.
    package init(_ period: Budget.Period, spent: Spending = Spending(), now: Int) {
        self.period = period
        let window = period.window(around: now)
        state = Mutex(State(start: window.start, end: window.end, spent: spent))
    }

    /// Whether nothing is left of a hard budget.
    package func isUsedUp(_ budget: Budget, now: Int) -> Bool {
        state.withLock { state in
            state.roll(period, to: now)
            return budget.isHard && state.isUsedUp(budget)
        }
    }

    /// Whether what is spent uses a hard budget up, whatever the requests in flight cost.
    func isSpent(_ budget: Budget, now: Int) -> Bool {
        state.withLock { state in
            state.roll(period, to: now)
            return budget.isHard && budget.isUsedUp(by: state.spent)
        }
    }

    /// Reserves what a request may cost. Returns false, and reserves nothing, if nothing is left of a hard budget. A
    /// request that may cost more than what is left is admitted, and the next ones wait for its end: so a budget is
    /// exceeded by the cost of one request, whatever its size.
    package func begin(_ amount: Spending, _ budget: Budget, now: Int) -> Bool {
        state.withLock { state in
            state.roll(period, to: now)
            if budget.isHard, state.isUsedUp(budget) { return false }
            state.reserved += amount
            return true
        }
    }

    /// Puts what a request has cost in the place of what was reserved for it.
    ///
    /// - Returns: whether the budget is used up for the first time in this period.
    package func end(_ reserved: Spending, spent: Spending, _ budget: Budget, now: Int) -> Bool {
        state.withLock { state in
            state.roll(period, to: now)
            state.reserved -= reserved
            state.spent += spent
            guard state.isUsedUp(budget) else { return false }
            if !budget.isHard { state.requestsBeyond += 1 }
            defer { state.hasWarned = true }
            return !state.hasWarned
        }
    }

    /// Continues from what a shared store says is spent.
    ///
    /// - Returns: whether the budget is used up for the first time in this period.
    package func receive(_ view: SharedBudgetView, _ budget: Budget, now: Int) -> Bool {
        state.withLock { state in
            state.roll(period, to: now)
            // The clocks of the router and the store may be in different periods for some seconds.
            guard view.periodEnd == state.end else { return false }
            state.spent = view.spent
            guard state.isUsedUp(budget) else { return false }
            defer { state.hasWarned = true }
            return !state.hasWarned
        }
    }

    package func view(now: Int) -> View {
        state.withLock { state in
            state.roll(period, to: now)
            return View(spent: state.spent, reserved: state.reserved, periodEnd: state.end, requestsBeyond: state.requestsBeyond)
        }
    }
}

extension Budget {
    /// Whether nothing is left beside two amounts.
    func isUsedUp(by spent: Spending, _ reserved: Spending = Spending()) -> Bool {
        dollars.map { spent.dollars + reserved.dollars >= $0 } ?? false
            || tokens.map { spent.tokens.addingSaturated(reserved.tokens) >= $0 } ?? false
    }
}
