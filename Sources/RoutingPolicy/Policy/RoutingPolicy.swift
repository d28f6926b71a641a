package import ProviderKit

/// A policy: what routes.yaml says, validated and resolved. A value that never changes.
package struct RoutingPolicy: Sendable, OptionHolder {
    /// The plugins that it loads, in the order of the files.
    package var plugins: [LoadedPlugin] = []
    package var listen = [ListenerDefinition()]
    package var server = ServerSettings()
    package var log = LogSettings()
    package var telemetry = TelemetrySettings()
    package var defaults = PolicyDefaults()
    /// In the order of the file, as the four below.
    package var providers: [ProviderDefinition] = []
    package var models: [ModelDefinition] = []
    package var routes: [RouteDefinition] = []
    package var keys: [KeyDefinition] = []
    package var state = StateSettings()
    package var tests: [RoutingExpectation] = []
    /// Eight hexadecimal digits of a SHA-256 over everything that the policy sets: equal policies have equal digests.
    package var digest = ""
    /// The warnings that a reload repeats only if they are new: about what is off because variables are unset, and
    /// about models without a price.
    package var offMessages: Set<String> = []

    /// The files that the policy comes from; nil for one that was not loaded.
    package var text: PolicyText?

    package init() {}
}

extension RoutingPolicy {
    /// The limits of a model: its own, or else those of `defaults`.
    package func limits(of model: ModelDefinition) -> Limits {
        defaults.limits.overridden(by: model.limits)
    }

    /// The timeouts of a model: its own, over its provider's, over those of `defaults`.
    package func timeouts(of model: ModelDefinition) -> Timeouts {
        defaults.timeouts.overridden(by: providers[model.provider].timeouts).overridden(by: model.timeouts)
    }

    /// The retry settings of a model: its own, over its provider's, over those of `defaults`.
    package func retry(of model: ModelDefinition) -> Retry {
        defaults.retry.overridden(by: providers[model.provider].retry).overridden(by: model.retry)
    }

    /// The breaker settings of a model: its own, over its provider's, over those of `defaults`.
    package func breaker(of model: ModelDefinition) -> BreakerSettings {
        defaults.breaker.overridden(by: providers[model.provider].breaker).overridden(by: model.breaker)
    }
}

/// `server:`: the client side.
package struct ServerSettings: Sendable, Equatable, OptionHolder {
    package var keepalive: Duration = .seconds(15)
    package var writeStall: Duration = .seconds(60)
    /// From the first byte of a head (or the accept) to its end.
    package var headTimeout: Duration = .seconds(10)
    package var bodyTimeout: Duration = .seconds(30)
    package var bodyTotal: Duration = .seconds(300)
    package var maxBodyBytes = 32 << 20
    package var maxBufferedBytes = 256 << 20
    /// The folder for uploads that are not kept in memory; an absolute path.
    package var spool = "/var/tmp"
    package var maxUploadBytes = 512 << 20
    /// Of all uploads in the folder together.
    package var maxSpooledBytes = 4 << 30
    package var drain: Duration = .seconds(30)
    package var preStop: Duration = .zero
    /// How long a provider's own list of models is recent; zero: lists are never fetched.
    package var modelsTTL: Duration = .seconds(3600)
    /// Origins of web pages that may use the router from a browser: `scheme://host`, with the port if it is not the
    /// scheme's own, in lower case. `*` stands for all.
    package var cors: [String] = []
    /// Without keys: hosts besides this machine's own that requests may be for.
    package var hosts: [HostName] = []
    /// Who says truly who its clients are.
    package var trustedProxies: [TrustedProxy] = []
    package var hasCodexCatalog = false
    /// The version that Ollama's clients are told.
    package var ollamaVersion = "0.32.0"

    package init() {}
}

