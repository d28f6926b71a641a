package import ProviderKit
package import RoutingPolicy

/// What the router would do with a request, and why. Nothing is asked, and nothing is counted, to make one.
package struct Explanation: Sendable, Equatable {
    package var request: Request
    /// The policy's digest.
    package var config: String
    package var outcome: Outcome
    /// The models that the request leads to and that are not asked, each once, with the rule that leaves it out.
    package var leftOut: [LeftOut]

    package enum Outcome: Sendable, Equatable {
        case planned(Course)
        case refused(RequestRefusal)
    }

    /// What was planned.
    package struct Request: Sendable, Equatable {
        /// As the request names them; empty: none, which means `auto`.
        package var models: [String]
        package var needs: RequestNeeds
        /// Of the request and, below it, of its key.
        package var fields: RoutingOverrides
        package var client: Client
        /// Of the key's own limits.
        package var clientState: State
    }

    package enum Client: Sendable, Equatable {
        case key(String)
        /// The policy has keys; this explanation is for none of them, and everything may be reached.
        case anyone
        /// The policy has no keys.
        case open
    }

    /// The attempts of a call that nobody answers, and their bounds.
    package struct Course: Sendable, Equatable {
        /// nil where the client named a model.
        package var route: String?
        /// In order. The first that is not down answers where its provider does.
        package var attempts: [Attempt]
        /// Why none follows the last of them, and the status that the client gets then.
        package var ending: ExplanationWalk.Ending
        package var status: Int
        /// The chains of `fallback_on`, which only their own failure leads to.
        package var chains: [Attempt]
        package var maxModels: Int
        package var maxAttempts: Int
        /// Over all attempts and waits.
        package var total: Duration
        package var hedge: Hedge?
        package var resumes: Bool
        /// nil: neither chance nor a turn decided anything.
        package var seed: UInt64?
    }

    package struct Attempt: Sendable, Equatable {
        package var model: Model
        package var part: Part
        package var reason: Reason
        package var state: State
        /// The same model once more.
        package var isRetry: Bool
        /// Before it begins, from the end of the attempt before it.
        package var wait: Duration
        package var timeouts: Timeouts
        package var retry: Retry
    }

    package struct Model: Sendable, Hashable {
        package var provider: String
        package var name: String

        package var label: String { "\(provider)/\(name)" }
    }

    /// Where in the policy, or in the request, a model stands.
    package enum Part: Sendable, Equatable {
        case named
        case `try`(route: String)
        case fallback
        /// `fallback_model` of the request.
        case requestedFallback
        case fallbackOn(FailureClass)
    }

    /// Why a model stands where it does.
    package struct Reason: Sendable, Equatable {
        package var order: Order
        /// With the numbers that decided: `weighted: 5 x 0.98 x 3.1 = 15.2 (62 %)`.
        package var words: String
        /// What the order compares; nil where it compares nothing.
        package var score: Double?
        /// 0 to 1: how likely the draw is to give it the first place.
        package var share: Double?
    }

    /// Whether a model may be asked now, as far as is known; the durations count from now.
    package enum State: Sendable, Equatable {
        case ready
        case probe, probing
        case open(Duration)
        case coolingDown(Duration)
        case limited(Duration)
        case full
        /// Taken to be unreachable, for this explanation.
        case down
    }

    package struct LeftOut: Sendable, Equatable {
        package var model: Model
        package var rule: String
    }
}

/// What a client is told who gets no response.
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
