package import ProviderKit

/// A whole policy: what routes.yaml says, validated and resolved. A value; nothing in it changes.
package struct RoutingPolicy: Sendable {
    package var listen: [ListenAddress]
    package var server: ServerSettings
    package var timeouts: Timeouts
    package var retry = Retry()
    package var failover = Failover()
    /// What `weighted`, `fastest` and `min_success_rate` look back on: `defaults.statistics.window`.
    package var statisticsWindow: Duration = .seconds(600)
    /// How many models one request may be sent to in `try`. At least 1.
    package var maxModels: Int
    /// How many attempts one request may cost, over models and fallbacks together. At least 1.
    package var maxAttempts: Int
    /// In the file's order, as the three below.
    package var providers: [ProviderDefinition]
    package var models: [ModelDefinition]
    package var routes: [RouteDefinition]
    package var keys: [KeyDefinition]
    package var tests: [RoutingExpectation] = []
    /// Eight hex digits of a SHA-256 over all files' meaning: equal policies have equal digests.
    package var digest: String
}

/// Towards the clients. The fields are `server:`'s keys in routes.yaml.
package struct ServerSettings: Sendable, Equatable {
    /// Silence towards a streaming client before a comment is sent.
    package var keepalive: Duration = .seconds(15)
    /// A client that takes nothing for so long is cut off.
    package var writeStall: Duration = .seconds(60)
    /// From the first byte of a head (or the accept) to its end.
    package var headTimeout: Duration = .seconds(10)
    /// Between two reads of a request's body.
    package var bodyTimeout: Duration = .seconds(30)
    package var maxBodyBytes: Int = 32 << 20
    /// All events under assembly together.
    package var maxBufferedBytes: Int = 256 << 20
    package var drain: Duration = .seconds(30)
    package var preStop: Duration = .zero

    package init() {}
}

/// One model name of the policy. Two models may share `name` over providers when their keys are `provider/name`.
package struct ModelDefinition: Sendable, Equatable {
    /// The key under `models:`, as it stands.
    package var key: String
    /// What clients use: the key without its provider.
    package var name: String
    /// Index into `RoutingPolicy.providers`.
    package var provider: Int
    /// The provider's own name.
    package var upstream: String
    /// `fast` or `reasoning`; nil where none was given.
    package var type: String?
    /// Sorted, without duplicates; with those that `supports` and `type` imply.
    package var tags: [String]
    /// With `streaming`, which every model has, and with what the tag `vision` implies.
    package var supports: CapabilitySet
    /// Tokens in; nil where unknown.
    package var context: Int?
    /// Tokens out; nil where unknown.
    package var maxOutput: Int?
    package var price: Price?
    package var isHidden: Bool
    package var requestDefaults: [BodyField]
    package var requestOverrides: [BodyField]
    package var timeouts: TimeoutOverrides
    /// Its share in the order `weighted`, 0 to 1000. 0 is never drawn while another model is left.
    package var weight: Double = 1
    /// Its own, over `defaults.limits`.
    package var limits = Limits()
    package var retry = RetryOverrides()
    /// Its own, over its provider's, over the defaults'.
    package var breaker = BreakerSettings()
}

/// US dollars per million tokens.
package struct Price: Sendable, Equatable {
    package var input: Double
    package var output: Double
    /// Of prompt tokens read from a cache; nil: as `input`.
    package var cachedInput: Double?
    /// Of completion tokens spent on reasoning; nil: as `output`.
    package var reasoning: Double?
}

package struct ProviderDefinition: Sendable {
    package var name: String
    /// The kind, as `plugin:` names it.
    package var plugin: String
    /// nil: the provider is off, because the variables in `unset` are unset or empty.
    package var settings: (any ProviderSettings)?
    /// The environment variables for want of which it is off; empty otherwise.
    package var unset: [String]
    package var timeouts: TimeoutOverrides
    package var retry = RetryOverrides()
    package var failover = Failover()
    package var limits = Limits()
}

/// A plugin's validated options, with the plugin that read them.
package protocol ProviderSettings: Sendable {
    func makeProvider() -> any Provider
    /// Whether both are of one plugin and equal: then a running provider is kept over a reload.
    func isEqual(to other: any ProviderSettings) -> Bool
}

package struct RouteDefinition: Sendable, Equatable {
    package var name: String
    /// `try`, in order.
    package var steps: [RouteStep]
    /// The chain for when everything in `try` has failed.
    package var fallback: [RouteStep]
    /// Chains of their own for one kind of failure. Keys: `context_overflow`, `content_filter`.
    package var fallbackOn: [FailureClass: [RouteStep]]
    package var maxModels: Int?
    package var maxAttempts: Int?
    package var timeouts: TimeoutOverrides
    package var retry = RetryOverrides()
    package var failover = Failover()
    package var hedge: Hedge?
    /// A stream that broke after its first content may go on at another model.
    package var resumes = false
}

package enum RouteStep: Sendable, Equatable {
    /// Indices into `RoutingPolicy.models`: one, or all that share the name.
    case models([Int])
    /// Index into `RoutingPolicy.routes`. The graph of routes has no cycle.
    case route(Int)
    case selected(Selection)
}

package struct KeyDefinition: Sendable, Equatable {
    package var name: String
    /// SHA-256 of the secret: 32 bytes.
    package var digest: [UInt8]
    package var isAdmin: Bool
    /// nil: all models and routes.
    package var models: ModelScope?
    /// nil: all.
    package var endpoints: Set<KeyOperation>?
    package var limits = Limits()
    /// What its requests wish where they don't say otherwise.
    package var defaults: OverridesBox?
    /// Whether `_router` stands in bodies where the request doesn't say otherwise.
    package var wantsMetadata = true
}

/// What a key may reach: `models:` of a key.
package struct ModelScope: Sendable, Equatable {
    /// Indices into `RoutingPolicy.models` that match a name, a glob or a tag of the scope.
    package var models: Set<Int>
    /// Indices into `RoutingPolicy.routes` whose names match. A granted route grants what it reaches.
    package var routes: Set<Int>

    package init(models: Set<Int>, routes: Set<Int>) {
        self.models = models
        self.routes = routes
    }
}
