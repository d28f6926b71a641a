package import ProviderKit
package import RoutingPolicy

/// A group of models of a route that are ranked together by one order.
package struct Segment: Sendable, Equatable {
    /// Identifies the segment within a policy, so that each segment has its own rotation.
    package var id: Int
    package var order: Order
    /// In the order of the policy, without models whose provider is off.
    package var models: [Int]
    package var minSuccessRate: Double?
    /// Whether a selector chose the models, so that a request may replace the order.
    package var isSelected: Bool
}

/// The models of a route, including those of nested routes, flattened when the policy is loaded.
package struct RouteChains: Sendable, Equatable {
    /// An index into `RoutingPolicy.routes`; nil for the implicit `auto` of a policy without such a route.
    package var route: Int?
    /// The segments of `try`.
    package var tries: [Segment] = []
    package var fallback: [Segment] = []
    /// Whether the route defines its fallback itself, even as an empty one. Then `defaults.fallback` does not serve it.
    package var hasFallback = false
    package var fallbackOn: [FailureClass: [Segment]] = [:]
    /// All models of the route, each once, including those whose provider is off.
    package var all: [Int] = []

    /// - Parameter segmentCount: the number of segments so far, which is the next segment's id.
    init(route: Int, policy: RoutingPolicy, segmentCount: inout Int) {
        var flattener = Flattener(policy: policy, segmentCount: segmentCount)
        let definition = policy.routes[route]
        self.route = route
        tries = flattener.segments(definition.steps)
        fallback = flattener.segments(definition.fallback ?? [])
        hasFallback = definition.fallback != nil
        for failure in FailureClass.allCases {
            if let steps = definition.fallbackOn[failure] { fallbackOn[failure] = flattener.segments(steps) }
        }
        all = flattener.all
        segmentCount = flattener.segmentCount
    }

    /// The implicit `auto` of a policy without such a route: all visible models, as listed.
    init(allOf policy: RoutingPolicy, segmentCount: inout Int) {
        var flattener = Flattener(policy: policy, segmentCount: segmentCount)
        tries = flattener.segments([
            .selected(
                Selection(
                    selector: Selector(),
                    models: policy.models.indices.filter { !policy.models[$0].isHidden && !policy.models[$0].isWildcard }))
        ])
        all = flattener.all
        segmentCount = flattener.segmentCount
    }

    /// `defaults.fallback`, as the fallback of a route without `try`.
    init(defaultFallbackOf policy: RoutingPolicy, segmentCount: inout Int) {
        var flattener = Flattener(policy: policy, segmentCount: segmentCount)
        fallback = flattener.segments(policy.defaults.fallback)
        all = flattener.all
        segmentCount = flattener.segmentCount
    }
}

private struct Flattener {
    let policy: RoutingPolicy
    var segmentCount: Int
    var all: [Int] = []
    private var seen: Set<Int> = []

    init(policy: RoutingPolicy, segmentCount: Int) {
        self.policy = policy
        self.segmentCount = segmentCount
    }

    mutating func segments(_ steps: [RouteStep]) -> [Segment] {
        var segments: [Segment] = []
        append(steps, to: &segments)
        return segments
    }

    private mutating func append(_ steps: [RouteStep], to segments: inout [Segment]) {
        for step in steps {
            switch step {
            case .models(let models):
                // Several models with the same name rotate.
                append(Segment(id: 0, order: models.count > 1 ? .roundRobin : .listed, models: models, isSelected: false), to: &segments)
            case .selected(let selection):
                let minimum = selection.selector.minSuccessRate
                append(
                    Segment(id: 0, order: selection.order, models: selection.models, minSuccessRate: minimum, isSelected: true),
                    to: &segments)
            case .route(let route):
                append(policy.routes[route].steps, to: &segments)
                append(policy.routes[route].fallback ?? [], to: &segments)
            }
        }
    }

    private mutating func append(_ segment: Segment, to segments: inout [Segment]) {
        all += segment.models.filter { seen.insert($0).inserted }
        var segment = segment
        segment.models.removeAll { policy.providers[policy.models[$0].provider].settings == nil }
        guard !segment.models.isEmpty else { return }
        // Adjacent plain lists become one segment.
        if segment.isPlainList, let last = segments.last, last.isPlainList {
            segments[segments.count - 1].models += segment.models
            return
        }
        segment.id = segmentCount
        segments.append(segment)
        segmentCount += 1
    }
}

extension Segment {
    fileprivate var isPlainList: Bool { order == .listed && !isSelected }
}