/// A provider: one account at one place, driven by one plugin.
package struct ProviderDefinition: Sendable, OptionHolder {
    package var name = ""
    /// The plugin, as `plugin:` names it.
    package var plugin = ""
    /// nil: the provider is off, because the variables in `unset` are unset or empty.
    package var settings: (any ProviderSettings)?
    /// A hash of the plugin's options as the policy file has them.
    package var settingsDigest: [UInt8] = []
    /// The plugin's options as a difference shows them.
    var options: [OptionEntry] = []
    /// The environment variables whose absence turns the provider off.
    package var unset: [String] = []
    package var timeouts = TimeoutOverrides()
    package var retry = RetryOverrides()
    package var breaker = BreakerOverrides()
    package var failover = Failover()
    package var limits = Limits()

    package init() {}

    package init(name: String, plugin: String, settings: (any ProviderSettings)? = nil, unset: [String] = []) {
        self.name = name
        self.plugin = plugin
        self.settings = settings
        self.unset = unset
    }

    /// What warnings say about a provider that is off; nil for one that is on.
    package var offMessage: String? {
        guard !unset.isEmpty else { return nil }
        return
            "provider '\(name)' is off: \(unset.map { "'\($0)'" }.joined(separator: ", ")) \(unset.count == 1 ? "is" : "are") unset or empty"
    }
}

/// A plugin's validated options, with the plugin that read them.
package protocol ProviderSettings: Sendable {
    func makeProvider() -> any Provider
    /// Whether both are of one plugin and equal. A reload then keeps the running provider.
    func isEqual(to other: any ProviderSettings) -> Bool
}

/// A model of the policy. Two models may share `name` across providers if their keys are `provider/name`. A key that
/// ends with `*` is a wildcard, which stands for all models whose names begin like it.
package struct ModelDefinition: Sendable, Equatable, OptionHolder {
    /// The key under `models:`.
    package var key = ""
    /// What clients use: the key without its provider. Of a wildcard, the key.
    package var name = ""
    /// Index into `RoutingPolicy.providers`.
    package var provider = 0
    /// The provider's own name of the model. Of a wildcard, `*` is in the place of what the name has in that of the
    /// key's `*`.
    package var upstream = ""
    /// `fast` or `reasoning`.
    package var type: String?
    /// Sorted, without duplicates, including the tags that `supports` and `type` imply.
    package var tags: [String] = []
    /// Includes `streaming`, which every model has, and what the tag `vision` implies.
    package var supports: CapabilitySet = [.streaming]
    /// The operations whose requests are sent to the model; never empty.
    package var serves: OperationSet = [.chat]
    /// The names of the wire formats in which it gets chats, the first for translated ones; empty: the provider's.
    package var formats: [String] = []
    /// Input tokens; nil if unknown.
    package var context: Int?
    /// Output tokens; nil if unknown.
    package var maxOutput: Int?
    package var price: Price?
    package var isHidden = false
    package var requestDefaults: [BodyField] = []
    package var requestOverrides: [BodyField] = []
    package var timeouts = TimeoutOverrides()
    /// Its share in the order `weighted`. 0 is drawn only if no other model is left.
    package var weight = 1.0
    package var limits = Limits()
    package var retry = RetryOverrides()
    package var breaker = BreakerOverrides()
    /// Whether a non-streamed response to a JSON `response_format` must be JSON.
    package var validJSON = false

    package init() {}

    package init(key: String, provider: Int = 0) {
        self.key = key
        name = key
        self.provider = provider
        upstream = key
    }
}

/// What a model costs, in US dollars: per million tokens, and per request, image and minute.
package struct Price: Sendable, Equatable, OptionHolder {
    package var input = 0.0
    package var output = 0.0
    /// Of prompt tokens that were read from a cache; nil: as `input`.
    package var cachedInput: Double?
    /// Of prompt tokens that were written to a cache; nil: as `input`.
    package var cacheWrite: Double?
    /// Of those that the cache keeps for an hour; nil: as ``cacheWrite``.
    package var longCacheWrite: Double?
    /// Of completion tokens that were spent on reasoning; nil: as `output`.
    package var reasoning: Double?
    /// Of prompt tokens that are audio; nil: as `input`.
    package var audioInput: Double?
    /// Of completion tokens that are audio; nil: as `output`.
    package var audioOutput: Double?
    package var perRequest: Double?
    /// Of each image that the model makes.
    package var perImage: Double?
    /// Of audio that the model transcribes.
    package var perMinute: Double?

    package init() {}

    package init(input: Double, output: Double, cachedInput: Double? = nil, reasoning: Double? = nil) {
        self.input = input
        self.output = output
        self.cachedInput = cachedInput
        self.reasoning = reasoning
    }
}

