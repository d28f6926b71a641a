package import ProviderKit
package import RoutingPolicy

/// What the planner is asked: the request's wishes, its needs, and what its key may reach.
package struct PlanRequest: Sendable {
    /// The request's `model`: one name, a list of them in order, or none.
    package let models: [String]
    package let needs: RequestNeeds
    /// The request's own fields, over its key's defaults; nil: none was given, as is usual.
    package let own: OverridesBox?
    /// nil: everything.
    package let scope: ModelScope?

    package init(models: [String] = [], needs: RequestNeeds = RequestNeeds(), own: OverridesBox? = nil, scope: ModelScope? = nil) {
        self.models = models
        self.needs = needs
        self.own = own
        self.scope = scope
    }

    package var fields: RoutingOverrides {
        get { own?.fields ?? RoutingOverrides() }
        set { self = PlanRequest(models: models, needs: needs, own: OverridesBox(newValue), scope: scope) }
    }
}

/// What the engine makes of a request before it sends anything: the models in the order in which they may be asked, and the bounds.
package struct Plan: Sendable, Equatable {
    /// A selector gives at most so many candidates: of more none would be reached.
    static let maxCandidates = 8

    /// The route's name in `_router` and logs; nil where the client named a model.
    package var route: String?
    /// Indices into the policy's models. Those that a selector ranked stand before those of it that rest, or are at a limit.
    package var tries: [Int] = []
    package var fallback: [Int] = []
    package var fallbackOn: [FailureClass: [Int]] = [:]
    package var maxModels: Int
    package var maxAttempts: Int
    /// The client named one model: its provider's response stands.
    package var isNamed: Bool
    /// Over all attempts and waits.
    package var total: Duration
    /// The route whose own timeouts stand above each model's, an index into the policy's; nil where there are none.
    package var timedByRoute: Int?
    /// The request's and the route's, above each model's.
    package var retry = RetryOverrides()
    /// The route's, above its provider's.
    package var failover = Failover()
    package var hedge: Hedge?
    package var resumes = false
}

/// Why there is no plan.
package enum PlanRefusal: Error, Equatable {
    /// No route or model has this name.
    case unknown(String)
    /// The key may not reach it; said of unknown names too, so that names can't be probed.
    case forbidden(String)
    /// All its providers are off, for want of these environment variables.
    case off([String])
    /// The route has no model at all.
    case empty(String)
    /// No candidate can do what the request asks for: each with the condition that it failed.
    case unfit(String, [OmittedModel])
}

/// A model that a plan leaves out, and the rule that left it out.
package struct OmittedModel: Sendable, Equatable {
    /// Index into the policy's models.
    package var model: Int
    package var rule: Omission
}

package enum Omission: Sendable, Equatable {
    /// Its provider is off for want of these environment variables.
    case off([String])
    /// The key may not use it.
    case scope
    /// A condition of the selector, in the policy's words.
    case condition(String)
    /// A field of the request, in its words.
    case field(String)
    /// The request has something that the model doesn't support.
    case need(Capability)
    /// Tokens: the estimated prompt and `max_tokens` against `context`.
    case context(needed: Int, has: Int)
    /// Tokens: `max_tokens` against `max_output`.
    case output(needed: Int, has: Int)
    case successRate(Double, min: Double)
    /// It fits, but more than `maxCandidates` rank before it.
    case outranked
}

extension Omission: CustomStringConvertible {
    package var description: String {
        switch self {
        case .off(let variables): "its provider is off: \(variables.joined(separator: ", ")) unset"
        case .scope: "the key may not use it"
        case .condition(let condition): "selector: \(condition)"
        case .field(let field): "request: \(field)"
        case .need(let capability): "it doesn't support \(capability.rawValue)"
        case .context(let needed, let has): "the request needs about \(needed) tokens of context, it has \(has)"
        case .output(let needed, let has): "the request asks for \(needed) tokens of output, it gives \(has)"
        case .successRate(let rate, let min): "success rate \(Int((rate * 100).rounded())) % is below \(Int((min * 100).rounded())) %"
        case .outranked: "\(Plan.maxCandidates) others rank before it"
        }
    }
}
