import RoutingPolicy

/// The properties of a model that the planner compares, as plain numbers, so that it can check a thousand models in
/// microseconds.
struct ModelTraits {
    /// One bit for each `Capability`.
    var supports: UInt64
    /// One bit for each `Operation`.
    var serves: UInt64
    /// In tokens; `Int.max` if unknown.
    var context: Int
    /// In tokens; `Int.max` if unknown.
    var maxOutput: Int
    var weight: Double
    var rates: ExpectedCost.Rates

    init(_ model: ModelDefinition) {
        supports = model.supports.bits
        serves = model.serves.bits
        context = model.context ?? .max
        maxOutput = model.maxOutput ?? .max
        weight = model.weight
        rates = ExpectedCost.Rates(model.price)
    }
}
