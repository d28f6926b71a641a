import Codecs
import Engine
import NIOCore
import ProviderKit
import RoutingPolicy

/// A model or a route in the list of `GET /models`.
struct ModelEntry {
    /// An index into the snapshot's models; nil for a route.
    var model: Int?
    var id: String
    var name: String
    /// `router` for a route, and for every entry of a client that must not learn the providers.
    var provider: String
    /// The provider's own name of the model. For the same entries, `name`.
    var upstream: String
    var type: String?
    var weight: Double
    var tags: [String]
    var supports: CapabilitySet
    var serves: OperationSet
    var context: Int?
    var maxOutput: Int?
    var price: Price?
    var isAvailable: Bool
    /// What the provider's own list says; nil in lists.
    private(set) var listed: ListedModel?

    init(model index: Int, _ snapshot: Snapshot, hidesNames: Bool, now: NIODeadline) {
        let model = snapshot.models[index]
        self.model = index
        id = model.key
        name = model.key
        provider = hidesNames ? Self.ownProvider : snapshot.policy.providers[model.provider].name
        upstream = hidesNames ? model.key : model.upstream
        type = model.type
        weight = model.weight
        tags = model.tags
        supports = model.supports
        serves = model.serves
        context = model.context
        maxOutput = model.maxOutput
        price = model.price
        isAvailable = snapshot.isUsable(model: index, now: now)
    }

    /// A route has the tags, capabilities and operations of those of its models that can be used now, and the largest
    /// of their limits.
    ///
    /// - Parameter scope: the models that the client may use on this route; nil: all.
    init(route index: Int, _ snapshot: Snapshot, scope: Set<Int>?, now: NIODeadline) {
        let usable = snapshot.chains[index].all.filter { scope?.contains($0) != false && snapshot.isUsable(model: $0, now: now) }
        let models = usable.map { snapshot.models[$0] }
        id = snapshot.policy.routes[index].name
        name = id
        provider = Self.ownProvider
        upstream = id
        weight = ModelDefinition().weight
        tags = Set(models.flatMap(\.tags)).sorted()
        supports = models.reduce([]) { $0.union($1.supports) }
        serves = models.reduce([]) { $0.union($1.serves) }
        context = models.compactMap(\.context).max()
        maxOutput = models.compactMap(\.maxOutput).max()
        isAvailable = !models.isEmpty
    }

    /// Adds what the provider's own list says about the model. What the policy says comes first.
    mutating func add(_ listed: ListedModel) {
        self.listed = listed
        context = context ?? listed.context
        maxOutput = maxOutput ?? listed.maxOutput
        price = price ?? listed.price.map { Price($0) }
    }

    static let ownProvider = "router"
}

extension Price {
    fileprivate init(_ listed: ListedPrice) {
        self.init(input: listed.input, output: listed.output, cachedInput: listed.cachedInput, reasoning: listed.reasoning)
        (cacheWrite, longCacheWrite) = (listed.cacheWrite, listed.longCacheWrite)
        (audioInput, audioOutput, perRequest, perImage) = (listed.audioInput, listed.audioOutput, listed.perRequest, listed.perImage)
    }
}
