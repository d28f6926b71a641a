package import ProviderKit
package import RoutingPolicy

/// Takes down how a plan came about: for `explain`, for expectations, and for refusals. Not made for requests in service.
package final class PlanTrace {
    package enum Part: Equatable {
        case named(String)
        case route(String)
        case fallback
        case fallbackOn(FailureClass)
    }

    /// One ranked run of candidates.
    package struct Section {
        package var part: Part
        package var order: Order
        /// In the order of the plan, those that rest included.
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
