import RoutingPolicy

/// What the planner compares of a model: flat, so that a thousand are looked at in microseconds.
struct ModelTraits {
    /// A bit for each `Support`.
    var supports: UInt16
    var isFast: Bool
    /// Tokens; `Int.max` where unknown.
    var context: Int
    var maxOutput: Int
    /// Input and output together; infinite where unknown.
    var price: Double
    var weight: Double

    init(_ model: ModelDefinition) {
        supports = model.supports.reduce(0) { $0 | $1.bit }
        isFast = model.type == "fast"
        context = model.context ?? .max
        maxOutput = model.maxOutput ?? .max
        price = model.price.map { $0.input + $0.output } ?? .infinity
        weight = model.weight
    }
}

extension Support {
    var bit: UInt16 {
        switch self {
        case .image: 1
        case .audio: 2
        case .video: 4
        case .file: 8
        case .tools: 16
        case .json: 32
        case .reasoning: 64
        case .streaming: 128
        }
    }
}
