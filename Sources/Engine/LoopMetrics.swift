import ProviderKit

/// One event loop's counters. Only that loop writes; a scrape asks each loop for a copy.
package final class LoopMetrics {
    package private(set) var values = MetricValues()

    /// An attempt has ended. `reason` is nil where it answered.
    func attempt(provider: String, model: String, reason: String?) {
        values.attempts[.init(provider: provider, model: model, reason: reason), default: 0] += 1
    }

    /// A call has ended, with its answer or its failure.
    func ended(_ facts: AnswerFacts, _ failure: CallFailure?) {
        guard let provider = facts.provider, let model = facts.model else { return }
        if facts.isFallback, failure == nil { values.fallbacks[facts.route ?? "", default: 0] += 1 }
        let source = facts.usage.source
        guard source != .unknown else { return }
        let usage = facts.usage.usage
        for (kind, count) in [("prompt", usage.promptTokens), ("completion", usage.completionTokens)] {
            guard let count else { continue }
            values.tokens[.init(provider: provider, model: model, kind: kind, source: source.rawValue), default: 0] &+= count
        }
    }

    /// A request has been answered; `endpoint` is one of the API's own words.
    package func request(endpoint: StaticString, status: Int) {
        values.requests[.init(endpoint: "\(endpoint)", status: status), default: 0] += 1
    }
}

/// Counters since start, keyed by names that the policy or the program gives, never by what a caller sent.
package struct MetricValues: Sendable {
    package struct Attempt: Hashable, Sendable {
        package var provider: String
        package var model: String
        package var reason: String?
    }

    package struct Tokens: Hashable, Sendable {
        package var provider: String
        package var model: String
        package var kind: String
        package var source: String
    }

    package struct Request: Hashable, Sendable {
        package var endpoint: String
        package var status: Int
    }

    package var attempts: [Attempt: Int] = [:]
    package var tokens: [Tokens: Int] = [:]
    package var requests: [Request: Int] = [:]
    /// Answers that a fallback gave, by route.
    package var fallbacks: [String: Int] = [:]
    /// Calls under way; a gauge.
    package var activeCalls = 0

    package mutating func add(_ other: MetricValues) {
        attempts.merge(other.attempts, uniquingKeysWith: &+)
        tokens.merge(other.tokens, uniquingKeysWith: &+)
        requests.merge(other.requests, uniquingKeysWith: &+)
        fallbacks.merge(other.fallbacks, uniquingKeysWith: &+)
        activeCalls += other.activeCalls
    }
}
