import RoutingPolicy

/// A model of one request that the policy doesn't list.
struct UnlistedModel: Sendable {
    let definition: ModelDefinition
    /// The wildcard that stands for the model, an index into the policy's models; nil for a `fallback_model`.
    let wildcard: Int?
    let timeouts: Timeouts
    let retry: Retry
    let state: ModelState
}
