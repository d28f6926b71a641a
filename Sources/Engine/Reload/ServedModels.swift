package import RoutingPolicy

/// The models that a request may be sent to: those of the policy, in its order, and after them those of the request
/// that the policy doesn't list.
package struct ServedModels: Sendable {
    /// The models of the policy.
    let listed: [ModelDefinition]
    /// Empty for most requests.
    let unlisted: [UnlistedModel]

    init(_ listed: [ModelDefinition], unlisted: [UnlistedModel] = []) {
        self.listed = listed
        self.unlisted = unlisted
    }

    package var indices: Range<Int> { 0..<listed.count + unlisted.count }

    package subscript(index: Int) -> ModelDefinition {
        _read {
            if index < listed.count { yield listed[index] } else { yield unlisted[index - listed.count].definition }
        }
    }

    /// The model of the request with this index; nil for a model of the policy.
    func unlisted(_ index: Int) -> UnlistedModel? { index < listed.count ? nil : unlisted[index - listed.count] }
}

/// A model of one request that the policy doesn't list.
struct UnlistedModel: Sendable {
    let definition: ModelDefinition
    /// The wildcard that stands for the model, an index into the policy's models; nil for a `fallback_model`.
    let wildcard: Int?
    let timeouts: Timeouts
    let retry: Retry
    let state: ModelState
}
