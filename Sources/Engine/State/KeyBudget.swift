import Codecs
import ProviderKit
import RoutingPolicy

/// A key's budget, and what is spent of it.
struct KeyBudget: Sendable {
    let terms: Budget
    let account: KeyAccount

    /// The refusal of a key that has used up a hard budget; nil if something is left.
    func refusal(ofKey key: String, now: Int) -> CallFailure? {
        account.isUsedUp(terms, now: now) ? failure("the key '\(key)' has used up its budget of \(terms.words)", now) : nil
    }

    /// Reserves what a request may cost. Returns the refusal if that is more than what is left of a hard budget.
    func begin(_ amount: Spending, ofKey key: String, now: Int) -> CallFailure? {
        account.begin(amount, terms, now: now) ? nil : refusal(of: amount, ofKey: key, now: now)
    }

    /// The refusal of a request that may cost more than what is left.
    func refusal(of amount: Spending, ofKey key: String, now: Int) -> CallFailure {
        let cost = [
            terms.dollars.map { _ in "$\(amount.dollars.rounded(to: 1e6).asWritten)" }, terms.tokens.map { _ in "\(amount.tokens) tokens" },
        ].compactMap { $0 }.joined(separator: " and ")
        return failure("the request may cost \(cost), which is more than the key '\(key)' has left of its budget of \(terms.words)", now)
    }

    /// A 429 that is not worth a repetition before the next period.
    private func failure(_ reason: String, _ now: Int) -> CallFailure {
        let end = account.view(now: now).periodEnd
        let next = end.map { "it begins anew at \(WireDate.rfc3339($0))" } ?? "ask the router's operator for more"
        return CallFailure(
            cause: .overBudget, status: 429, error: ProviderError(.rateLimited, message: "\(reason); \(next)", code: "budget_exceeded"),
            retryAfter: end.map { .seconds($0 - now) })
    }
}

extension Double {
    fileprivate func rounded(to fraction: Double) -> Double { (self * fraction).rounded(.up) / fraction }
}
