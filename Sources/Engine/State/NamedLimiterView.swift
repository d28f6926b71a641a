import NIOCore

/// The limits of a model, a provider or a key, and what is left of them.
package struct NamedLimiterView: Sendable {
    package enum Scope: String, Sendable {
        case model, provider, key
    }

    package var scope: Scope
    /// nil for a key.
    package var provider: String?
    package var name: String
    package var view: LimiterView
}

extension Snapshot {
    /// The limits of the policy's models, providers and keys, as far as they have any.
    package var limiterViews: [NamedLimiterView] {
        let now = NIODeadline.now()
        var views: [NamedLimiterView] = []
        func add(_ scope: NamedLimiterView.Scope, provider: String? = nil, _ name: String, _ limiter: Limiter?) {
            if let limiter { views.append(NamedLimiterView(scope: scope, provider: provider, name: name, view: limiter.view(now: now))) }
        }
        for state in states.models { add(.model, provider: state.key.provider, state.key.name, state.limits.own) }
        for provider in policy.providers { add(.provider, provider: provider.name, provider.name, states.providerLimiters[provider.name]) }
        for key in policy.keys { add(.key, key.name, states.keyLimiters[key.name]) }
        return views
    }
}
