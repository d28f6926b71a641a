package import RoutingPolicy

/// The budget of a key at one point in time.
package struct KeyBudgetView: Sendable {
    /// The name of the key.
    package var key: String
    package var terms: Budget
    package var account: KeyAccount.View

    package init(key: String, terms: Budget, account: KeyAccount.View) {
        (self.key, self.terms, self.account) = (key, terms, account)
    }

    /// US dollars that are neither spent nor reserved; negative if more than the budget was spent; nil: no bound.
    package var dollarsLeft: Double? { terms.dollars.map { $0 - account.spent.dollars - account.reserved.dollars } }

    /// The same for tokens.
    package var tokensLeft: Int? {
        terms.tokens.map { $0 - account.spent.tokens.addingSaturated(account.reserved.tokens) }
    }
}

extension Snapshot {
    /// The budgets of the policy's keys, as far as they have any.
    ///
    /// - Parameter now: in seconds since 1970.
    package func budgetViews(now: Int) -> [KeyBudgetView] {
        policy.keys.compactMap { key in
            budget(of: key).map { KeyBudgetView(key: key.name, terms: $0.terms, account: $0.account.view(now: now)) }
        }
    }
}
