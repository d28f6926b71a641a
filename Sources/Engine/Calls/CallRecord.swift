package import ProviderKit

/// The record of one call: the source of `_router`, the response headers, the access log and the metrics.
/// It is filled in while the call runs, on the call's event loop.
package final class CallRecord {
    /// The provider of the running attempt, or of the attempt that succeeded. nil before the first attempt.
    package var provider: String?
    /// The model of the same attempt.
    package var model: String?
    /// The provider's own name of the model that made the response, without secrets, if the provider itself fell back
    /// to another of its models. nil otherwise.
    package var servingModel: String?
    package let route: String?
    /// The names in the request's `model` that were skipped, because they are unknown or the key may not use them.
    package let skippedNames: [String]
    /// The number of attempts that have been started.
    package var attempts = 0
    package var isFallback = false
    /// The failed attempts and the refusals that were repaired, in the order in which they happened.
    package var errors: [FailedAttempt] = []
    /// The models that were not available when it was their turn, and were not called later.
    package var skipped: [SkippedModel] = []
    /// The upstream's own id of the request that succeeded or is streamed; nil if it sent none.
    package var upstreamRequestID: String?
    /// What the attempts' spans say of their responses, by the ids of the spans; empty unless they are exported.
    package var identities: [UInt64: ResponseIdentity] = [:]
    /// The fields of the last upstream's head that go to the client.
    package var upstreamFields: [HTTPField] = []
    /// Whether a hedge ran beside the first attempt.
    package var isHedged = false
    /// Whether a request was sent again because the upstream had closed a kept connection without a response.
    package var isReplayed = false
    /// The failed attempts.
    package var failures: [FailedAttempt] { errors.contains { $0.repair != nil } ? errors.filter { $0.repair == nil } : errors }
    /// Whether the response was checked to be JSON, as `valid_json` demands. The client then gets it without a
    /// code fence.
    package var hasValidJSON = false
    /// Whether another model may continue the stream if it breaks.
    package var mayResume = false
    /// The points at which another model continued a broken stream.
    package var resumePoints: [ResumePoint] = []
    /// US dollars; nil if no price is known.
    package var cost: Double?
    /// The running attempt, or the one that succeeded: its model, an index into the models of the call's policy, and
    /// its start after the request's arrival. nil before the first attempt.
    package var presented: (model: Int, start: Duration)?
    /// The breakers that the call's attempts have opened; empty if the call isn't traced.
    package var openedBreakers: [OpenedBreaker] = []
    /// What attempts have cost whose responses the client did not get.
    package var lost = Spending()
    /// The model of the last of these attempts, an index into the policy's models.
    package var lostModel: Int?
    /// What the call has cost its key: all of its attempts together.
    package var spending: Spending {
        var sum = lost
        sum += Spending(dollars: cost ?? 0, tokens: knownUsage?.totalTokens ?? 0)
        return sum
    }
    /// The digest of the policy that serves the call.
    package let config: String
    package var usage = UsageReport()
    /// The usage, reported or estimated; nil if there was no response.
    package var knownUsage: Usage? { usage.source == .unknown ? nil : usage.usage }
    /// From the end of the request's body to the plan.
    package var planTime: Duration = .zero
    /// From the request's arrival to the first byte of the response head of the attempt that succeeded.
    package var firstByteTime: Duration?
    /// From the start of that attempt to the same byte: the upstream's share of `firstByteTime`.
    package var upstreamTime: Duration?
    /// From the request's arrival to the first content of the stream; nil for a non-streamed response.
    package var firstContentTime: Duration?
    /// How long the call waited in queues for a slot of its key, of a model or of a provider.
    package var queueTime: Duration = .zero
    /// The class of the failure that ended the call; nil while it runs, and if its response is complete.
    package var failure: FailureClass?
    /// From the request's arrival to the end of the call. Set just before `finish` or `fail`.
    package var totalTime: Duration = .zero

    package init(route: String? = nil, skippedNames: [String] = [], config: String) {
        self.route = route
        self.skippedNames = skippedNames
        self.config = config
    }
}

/// An attempt that failed.
package struct FailedAttempt: Sendable {
    /// An index into the models of the call's policy.
    package var index: Int
    package var provider: String
    package var model: String
    package var error: ProviderError
    /// The failure class, or the timer of a timeout (`timeout_first_byte`). One of a fixed set of values.
    package var reason: String
    /// From the request's arrival to the start of the attempt.
    package var start: Duration
    package var duration: Duration
    /// The repair with which the request was sent to the same model again, as a part of the same attempt; nil if the
    /// attempt ended here.
    package var repair: String?
    /// Where the request went, without its query; nil if none was made, or inside the process.
    package var url: String?
    /// The upstream's own id of the request; nil if it sent none.
    package var requestID: String?
    /// From the request's arrival to the first content that the client has of the attempt; nil if it has none, or if
    /// the response isn't streamed.
    package var firstContentTime: Duration?
    /// Whether it only lost to another attempt or to the client's patience, so that it says nothing about its model.
    package var isCancelled: Bool { error.failure == .cancelled }
}

/// A breaker that a failed attempt has opened.
package struct OpenedBreaker: Sendable {
    package var provider: String
    /// nil for the breaker of the provider's account.
    package var model: String?
    /// After the request's arrival.
    package var time: Duration
}

/// A model that was not available when it was its turn.
package struct SkippedModel: Sendable {
    package var provider: String
    package var model: String
    /// The state, in the words of `explain`.
    package var why: String
    /// The end of this state, in seconds since 1970; nil if it is not known.
    package var until: Int?

    init(provider: String, model: String, _ availability: Availability) {
        (self.provider, self.model) = (provider, model)
        why = availability.label
        until = availability.until.map(WallClock.second(at:))
    }
}

/// A point in a streamed response at which another model continued it.
package struct ResumePoint: Sendable, Equatable {
    /// The provider whose stream broke.
    package var provider: String
    /// The model whose stream broke.
    package var model: String
    /// UTF-8 bytes of text before the resume point.
    package var textBytes: Int
    /// From the request's arrival to the first content of the model that continues.
    package var time: Duration
}

/// The tokens of a call, and how they are known.
package struct UsageReport: Sendable, Equatable {
    package enum Source: String, Sendable {
        /// The provider reported them.
        case reported
        /// Estimated from the bytes that passed: the provider reported nothing, or the response was cut off.
        case estimated
        /// Estimated from the bytes that were delivered: the client left before the end.
        case delivered
        /// There was no response.
        case unknown
    }

    package var usage = Usage()
    package var source = Source.unknown
    /// The model that the tokens count for, an index into the policy's models; nil if there was no response.
    package var model: Int?
}
