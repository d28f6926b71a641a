/// The routing overrides of a request: fields that choose and bound its models. A request gives them in its body or as
/// `x-router-*` headers; a key gives them for all its requests (`keys.NAME.defaults`). nil: not given.
package struct RoutingOverrides: Sendable, Equatable, OptionHolder {
    package enum SelectionMode: String, Sendable, CaseIterable {
        case weightedRandom = "weighted_random"
        case best
        case topNRandom = "top_n_random"

        package var order: Order {
            switch self {
            case .weightedRandom: .weighted
            case .best: .best
            case .topNRandom: .top3
            }
        }
    }

    package var tags: TagExpression?
    /// `fast` or `reasoning`.
    package var type: String?
    /// Input tokens.
    package var minContext: Int?
    /// Output tokens.
    package var minOutput: Int?
    /// The capabilities whose `supports_…` is true, and JSON's whose `json_response` is.
    package var supports = CapabilitySet()
    /// Those for which it is false, which takes back what a source below asks for.
    package var waived = CapabilitySet()
    /// Models with a low measured latency first.
    package var prefersFast: Bool?
    /// 0 to 1.
    package var minSuccessRate: Double?
    package var selectionMode: SelectionMode?
    /// How many models may be called before the fallback.
    package var maxModelSwitches: Int?
    package var retries: Int?
    /// Before each retry, ± 20 %.
    package var retryDelay: Duration?
    /// Of each attempt.
    package var timeout: Duration?
    package var fallbackProvider: String?
    package var fallbackModel: String?

    package init() {}

    /// These overrides, and what `defaults` gives wherever these give nothing. A fallback replaces another as a whole.
    package func over(_ defaults: RoutingOverrides) -> RoutingOverrides {
        var base = defaults
        if fallbackModel != nil || fallbackProvider != nil { (base.fallbackProvider, base.fallbackModel) = (nil, nil) }
        return Self.section.merged(self, over: base)
    }

    /// Each override that is given, with its value, as a request names it.
    package var explained: [String] {
        Self.section.entries(of: self, in: RoutingPolicy()).map(\.words)
    }
}

/// Overrides behind one reference, because most requests have none and copying the value costs 300 bytes.
package final class OverridesBox: Sendable, Equatable {
    package let fields: RoutingOverrides

    package init(_ fields: RoutingOverrides) { self.fields = fields }

    package static func == (one: OverridesBox, other: OverridesBox) -> Bool { one.fields == other.fields }
}
