import RoutingPolicy

/// A model of one request that the policy doesn't list.
///
/// An object, because each look at a model asks whether it is one, and an optional struct of this size is copied then.
final class UnlistedModel: Sendable {
    let definition: ModelDefinition
    /// The wildcard that stands for the model, an index into the policy's models; nil for a `fallback_model`.
    let wildcard: Int?
    let timeouts: Timeouts
    let retry: Retry
    let state: ModelState

    init(definition: ModelDefinition, wildcard: Int?, timeouts: Timeouts, retry: Retry, state: ModelState) {
        self.definition = definition
        self.wildcard = wildcard
        self.timeouts = timeouts
        self.retry = retry
        self.state = state
    }
}
