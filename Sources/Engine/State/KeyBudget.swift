import Codecs
import ProviderKit
import RoutingPolicy

/// A key's budget, and what is spent of it.
struct KeyBudget: Sendable {
    let terms: Budget
    let account: KeyAccount

    /// The refusal of a key with nothing left of a hard budget; nil if something is left.
    func refusal(ofKey key: String, now: Int) -> CallFailure? {
        account.isUsedUp(terms, now: now) ? failure(ofKey: key, now: now) : nil
    }

    /// Reserves what a request may cost. Returns the refusal if nothing is left of a hard budget.
    func begin(_ amount: Spending, ofKey key: String, now: Int) -> CallFailure? {
        account.begin(amount, terms, now: now) ? nil : failure(ofKey: key, now: now)
    }

    /// The refusal of a request of a budget that is used up.
    ///
    /// - Parameter isSpent: whether it is spent; false: what is left of it is reserved for running requests. nil: as
    ///   the account says.
    func failure(ofKey key: String, isSpent: Bool? = nil, now: Int) -> CallFailure {
        guard isSpent ?? account.isSpent(terms, now: now) else {
            return CallFailure(
                cause: .unavailable, status: 429,
                error: ProviderError(
                    .rateLimited,
                    message:
                        "what is left of the budget of the key '\(key)' (\(terms.words)) is reserved for its running requests; retry when one of them has ended",
                    code: "rate_limit_exceeded"), retryAfter: .seconds(1))
        }
        // Not worth a repetition before the next period.
        let end = account.view(now: now).periodEnd
        let next = end.map { "it begins anew at \(WireDate.rfc3339($0))" } ?? "ask the router's operator for more"
        return CallFailure(
            cause: .overBudget, status: 429,
            error: ProviderError(
                .rateLimited, message: "the key '\(key)' has used up its budget of \(terms.words); \(next)", code: "budget_exceeded"),
            retryAfter: end.map { .seconds($0 - now) })
    }
}
