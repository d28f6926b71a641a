import ProviderKit
import RoutingPolicy

/// The reason for the position of each model of a plan, with the numbers that the order compares.
struct ExplanationRanks {
    struct Rank {
        var part: Explanation.Part
        var reason: Explanation.Reason
    }

    private let sections: [PlanTrace.Section]
    private let fields: RoutingOverrides
    private let cost: ExpectedCost
    private let snapshot: Snapshot
    private let state: ExplanationState
    /// The model that goes first because it served the conversation last.
    private let pinned: Int?

    init(_ request: PlanRequest, _ trace: PlanTrace, _ snapshot: Snapshot, _ state: ExplanationState) {
        sections = trace.sections
        fields = request.fields
        cost = ExpectedCost(request.operation, request.needs, choices: request.choices)
        self.snapshot = snapshot
        self.state = state
        pinned = trace.isPinned ? trace.stickyModel : nil
    }

    func rank(of model: Int, isFallback: Bool) -> Rank {
        if model == pinned, !isFallback, let first = sections.indices.first(where: { sections[$0].part.isTry }) {
            let reason = Explanation.Reason(order: sections[first].order, text: "sticky: served the conversation last")
            return Rank(part: part(first), reason: reason)
        }
        let indices = sections.indices.filter { sections[$0].part.isFallback == isFallback && !sections[$0].part.isChain }
        // The request's `fallback_model` is traced last, but comes first.
        return rank(
            of: model,
            among: indices.filter { sections[$0].part == .requestedFallback } + indices.filter { sections[$0].part != .requestedFallback })
    }

    func rank(of model: Int, in part: PlanTrace.Part) -> Rank {
        rank(of: model, among: sections.indices.filter { sections[$0].part == part })
    }

    private func rank(of model: Int, among indices: [Int]) -> Rank {
        for index in indices {
            let section = sections[index]
            guard let position = section.chosen.firstIndex(where: { $0.model == model }) else { continue }
            return Rank(part: part(index), reason: reason(section, position))
        }
        // The model was not traced, so no reason is known.
        return Rank(part: .named, reason: Explanation.Reason(order: .listed, text: Order.listed.rawValue))
    }

    private func part(_ index: Int) -> Explanation.Part {
        switch sections[index].part {
        case .named: .named
        case .route(let name): .try(route: name)
        case .fallback: .fallback
        case .requestedFallback: .requestedFallback
        case .defaultFallback: .defaultFallback
        case .fallbackOn(let failure): .fallbackOn(failure)
        }
    }

    private func reason(_ section: PlanTrace.Section, _ position: Int) -> Explanation.Reason {
        let (model, reading) = section.chosen[position]
        let definition = snapshot.models[model], statistics = reading.statistics
        var reason = Explanation.Reason(order: section.order, text: section.order.rawValue)
        func add(_ detail: String) { reason.text += ": \(detail)" }
        if section.part.isTry, fields.prefersFast == true {
            reason.text = "prefer_fast"
            reason.score = Double(statistics.preferredLatency)
            add(statistics.meanLatencyMilliseconds.map { "\(Double($0).short) ms latency" } ?? "no samples, counts as 1s")
            return reason
        }
        switch section.order {
        case .listed:
            break
        case .roundRobin:
            if position == 0 { add("next in rotation") }
        case .weighted, .best, .top3:
            let score = Ranking.score(weight: definition.weight, reading.statistics)
            let speed = 1000 / max(statistics.meanLatencyMilliseconds.map(Double.init) ?? 100, 100)
            reason.score = score
            reason.share = reading.availability.isAvailable ? share(section, position, score) : nil
            add("\(definition.weight.short) x \(max(Double(statistics.successRate), 0.02).short) x \(speed.short) = \(score.short)")
            if let share = reason.share { reason.text += " (\((share * 100).short) %)" }
        case .fastest:
            reason.score = (statistics.meanFirstTokenMilliseconds ?? statistics.meanLatencyMilliseconds).map(Double.init)
            if let first = statistics.meanFirstTokenMilliseconds {
                add("\(Double(first).short) ms to the first token")
            } else {
                add(reason.score.map { "\($0.short) ms latency" } ?? "no samples")
            }
        case .cheapest:
            reason.score = definition.price.map { cost.dollars(ExpectedCost.Rates($0), isCached: false) }
            add(reason.score.map { "about $\($0.small)" } ?? "no price")
        case .leastBusy:
            reason.score = Double(reading.inFlight)
            add("\(reading.inFlight) in progress")
        }
        return reason
    }

    /// The probability that the draw puts this candidate first in its group; nil if nothing is drawn.
    private func share(_ section: PlanTrace.Section, _ position: Int, _ score: Double) -> Double? {
        guard section.order != .best else { return nil }
        var models = section.chosen.filter { $0.reading.availability.isAvailable }
        models += section.omitted.compactMap { omitted in
            guard omitted.rule == .outranked else { return nil }
            let reading = state.reading(ofModel: omitted.model)
            return reading.availability.isAvailable ? (omitted.model, reading) : nil
        }
        if section.order == .top3 {
            // The draw was among the first three.
            guard models.prefix(3).contains(where: { $0.model == section.chosen[position].model }) else { return nil }
            models = Array(models.prefix(3))
        }
        let sum = models.reduce(0) { $0 + Ranking.score(weight: snapshot.traits[$1.model].weight, $1.reading.statistics) }
        return sum > 0 ? score / sum : nil
    }
}

extension PlanTrace {
    /// Whether chance or a rotation decided about the order.
    var isDrawn: Bool {
        sections.contains { section in
            guard section.chosen.count(where: { $0.reading.availability.isAvailable }) > 1 else { return false }
            return switch section.order {
            case .weighted, .top3, .roundRobin, .leastBusy: true
            case .listed, .best, .fastest, .cheapest: false
            }
        }
    }
}

extension PlanTrace.Part {
    var isFallback: Bool {
        switch self {
        case .fallback, .requestedFallback, .defaultFallback: true
        case .named, .route, .fallbackOn: false
        }
    }

    var isChain: Bool {
        if case .fallbackOn = self { true } else { false }
    }
}
