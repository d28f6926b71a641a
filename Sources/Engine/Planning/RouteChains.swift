package import ProviderKit
package import RoutingPolicy

/// A run of a route's models that one order ranks.
package struct Segment: Sendable, Equatable {
    /// For `round_robin`: each segment of a policy turns on its own.
    package var id: Int
    package var order: Order
    /// As listed. Models of providers that are off are left out.
    package var models: [Int]
    package var minSuccessRate: Double?
    /// Of a selector, whose order a request may replace.
    package var isSelected: Bool
}

/// A route's models, flattened at load over the routes that it leads to.
package struct RouteChains: Sendable, Equatable {
    /// Index into `RoutingPolicy.routes`; nil for the `auto` of a policy without such a route.
    package var route: Int?
    /// Of `try`.
    package var tries: [Segment] = []
    package var fallback: [Segment] = []
    package var fallbackOn: [FailureClass: [Segment]] = [:]
    /// All models that it names, each once, those of providers that are off included.
    package var all: [Int] = []

    /// - Parameter segmentCount: how many segments the policy has so far; the ids count on from it.
    init(route: Int, policy: RoutingPolicy, segmentCount: inout Int) {
        var flattener = Flattener(policy: policy, segmentCount: segmentCount)
        let definition = policy.routes[route]
        self.route = route
        tries = flattener.segments(definition.steps)
        fallback = flattener.segments(definition.fallback)
        for failure in FailureClass.allCases {
            if let steps = definition.fallbackOn[failure] { fallbackOn[failure] = flattener.segments(steps) }
        }
        all = flattener.all
        segmentCount = flattener.segmentCount
    }

    /// `auto` where the policy has no such route: every visible model, as listed.
    init(allOf policy: RoutingPolicy, segmentCount: inout Int) {
        var flattener = Flattener(policy: policy, segmentCount: segmentCount)
        tries = flattener.segments([
            .selected(Selection(selector: Selector(), models: policy.models.indices.filter { !policy.models[$0].isHidden }))
        ])
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
                // Several share a name, and take turns.
                append(Segment(id: 0, order: models.count > 1 ? .roundRobin : .listed, models: models, isSelected: false), to: &segments)
            case .selected(let selection):
                let minimum = selection.selector.minSuccessRate
                append(
                    Segment(id: 0, order: selection.order, models: selection.models, minSuccessRate: minimum, isSelected: true),
                    to: &segments)
            case .route(let route):
                append(policy.routes[route].steps, to: &segments)
                append(policy.routes[route].fallback, to: &segments)
            }
        }
    }

    private mutating func append(_ segment: Segment, to segments: inout [Segment]) {
        all += segment.models.filter { seen.insert($0).inserted }
        var segment = segment
        segment.models.removeAll { policy.providers[policy.models[$0].provider].settings == nil }
        guard !segment.models.isEmpty else { return }
        // Neighbours that are simply listed are one run.
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
