package import Engine
import ProviderKit

/// The counters of a model on one event loop.
final class ModelCounters {
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
    /// Of transcribed audio.
    var audioSeconds = 0.0
    /// US dollars.
    var cost = 0.0
    /// Requests that the model served without a known cost.
    var unpriced = 0

    var values: MetricValues.Model {
        MetricValues.Model(
            succeeded: succeeded, failures: failures, unknownFinishReasons: unknownFinishReasons, replays: replays, repairs: repairs,
            reported: reported, estimated: estimated, audioSeconds: audioSeconds, cost: cost, unpriced: unpriced)
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
        package var audioSeconds: Double
        /// US dollars.
        package var cost: Double
        package var unpriced: Int

        mutating func add(_ other: Model) {
            succeeded += other.succeeded
            failures.merge(other.failures, uniquingKeysWith: +)
            unknownFinishReasons += other.unknownFinishReasons
            replays += other.replays
            repairs += other.repairs
            reported.add(other.reported)
            estimated.add(other.estimated)
            audioSeconds += other.audioSeconds
            cost += other.cost
            unpriced += other.unpriced
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
    /// Lines that the access log, which all event loops share, has dropped.
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
        droppedLogLines = max(droppedLogLines, other.droppedLogLines)
    }
}
