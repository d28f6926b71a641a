/// The fields of a request that are the router's own, as a request gives them, in its body or as `x-router-*` headers, or as a key gives them for all its
/// requests (`keys.NAME.defaults`). nil: not given.
package struct RoutingOverrides: Sendable, Equatable {
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
    /// `min_context_size`, tokens; at least 1.
    package var minContext: Int?
    /// `min_max_output_tokens`; at least 1.
    package var minOutput: Int?
    /// Those of `supports_image`, `supports_video`, `supports_audio`, `supports_file` and `supports_tools` that are true.
    package var supports = CapabilitySet()
    /// Models of type `fast` before the others.
    package var prefersFast: Bool?
    /// 0 to 1.
    package var minSuccessRate: Double?
    package var selectionMode: SelectionMode?
    /// 1 to 10: one less than the models that may be asked.
    package var maxModelSwitches: Int?
    /// `max_same_model_retries`, 0 to 10.
    package var retries: Int?
    /// `retry_delay`, 0 to 30,000 ms.
    package var retryDelay: Duration?
    /// `timeout_secs`, 1 to 600.
    package var timeout: Duration?
    package var fallbackProvider: String?
    package var fallbackModel: String?

    package init() {}

    /// These, and what `defaults` gives where these give nothing.
    package func over(_ defaults: RoutingOverrides) -> RoutingOverrides {
        var result = self
        result.tags = tags ?? defaults.tags
        result.type = type ?? defaults.type
        result.minContext = minContext ?? defaults.minContext
        result.minOutput = minOutput ?? defaults.minOutput
        result.supports.formUnion(defaults.supports)
        result.prefersFast = prefersFast ?? defaults.prefersFast
        result.minSuccessRate = minSuccessRate ?? defaults.minSuccessRate
        result.selectionMode = selectionMode ?? defaults.selectionMode
        result.maxModelSwitches = maxModelSwitches ?? defaults.maxModelSwitches
        result.retries = retries ?? defaults.retries
        result.retryDelay = retryDelay ?? defaults.retryDelay
        result.timeout = timeout ?? defaults.timeout
        if fallbackModel == nil {
            result.fallbackProvider = defaults.fallbackProvider
            result.fallbackModel = defaults.fallbackModel
        }
        return result
    }
}

/// Fields that somebody gave, which most requests have none of. An object of their own: whoever hands on the value would copy 300 bytes each time.
package final class OverridesBox: Sendable, Equatable {
    package let fields: RoutingOverrides

    package init(_ fields: RoutingOverrides) { self.fields = fields }

    package static func == (one: OverridesBox, other: OverridesBox) -> Bool { one.fields == other.fields }
}
