package import Engine
import NIOCore
package import ProviderKit

/// The counters of one event loop. Only that loop writes them; a scrape collects a copy from each loop.
package final class LoopMetrics: CallObserver {
    private var models: [ModelName: ModelCounters] = [:]
    /// The counters that were used last, by the model's index in its policy, which saves a look-up by name.
    private var recent: [ModelCounters?] = []
    /// At most a few dozen entries. The most frequent ones appear early, so a linear search finds them fast.
    private var requests: [(key: MetricValues.Request, count: Int)] = []
    private var fallbacks: [String: Int] = [:]
    private var activeCalls = 0

    package init() {}

    package func began(_ call: RunningCall) { activeCalls += 1 }

    package func repeated(_ attempt: AttemptView, with repair: Repair?) {
        let counters = counters(ofModel: attempt.model, in: attempt.call)
        if repair == nil { counters.replays += 1 } else { counters.repairs += 1 }
    }

    package func attemptEnded(_ attempt: AttemptView, _ failure: FailedAttempt?) {
        let counters = counters(ofModel: attempt.model, in: attempt.call)
        if let failure {
            counters.failures[failure.reason, default: 0] += 1
        } else {
            counters.succeeded += 1
            if attempt.hasUnknownFinishReason { counters.unknownFinishReasons += 1 }
        }
    }

    package func ended(_ call: RunningCall, _ failure: CallFailure?) {
        activeCalls -= 1
        let record = call.record
        if failure == nil, record.isFallback { fallbacks[record.route ?? "", default: 0] += 1 }
        guard let model = record.usage.model else { return }
        let counters = counters(ofModel: model, in: call)
        if record.usage.source == .reported {
            counters.reported.add(record.usage.usage)
        } else {
            counters.estimated.add(record.usage.usage)
        }
        if let cost = record.cost { counters.cost += cost }
    }

    package func ended(_ request: borrowing RequestRecord) {
        let status = request.status, endpoint = request.endpoint
        if let known = requests.firstIndex(where: { $0.key.status == status && $0.key.endpoint == endpoint }) {
            requests[known].count += 1
        } else {
            requests.append((.init(endpoint: endpoint, status: status), 1))
        }
    }

    /// The counters of a model. They continue over all policies that contain it.
    private func counters(ofModel index: Int, in call: RunningCall) -> ModelCounters {
        let name = call.snapshot.metricName(ofModel: index)
        if index < recent.count, let counters = recent[index], counters.name == name { return counters }
        let counters = models[name] ?? ModelCounters(name)
        models[name] = counters
        while recent.count <= index { recent.append(nil) }
        recent[index] = counters
        return counters
    }

    var values: MetricValues {
        MetricValues(
            models: models.mapValues(\.values), requests: Dictionary(uniqueKeysWithValues: requests.map { ($0.key, $0.count) }),
            fallbacks: fallbacks, activeCalls: activeCalls)
    }
}

extension Engine {
    /// The sums of the counters of all event loops.
    package func metrics() async -> MetricValues {
        var sum = MetricValues()
        for loop in loops {
            let values = try? await loop.eventLoop.submit { loop.observers.compactMap { ($0 as? LoopMetrics)?.values } }.get()
            for values in values ?? [] { sum.add(values) }
        }
        sum.droppedLogLines = loops.first?.observers.lazy.compactMap { ($0 as? AccessLog)?.droppedLines }.first ?? 0
        return sum
    }
}

/// The counters of a model on one event loop.
final class ModelCounters {
    let name: ModelName
    var succeeded = 0
    /// Keyed by the failure's reason, which is one of a fixed set.
    var failures: [String: Int] = [:]
    /// Responses that ended with a finish reason which the plugin doesn't know.
    var unknownFinishReasons = 0
    /// Requests that were sent again because the upstream had closed a kept connection without a response.
    var replays = 0
    /// Refused requests that were sent again with a repair.
    var repairs = 0
    var reported = TokenCount()
    var estimated = TokenCount()
    /// US dollars.
    var cost = 0.0

    init(_ name: ModelName) { self.name = name }

    var values: MetricValues.Model {
        MetricValues.Model(
            succeeded: succeeded, failures: failures, unknownFinishReasons: unknownFinishReasons, replays: replays, repairs: repairs,
            reported: reported, estimated: estimated, cost: cost)
    }
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

/// Counters since the start of the process. Their keys come from the policy or the program, never from a client.
package struct MetricValues: Sendable {
    package struct Model: Sendable {
        package var succeeded: Int
        package var failures: [String: Int]
        package var unknownFinishReasons: Int
        package var replays: Int
        package var repairs: Int
        package var reported: TokenCount
        package var estimated: TokenCount
        /// US dollars.
        package var cost: Double

        mutating func add(_ other: Model) {
            succeeded += other.succeeded
            failures.merge(other.failures, uniquingKeysWith: +)
            unknownFinishReasons += other.unknownFinishReasons
            replays += other.replays
            repairs += other.repairs
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
    /// Responses that a fallback served, by route.
    package var fallbacks: [String: Int] = [:]
    /// Calls in progress; a gauge.
    package var activeCalls = 0
    /// Lines that the access log has dropped.
    package var droppedLogLines = 0

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
