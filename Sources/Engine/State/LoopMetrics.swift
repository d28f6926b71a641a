import ProviderKit

/// One event loop's counters. Only that loop writes; a scrape asks each loop for a copy.
package final class LoopMetrics {
    private var models: [ModelName: ModelCounters] = [:]
    /// A few dozen at most, the usual ones first: they come first.
    private var requests: [(key: MetricValues.Request, count: Int)] = []
    private var fallbacks: [String: Int] = [:]

    /// The counters of a model, over all policies that name it.
    func counters(provider: String, model: String) -> ModelCounters {
        let name = ModelName(provider: provider, model: model)
        if let known = models[name] { return known }
        let made = ModelCounters()
        models[name] = made
        return made
    }

    /// A fallback has answered.
    func fallback(route: String?) {
        fallbacks[route ?? "", default: 0] += 1
    }

    /// A request has been answered; `endpoint` is one of the API's own words.
    package func request(endpoint: String, status: Int) {
        if let known = requests.firstIndex(where: { $0.key.status == status && $0.key.endpoint == endpoint }) {
            requests[known].count += 1
        } else {
            requests.append((.init(endpoint: endpoint, status: status), 1))
        }
    }

    var values: MetricValues {
        MetricValues(
            models: models.mapValues(\.values), requests: Dictionary(uniqueKeysWithValues: requests.map { ($0.key, $0.count) }),
            fallbacks: fallbacks)
    }
}

/// A model's counters on one event loop.
final class ModelCounters {
    var answered = 0
    /// By reason, one of a fixed set of words.
    var failures: [String: Int] = [:]
    var reported = TokenCount()
    var estimated = TokenCount()
    /// US dollars.
    var cost = 0.0

    var values: MetricValues.Model {
        MetricValues.Model(answered: answered, failures: failures, reported: reported, estimated: estimated, cost: cost)
    }
}

package struct ModelName: Hashable, Sendable {
    package var provider: String
    package var model: String
}

package struct TokenCount: Sendable {
    package var prompt = 0
    package var completion = 0

    mutating func add(_ usage: Usage) {
        prompt &+= usage.promptTokens ?? 0
        completion &+= usage.completionTokens ?? 0
    }

    mutating func add(_ other: TokenCount) {
        prompt &+= other.prompt
        completion &+= other.completion
    }
}

/// Counters since start, keyed by names that the policy or the program gives, never by what a client sent.
package struct MetricValues: Sendable {
    package struct Model: Sendable {
        package var answered: Int
        package var failures: [String: Int]
        package var reported: TokenCount
        package var estimated: TokenCount
        /// US dollars.
        package var cost: Double

        mutating func add(_ other: Model) {
            answered += other.answered
            failures.merge(other.failures, uniquingKeysWith: +)
            reported.add(other.reported)
            estimated.add(other.estimated)
            cost += other.cost
        }
    }

    package struct Request: Hashable, Sendable {
        package var endpoint: String
        package var status: Int
    }

    package var models: [ModelName: Model] = [:]
    package var requests: [Request: Int] = [:]
    /// Answers that a fallback gave, by route.
    package var fallbacks: [String: Int] = [:]
    /// Calls under way; a gauge.
    package var activeCalls = 0

    package mutating func add(_ other: MetricValues) {
        models.merge(other.models) { mine, others in
            var sum = mine
            sum.add(others)
            return sum
        }
        requests.merge(other.requests, uniquingKeysWith: +)
        fallbacks.merge(other.fallbacks, uniquingKeysWith: +)
        activeCalls += other.activeCalls
    }
}
