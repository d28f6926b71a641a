/// Names a provider, or one of its models, in the same way in all routers.
package struct SharedName: Sendable, Hashable {
    package var provider: String
    /// The model's name and its name at the upstream; nil for what concerns the provider as a whole: its limits, and
    /// the breaker of its account.
    package var model: String?
    package var upstream: String?

    package init(provider: String, model: String? = nil, upstream: String? = nil) {
        (self.provider, self.model, self.upstream) = (provider, model, upstream)
    }

    init(_ key: ModelStateKey) { self.init(provider: key.provider, model: key.name, upstream: key.upstream) }
}
