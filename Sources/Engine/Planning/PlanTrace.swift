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

    /// A condition that holds, and the routes that it leads from and to, as indices into the policy's routes.
    package struct Replacement: Equatable {
        package var route: Int
        package var condition: RouteCondition
    }

    package private(set) var sections: [Section] = []
    package private(set) var replacements: [Replacement] = []
    /// The model that last served the request's conversation. nil if none is remembered, or it is no longer one of the
    /// policy's models.
    package internal(set) var stickyModel: Int?
    /// Whether that model goes first.
    package internal(set) var isPinned = false

    package init() {}

    func replaced(_ route: Int, by condition: RouteCondition) {
        replacements.append(Replacement(route: route, condition: condition))
    }

    /// The route that conditions put in the place of a route; any other name itself.
    func routeServing(_ name: String, in policy: RoutingPolicy) -> String {
        replacements.reduce(name) { name, replacement in
            policy.routes[replacement.route].name == name ? policy.routes[replacement.condition.use].name : name
        }
    }

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
