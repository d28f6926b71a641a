/// `select:`. Every condition must hold; nil, and an empty set, hold for every model.
///
/// All but `minSuccessRate` are decided when the policy is loaded.
package struct Selector: Sendable, Hashable {
    package var tags: TagExpression?
    /// `fast` or `reasoning`.
    package var type: String?
    /// Indices into `RoutingPolicy.providers`; nil: all of them.
    package var providers: Set<Int>?
    package var supports: CapabilitySet = []
    /// Tokens in. A model whose context the policy doesn't give is left out.
    package var minContext: Int?
    /// Tokens out. A model whose `max_output` the policy doesn't give is left out.
    package var minOutput: Int?
    /// A model without a price is left out.
    package var maxPrice: MaxPrice?
    /// 0 to 1, over the window of the statistics. A model that wasn't asked in it is kept.
    package var minSuccessRate: Double?
    /// Globs over names, keys and `provider/name`; nil: all models.
    package var models: [String]?

    package init(tags: TagExpression? = nil) {
        self.tags = tags
    }
}

/// US dollars per million tokens, inclusive.
package struct MaxPrice: Sendable, Hashable {
    package var input: Double?
    package var output: Double?

    package init(input: Double? = nil, output: Double? = nil) {
        self.input = input
        self.output = output
    }
}

/// How a selector's models are ranked. The raw values are routes.yaml's words.
package enum Order: String, Sendable, CaseIterable {
    /// As the policy's file lists them.
    case listed
    /// At random, by weight × success rate × (1000 / max(mean latency in ms, 100)).
    case weighted
    /// The highest of those products first.
    case best
    /// `weighted` among the best three, then the others by `best`.
    case top3
    case roundRobin = "round_robin"
    /// The lowest observed time to first token first; a model that was never observed before all others.
    case fastest
    /// The lowest price first (input + output); models without a price last.
    case cheapest
    /// The fewest requests under way first.
    case leastBusy = "least_busy"
}

/// The models that a selector keeps, and how they are ranked.
package struct Selection: Sendable, Equatable {
    package var selector: Selector
    package var order: Order
    /// Resolved at load, as listed: hidden ones too, those of providers that are off too. `minSuccessRate` is not applied yet.
    package var models: [Int]

    package init(selector: Selector, order: Order = .listed, models: [Int]) {
        self.selector = selector
        self.order = order
        self.models = models
    }
}
