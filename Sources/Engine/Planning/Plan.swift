package import ProviderKit
package import RoutingPolicy

/// The input of the planner: the request's operation, model, needs and routing overrides, and the models that its key
/// may use.
package struct PlanRequest: Sendable {
    package let operation: ProviderKit.Operation
    /// The names in the request's `model`, in order; empty if it names none.
    package let models: [String]
    package let needs: RequestNeeds
    /// How many responses, or images, the request asks for (`n`).
    package let choices: Int
    /// The request's routing overrides, combined with the defaults of its key; nil if there are none, as is usual.
    package let overrides: OverridesBox?
    /// The models and routes that the key may use; nil: all of them.
    package let scope: ModelScope?
    /// Whether only models with a price may serve the request.
    package let needsPrice: Bool
    /// nil if the policy has no conditions and no sticky routes.
    package let traits: RequestTraits?

    package init(
        operation: ProviderKit.Operation = .chat, models: [String] = [], needs: RequestNeeds = RequestNeeds(), choices: Int = 1,
        overrides: OverridesBox? = nil, scope: ModelScope? = nil, needsPrice: Bool = false, traits: RequestTraits? = nil
    ) {
        self.operation = operation
        self.models = models
        self.needs = needs
        self.choices = choices
        self.overrides = overrides
        self.scope = scope
        self.needsPrice = needsPrice
        self.traits = traits
    }

    /// The routing overrides as a value; all of its fields are nil if there are none.
    package var fields: RoutingOverrides {
        get { overrides?.fields ?? RoutingOverrides() }
        set {
            self = PlanRequest(
                operation: operation, models: models, needs: needs, choices: choices, overrides: OverridesBox(newValue), scope: scope,
                needsPrice: needsPrice, traits: traits)
        }
    }
}

/// The decisions about a request before anything is sent: the candidates in their order, and the bounds of the call.
package struct Plan: Sendable, Equatable {
    /// The most candidates that a selector contributes. A call would not reach more of them.
    static let maxCandidates = 8

    /// The route's name in `_router` and in logs; nil if the client named a model.
    package var route: String?
    /// Candidates of `try`, as indices into the policy's models. Within a selector, the unavailable models come last.
    package var tries: [Int] = []
    package var fallback: [Int] = []
    package var fallbackOn: [FailureClass: [Int]] = [:]
    package var maxModels: Int
    package var maxAttempts: Int
    /// Whether the client named one model. Then most failures keep the status that the upstream sent.
    package var isNamed: Bool
    /// The timeout for all attempts and waits together.
    package var total: Duration
    /// The timeout of each attempt that the request sets; nil if it sets none.
    package var attemptTimeout: Duration?
    /// The names in the request's `model` that no route or model has, or that its key may not use.
    package var skippedNames: [String] = []
    /// The index of the route whose timeouts override those of each model; nil if no route overrides them.
    package var timeoutRoute: Int?
    /// The settings of the request and the route, which override those of each model.
    package var retry = RetryOverrides()
    /// The settings of the route, which override those of each provider.
    package var failover = Failover()
    package var hedge: Hedge?
    package var resumes = false
    /// The route's `valid_json`, which overrides each model's.
    package var validJSON: Bool?
    /// The request's conversation, if the route remembers which model serves it.
    package var conversation: Conversation?
}

extension Plan {
    /// Leaves one attempt at the first candidate, with nothing beside or after it.
    ///
    /// - Returns: the candidate, an index into the policy's models.
    package mutating func keepFirstCandidate() -> Int? {
        guard let first = tries.first ?? fallback.first else { return nil }
        (tries, fallback, fallbackOn) = ([first], [], [:])
        (maxModels, maxAttempts, hedge, resumes, validJSON, conversation) = (1, 1, nil, false, nil, nil)
        return first
    }
}

/// The reason why there is no plan.
package enum PlanRefusal: Error, Equatable {
    /// No route or model has this name.
    case unknown(String)
    /// The key may not use this name. Unknown names get the same refusal, so that a client cannot probe for names.
    case forbidden(String)
    /// All of its providers are off because these environment variables are unset.
    case off([String])
    /// The route contains no model at all.
    case empty(String)
    /// No candidate fits the request. Each one is listed with the first condition that it fails.
    case unfit(String, [OmittedModel])
}

/// A model that a plan leaves out, and the rule that excludes it.
package struct OmittedModel: Sendable, Equatable {
    /// An index into the policy's models.
    package var model: Int
    package var rule: Omission
}

/// The rule that excludes a model from a plan.
package enum Omission: Sendable, Equatable {
    /// Its provider is off because these environment variables are unset.
    case off([String])
    /// The key may not use the model.
    case scope
    /// The model has no price, and the key's budget in US dollars is hard.
    case unpriced
    /// A condition of the selector, as routes.yaml writes it.
    case condition(String)
    /// A routing override of the request, as the request writes it.
    case requested(String)
    /// The model is for other operations.
    case operation(ProviderKit.Operation, serves: OperationSet)
    /// The vectors of two models don't mix, and those of this request come from the model with this name.
    case otherVectors(than: String)
    /// The request needs a capability that the model does not have.
    case capability(Capability)
    /// The request has a part of an unknown type, and the model supports text only.
    case medium
    /// The estimated prompt plus `max_tokens` exceeds the model's `context`. Both are in tokens.
    case context(needed: Int, available: Int)
    /// The request's `max_tokens` exceeds the model's `max_output`. Both are in tokens.
    case output(needed: Int, available: Int)
    case successRate(Double, min: Double)
    /// The model fits, but `maxCandidates` others rank higher.
    case outranked
}

extension Omission: CustomStringConvertible {
    package var description: String {
        switch self {
        case .off(let variables): "provider off: \(variables.joined(separator: ", ")) \(variables.count == 1 ? "is" : "are") unset"
        case .scope: "not allowed for this key"
        case .unpriced: "has no price, which this key's budget needs"
        case .condition(let condition): "selector: \(condition)"
        case .requested(let field): "request: \(field)"
        case .operation(let operation, let served): "serves \(served.inWords), not \(operation.rawValue)"
        case .otherVectors(let name): "its vectors don't mix with those of '\(name)'"
        case .medium: "supports text only"
        case .capability(let capability): "does not support \(capability.rawValue)"
        case .context(let needed, let available): "context of \(available) tokens is too small: about \(needed) are needed"
        case .output(let needed, let available): "max_output of \(available) tokens is too small: \(needed) are requested"
        case .successRate(let rate, let min): "success rate \(Int((rate * 100).rounded())) % is below \(Int((min * 100).rounded())) %"
        case .outranked: "\(Plan.maxCandidates) other candidates rank higher"
        }
    }
}
