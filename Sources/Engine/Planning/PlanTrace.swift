package import ProviderKit
package import RoutingPolicy

/// A record of how a plan came about, for `explain` and for the tests in a policy. Plans of served requests have none.
package final class PlanTrace {
    package enum Part: Equatable {
        case named(String)
        case route(String)
        case fallback
        /// The request's `fallback_model`.
        case requestedFallback
        /// `defaults.fallback`.
        case defaultFallback
        case fallbackOn(FailureClass)

        /// Whether the request's wishes bind the candidates.
        var isTry: Bool {
            if case .route = self { true } else { false }
        }
    }

    /// A group of candidates that are ranked together.
    package struct Section {
        package var part: Part
        package var order: Order
        /// In the order of the plan, including unavailable models.
        package var chosen: [(model: Int, reading: ModelReading)] = []
        package var omitted: [OmittedModel] = []
    }

    package private(set) var sections: [Section] = []

    package init() {}

    func begin(_ part: Part, order: Order) {
        sections.append(Section(part: part, order: order))
    }

    func chosen(_ model: Int, _ reading: ModelReading) {
        sections[sections.count - 1].chosen.append((model, reading))
    }

    func omitted(_ model: Int, _ rule: Omission) {
        sections[sections.count - 1].omitted.append(OmittedModel(model: model, rule: rule))
    }
}
