package import ProviderKit
package import RoutingPolicy

/// What the engine makes of a request before it sends anything: the models in the order in which they may be asked, and the bounds.
package struct Plan: Sendable, Equatable {
    /// The route's name in `_router` and logs; nil where the caller named a model.
    package var route: String?
    package var tries: [Int]
    package var fallback: [Int]
    package var fallbackOn: [FailureClass: [Int]]
    package var maxModels: Int
    package var maxAttempts: Int
    /// The caller named one model: its provider's answer stands.
    package var isNamed: Bool
    /// Over all attempts and waits.
    package var total: Duration
    /// The route's own timeouts, above each model's; nil where it has none.
    package var routeTimeouts: TimeoutOverrides?
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
}
