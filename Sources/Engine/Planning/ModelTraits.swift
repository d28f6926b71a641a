import RoutingPolicy

/// What the planner compares of a model: flat, so that a thousand are looked at in microseconds.
struct ModelTraits {
    /// A bit for each `Capability`.
    var supports: UInt8
    var isFast: Bool
    /// Tokens; `Int.max` where unknown.
    var context: Int
    var maxOutput: Int
    /// Input and output together; infinite where unknown.
    var price: Double
    var weight: Double

    init(_ model: ModelDefinition) {
        supports = model.supports.bits
        isFast = model.type == "fast"
        context = model.context ?? .max
        maxOutput = model.maxOutput ?? .max
        price = model.price.map { $0.input + $0.output } ?? .infinity
        weight = model.weight
    }
}
