package import ProviderKit
package import RoutingPolicy

/// What the router would do with a request, and why. Creating one calls no upstream and counts nothing.
package struct Explanation: Sendable, Equatable {
    package var request: Request
    /// The digest of the policy.
    package var config: String
    package var outcome: Outcome
    /// The models that the request's names lead to but that are not called, each once with the rule that excludes it.
    package var leftOut: [LeftOut]

    package enum Outcome: Sendable, Equatable {
        case planned(PlannedCall)
        case refused(RequestRefusal)
    }

    /// The request that was planned.
    package struct Request: Sendable, Equatable {
        package var operation: ProviderKit.Operation
        /// The names in the request's `model`; empty means `auto`.
        package var models: [String]
        package var needs: RequestNeeds
        /// The routing overrides of the request, combined with the defaults of its key.
        package var overrides: RoutingOverrides
        package var key: Key
        /// The state of the key's own limits.
        package var keyState: State
    }

    /// The key that sends the request.
    package enum Key: Sendable, Equatable {
        case named(String)
        /// The policy has keys, but the explanation is for none of them: every model is allowed.
        case notGiven
        /// The policy has no keys: every model is allowed.
        case noneDefined
    }

    /// The attempts of a call in which every attempt fails, and the bounds of that call.
    package struct PlannedCall: Sendable, Equatable {
        /// nil if the client named a model.
        package var route: String?
        /// The conditions that hold, each with the route that it replaces and the one that it leads to.
        package var replacements: [Replacement] = []
        /// nil if the route is not sticky.
        package var sticky: StickyNote?
        /// The attempts in order. The first one at a model that is not down is expected to succeed.
        package var attempts: [Attempt]
        /// Why no further attempt follows.
        package var ending: CallEnding
        /// The status that the client gets if every attempt fails.
        package var status: Int
        /// The candidates of the `fallback_on` chains, which are called only after their own kind of failure.
        package var chains: [Attempt]
        package var maxModels: Int
        package var maxAttempts: Int
        /// The timeout for all attempts and waits together.
        package var total: Duration
        /// The timeout of each attempt that the request sets; nil if it sets none.
        package var attemptTimeout: Duration?
        /// The names in the request's `model` that are unknown, or that the key may not use.
        package var skippedNames: [String]
        package var hedge: Hedge?
        package var resumes: Bool
        /// The seed of random choices and rotations; nil if there were none.
        package var seed: UInt64?
    }

    /// A condition that holds.
    package struct Replacement: Sendable, Equatable {
        package var route: String
        /// In words: `header x-team red, stream true`.
        package var condition: String
        /// The route that replaces it.
        package var use: String
    }

    /// What the route remembers of the request's conversation.
    package struct StickyNote: Sendable, Equatable {
        /// What identifies the conversation, in the words of `by`; nil if the request has none of it.
        package var identity: String?
        /// The model that last served it; nil if none is remembered.
        package var model: Model?
        /// Whether that model goes first.
        package var isPinned: Bool
    }

    package struct Attempt: Sendable, Equatable {
        package var model: Model
        package var part: Part
        package var reason: Reason
        package var state: State
        /// The keys of its provider; nil if that doesn't have several.
        package var keys: Keys?
        /// Whether the same model is called again.
        package var isRetry: Bool
        /// The time between the end of the previous attempt and the start of this one.
        package var wait: Duration
        package var timeouts: Timeouts
        package var retry: Retry
    }

    package struct Model: Sendable, Hashable {
        package var provider: String
        package var name: String

        package var label: String { "\(provider)/\(name)" }
    }

    /// The part of the policy or of the request that names a model.
    package enum Part: Sendable, Equatable {
        case named
        case `try`(route: String)
        case fallback
        /// The request's `fallback_model`.
        case requestedFallback
        /// `defaults.fallback`.
        case defaultFallback
        case fallbackOn(FailureClass)
    }

    /// The reason for a model's position.
    package struct Reason: Sendable, Equatable {
        package var order: Order
        /// The order with the numbers that decided: `weighted: 5 x 0.98 x 3.1 = 15.2 (62 %)`.
        package var text: String
        /// The number that the order compares; nil if it compares none.
        package var score: Double?
        /// The probability, from 0 to 1, that the draw puts this model first; nil if nothing is drawn.
        package var share: Double?
    }

    /// Whether a model can be called now, as far as is known. The durations count from now.
    package enum State: Sendable, Equatable {
        case ready
        case probe, probing
        case open(Duration)
        case coolingDown(Duration)
        case limited(Duration)
        case full
        /// Assumed to be unreachable for this explanation.
        case down
    }

    /// The keys of a provider that has several.
    package struct Keys: Sendable, Equatable {
        package var count: Int
        package var cooling: [CoolingKey]
    }

    /// A key that cools down.
    package struct CoolingKey: Sendable, Equatable {
        /// From 1.
        package var position: Int
        package var reason: KeyRing.Reason
        package var remaining: Duration
    }

    package struct LeftOut: Sendable, Equatable {
        package var model: Model
        package var rule: String
    }
}

/// The error response that a client gets for a request that no model serves.
package struct RequestRefusal: Error, Sendable, Equatable {
    package var status: Int
    package var code: String?
    package var message: String

    package init(status: Int, code: String?, message: String) {
        self.status = status
        self.code = code
        self.message = message
    }
}
