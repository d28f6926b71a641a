import Engine
import HTTPWire
import ProviderKit

/// What happened with a model: on one event loop since the start, or on all.
package struct ModelCounters: Sendable {
    package private(set) var succeeded = 0
    /// Attempts that lost to another one, or whose client left.
    private(set) var cancelled = 0
    /// Keyed by the failure's reason, which is one of a fixed set.
    package private(set) var failures: [String: Int] = [:]
    /// Responses that ended with a finish reason which the plugin doesn't know.
    private(set) var unknownFinishReasons = 0
    /// Requests that were sent again because the upstream had closed a kept connection without a response.
    private(set) var replays = 0
    /// Refused requests that were sent again with a repair.
    private(set) var repairs = 0
    private(set) var reported = TokenCounts()
    private(set) var estimated = TokenCounts()
    /// Calls that the model served, and whose tokens the provider didn't report.
    private(set) var withoutUsage = 0
    /// Of transcribed audio.
    private(set) var audioSeconds = 0.0
    /// US dollars.
    private(set) var cost = 0.0
    /// Requests that the model served without a known cost.
    private(set) var unpriced = 0
    /// Streams that have ended, by how.
    private(set) var streams: [StreamEnd: Int] = [:]
    /// From the arrival of requests to the end of their complete responses.
    private(set) var duration = Histogram(.response)
    /// From the arrival of requests to the first content of their streams.
    private(set) var firstToken = Histogram(.firstToken)
    /// From the first content of complete streams to their end, for each token after the first.
    private(set) var perOutputToken = Histogram(.outputToken)

    /// How a stream ended after its first content.
    enum StreamEnd: String, CaseIterable {
        case completed, broken
        /// The client left, or the process was stopped.
        case cancelled
    }

    mutating func countRepeat(isRepair: Bool) { if isRepair { repairs &+= 1 } else { replays &+= 1 } }

    /// - Parameter failure: nil if the attempt succeeded.
    mutating func countAttempt(_ failure: FailedAttempt?, hasUnknownFinishReason: Bool) {
        if let failure {
            if failure.isCancelled { cancelled &+= 1 } else { failures[failure.reason, default: 0] &+= 1 }
        } else {
            succeeded &+= 1
            if hasUnknownFinishReason { unknownFinishReasons &+= 1 }
        }
    }

    /// Counts a call that the model served, completely or in part.
    ///
    /// - Parameter trace: the sampled trace of the call; nil if there is none.
    mutating func countCall(_ record: CallRecord, _ tokens: TokenCounts, trace: TraceContext? = nil) {
        if record.usage.source == .reported { reported.add(tokens) } else { estimated.add(tokens) }
        if record.usage.source == .estimated { withoutUsage &+= 1 }
        audioSeconds += record.usage.usage.audioSeconds ?? 0
        if let cost = record.cost { self.cost += cost } else { unpriced &+= 1 }
        let total = record.totalTime.wholeMicroseconds
        if record.failure == nil { duration.observe(microseconds: total, trace: trace) }
        guard record.failure == nil, let first = record.firstContentTime?.wholeMicroseconds, record.usage.source == .reported,
            let completion = record.usage.usage.completionTokens, completion > 1
        else { return }
        perOutputToken.observe(microseconds: max(0, total &- first) / (completion &- 1), trace: trace)
    }

    /// Counts a stream of which the client has the model's content.
    ///
    /// - Parameter firstContentTime: from the request's arrival to its first content; nil if that came from another
    ///   model.
    mutating func countStream(_ end: StreamEnd, firstContentTime: Duration?, trace: TraceContext?) {
        streams[end, default: 0] &+= 1
        if let time = firstContentTime { firstToken.observe(microseconds: time.wholeMicroseconds, trace: trace) }
    }

    mutating func add(_ other: ModelCounters) {
        succeeded &+= other.succeeded
        cancelled &+= other.cancelled
        failures.merge(other.failures, uniquingKeysWith: &+)
        unknownFinishReasons &+= other.unknownFinishReasons
        replays &+= other.replays
        repairs &+= other.repairs
        reported.add(other.reported)
        estimated.add(other.estimated)
        withoutUsage &+= other.withoutUsage
        audioSeconds += other.audioSeconds
        cost += other.cost
        unpriced &+= other.unpriced
        streams.merge(other.streams, uniquingKeysWith: &+)
        duration.add(other.duration)
        firstToken.add(other.firstToken)
        perOutputToken.add(other.perOutputToken)
    }
}
