/// `select:`. Every condition must hold; nil, or an empty set, holds for every model.
///
/// All conditions but `minSuccessRate` are evaluated when the policy is loaded.
package struct Selector: Sendable, Hashable, OptionHolder {
    package var tags: TagExpression?
    /// `fast` or `reasoning`.
    package var type: String?
    /// Indices into `RoutingPolicy.providers`; nil: all of them.
    package var providers: Set<Int>?
    package var supports: CapabilitySet = []
    /// Input tokens. Leaves out models whose context the policy does not give.
    package var minContext: Int?
    /// Output tokens. Leaves out models whose `max_output` the policy does not give.
    package var minOutput: Int?
    /// Leaves out models without a price.
    package var maxPrice: MaxPrice?
    /// 0 to 1, over the window of the statistics. Keeps models that were not called in it.
    package var minSuccessRate: Double?
    /// Globs over names, keys and `provider/name`; nil: all models.
    package var models: [String]?

    package init() {}

    package init(tags: TagExpression?) {
        self.tags = tags
    }
}

/// US dollars per million tokens, inclusive.
package struct MaxPrice: Sendable, Hashable, OptionHolder {
    package var input: Double?
    package var output: Double?

    package init() {}

    package init(input: Double? = nil, output: Double? = nil) {
        self.input = input
        self.output = output
    }
}

/// How a selector's models are ranked. The raw values are the words of routes.yaml.
package enum Order: String, Sendable, CaseIterable {
    /// As the policy file lists them.
    case listed
    /// At random, by weight × success rate × (1000 / max(mean latency in ms, 100)).
    case weighted
    /// The highest of those products first.
    case best
    /// `weighted` among the best three, then the others as `best` ranks them.
    case top3
    case roundRobin = "round_robin"
    /// The lowest observed time to first token first; models without observations before all others.
    case fastest
    /// The lowest price first (input + output); models without a price last.
    case cheapest
    /// The fewest requests in flight first.
    case leastBusy = "least_busy"
}

/// The models that a selector keeps, and how they are ranked.
package struct Selection: Sendable, Equatable {
    package var selector: Selector
    package var order: Order
    /// In the order of the file, hidden models and those of providers that are off included. `minSuccessRate` is not
    /// applied yet.
    package var models: [Int]

    package init(selector: Selector, order: Order = .listed, models: [Int]) {
        self.selector = selector
        self.order = order
        self.models = models
    }
}