/// A route: a name that stands for several models.
package struct RouteDefinition: Sendable, Equatable, OptionHolder {
    package var name = ""
    /// `when`, in order: the first condition that holds replaces the route by another.
    package var conditions: [RouteCondition] = []
    /// `try`, in order.
    package var steps: [RouteStep] = []
    /// The chain for when everything in `try` has failed.
    /// nil: `defaults.fallback`.
    package var fallback: [RouteStep]?
    /// Separate chains for one kind of failure. Keys: `context_overflow`, `content_filter`.
    package var fallbackOn = FallbackChains()
    package var maxModels: Int?
    package var maxAttempts: Int?
    package var timeouts = TimeoutOverrides()
    package var retry = RetryOverrides()
    package var failover = Failover()
    package var hedge: Hedge?
    /// Whether a stream that broke after its first content may continue at another model.
    package var resumes = false
    /// nil: as each model says.
    package var validJSON: Bool?
    /// nil: conversations are not remembered.
    package var sticky: Sticky?

    package init() {}

    package init(name: String, steps: [RouteStep] = [], fallback: [RouteStep]? = nil) {
        self.name = name
        self.steps = steps
        self.fallback = fallback
    }
}

/// `fallback_on:` of a route.
package typealias FallbackChains = [FailureClass: [RouteStep]]

/// One step of a route's chain.
package enum RouteStep: Sendable, Equatable {
    /// Indices into `RoutingPolicy.models`: one, or all that share the name.
    case models([Int])
    /// Index into `RoutingPolicy.routes`. The graph of routes has no cycle.
    case route(Int)
    case selected(Selection)
}

/// A key: what one group of clients may do.
package struct KeyDefinition: Sendable, Equatable, OptionHolder {
    package var name = ""
    /// SHA-256 of the secret: 32 bytes. Empty for a key that only a certificate identifies.
    package var digest: [UInt8] = []
    /// SHA-256 of the client's certificate in DER form: 32 bytes; nil: no certificate identifies the key.
    package var certificate: [UInt8]?
    /// The secret, only to mask it in texts; nil if the policy gives its SHA-256 alone.
    package var secret: Secret?
    package var isAdmin = false
    /// nil: all models and routes.
    package var models: ModelScope?
    /// nil: all.
    package var endpoints: Set<KeyOperation>?
    package var limits = Limits()
    /// nil: no bound.
    package var budget: Budget?
    /// From this time on the key is refused, in seconds since 1970; nil: it doesn't expire.
    package var expires: Int?
    /// What the operator says of the key, for the log.
    package var labels: [KeyLabel] = []
    /// Routing overrides of requests that set none themselves.
    package var defaults: OverridesBox?
    /// Whether responses say which provider and model served the request. false leaves `_router` out of bodies, and the
    /// names of providers and models out of header fields, errors and the list of models.
    package var wantsMetadata = true

    package init() {}

    package init(name: String, digest: [UInt8]) {
        self.name = name
        self.digest = digest
    }
}

/// A name with a text that the operator gives a key: one entry of its `metadata:`.
package struct KeyLabel: Sendable, Equatable {
    package static let maxCount = 16

    package var name: String
    package var text: String

    /// The name of the label in metrics: `metadata_` and the name, with `_` for everything but letters, digits and `_`.
    /// Source: Prometheus, "Data model"; the prefix keeps it apart from other labels.
    package var metricName: String {
        "metadata_"
            + String(
                name.unicodeScalars.map {
                    $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil) ? Character($0) : "_"
                })
    }
}

/// What a key may reach: `models:` of a key.
package struct ModelScope: Sendable, Equatable {
    /// Indices into `RoutingPolicy.models` that match a name, a glob or a tag of the scope.
    package var models: Set<Int>
    /// Indices into `RoutingPolicy.routes` whose names match. A granted route grants everything that it reaches.
    package var routes: Set<Int>
    /// The globs of the scope, for names that the policy doesn't list.
    var patterns: [Glob] = []
    /// Names of models that wildcards stand for.
    var names: Set<String> = []
    /// Equal for equal scopes of one policy.
    package var digest: [UInt8] = []

    package init(models: Set<Int>, routes: Set<Int>) {
        self.models = models
        self.routes = routes
    }

    package func hasPattern(matching name: String) -> Bool { patterns.contains { $0.matches(name) } }

    package static func == (one: ModelScope, other: ModelScope) -> Bool {
        one.models == other.models && one.routes == other.routes && one.patterns == other.patterns && one.names == other.names
    }
}
