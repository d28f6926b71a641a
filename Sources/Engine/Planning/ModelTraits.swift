import RoutingPolicy

/// The properties of a model that the planner compares, as plain numbers, so that it can check a thousand models in
/// microseconds.
struct ModelTraits {
    var supports: CapabilitySet
    var serves: OperationSet
    /// In tokens; `Int.max` if unknown.
    var context: Int
    /// In tokens; `Int.max` if unknown.
    var maxOutput: Int
    /// The sum of the input and output prices; infinite if unknown.
    var price: Double
    var weight: Double

    init(_ model: ModelDefinition) {
        supports = model.supports
        serves = model.serves
        context = model.context ?? .max
        maxOutput = model.maxOutput ?? .max
        price = model.price.map { $0.input + $0.output } ?? .infinity
        weight = model.weight
    }
}
