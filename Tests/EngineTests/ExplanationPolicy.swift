import NIOCore
import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

/// A policy that covers all aspects of an explanation, and helpers for explaining requests with it.
enum ExplanationPolicy {
    static let yaml = """
        listen: 127.0.0.1:0
        defaults: { max_models: 3, max_attempts: 4 }
        providers:
          near: { plugin: silent }
          far: { plugin: silent, timeouts: { first_byte: 5s }, retry: { retries: 0 } }
          off: { plugin: silent, api_key: "${FAR_KEY}" }
        models:
          swift: { provider: near, type: fast, tags: [general], context: 8000, max_output: 1000, price: { input: 0.25, output: 0.5 }, weight: 3 }
          wise: { provider: near, tags: [general], supports: [image, tools], context: 64000, price: { input: 1, output: 2 }, weight: 1 }
          vast: { provider: far, tags: [general, paid], supports: [image], context: 1000000 }
          gone: { provider: off, tags: [general] }
          tiny: { provider: near, tags: [small], context: 1000 }
          near/twin: { provider: near, tags: [small] }
          far/twin: { provider: far, tags: [small] }
        routes:
          auto:
            try: { select: { tags: "general & !paid" }, order: weighted }
            fallback: [vast, tiny]
            fallback_on: { context_overflow: [vast] }
          best: { try: { select: { tags: general }, order: best } }
          three: { try: { select: { tags: general }, order: top3 }, max_models: 2 }
          cheap: { try: { select: { tags: general }, order: cheapest } }
          quick: { try: { select: { tags: general }, order: fastest } }
          idle: { try: { select: { tags: small }, order: least_busy } }
          turns: { try: { select: { tags: small }, order: round_robin } }
          narrow:
            try:
              - select: { type: fast, provider: near, min_context: 4000, max_price: 0.6, models: ["s*"] }
          bounded: { try: [swift, wise, vast, tiny], max_models: 2, max_attempts: 2, hedge: { after: 3s, max_cost: 0.01 }, resume: true }
          chained: { try: [swift], fallback_on: { content_filter: [vast] } }
          strict: { try: [swift, wise], failover: { upstream_error: stop } }
        keys:
          one: { secret: key-of-one, models: [swift, auto] }
          all: { secret: key-of-all }
        """

    static func explain(
        _ models: [String] = ["auto"], needs: RequestNeeds = RequestNeeds(), overrides: RoutingOverrides = RoutingOverrides(),
        key: String? = nil, down: [String] = [],
        seed: UInt64 = 1, readings: [String: ModelReading] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Explanation {
        let snapshot = try snapshot(yaml, sourceLocation: sourceLocation)
        let scope =
            try key.map { name in try #require(snapshot.policy.keys.first { $0.name == name }, sourceLocation: sourceLocation).models }
            ?? nil
        let indexed = readings.reduce(into: [Int: ModelReading]()) { known, entry in
            for model in snapshot.models(named: entry.key) { known[model] = entry.value }
        }
        let now = NIODeadline.uptimeNanoseconds(0), states = indexed.mapValues { modelState($0.availability, now: now) }
        return Explanation.of(
            PlanRequest(models: models, needs: needs, overrides: OverridesBox(overrides), scope: scope),
            key: key.map { .named($0) } ?? .notGiven,
            in: snapshot,
            state: .fixed(indexed, states, seed: seed, at: now), down: snapshot.models(down: down), refusal: refusal)
    }

    /// A short error response for each refusal, in place of the API's.
    static func refusal(_ refusal: PlanRefusal) -> RequestRefusal {
        switch refusal {
        case .unknown(let name): RequestRefusal(status: 404, code: "unknown", message: name)
        case .forbidden(let name): RequestRefusal(status: 403, code: "forbidden", message: name)
        case .off(let variables): RequestRefusal(status: 503, code: "off", message: variables.joined(separator: ", "))
        case .empty(let name): RequestRefusal(status: 503, code: "empty", message: name)
        case .unfit(let name, let omitted): RequestRefusal(status: 400, code: "unfit", message: "\(name): \(omitted.count)")
        }
    }

    static func reading(
        _ availability: Availability = .ready, successRate: Float = 1, latency: Float? = nil, firstToken: Float? = nil, inFlight: Int = 0
    ) -> ModelReading {
        var reading = ModelReading.with(availability, rate: successRate, latency: latency, firstToken: firstToken, inFlight: inFlight)
        reading.statistics.samples = latency == nil ? 0 : 10
        return reading
    }

    static func after(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }
}

extension Explanation {
    /// The names of the called models, in order, with `=` before a retry and `+` before a fallback.
    var called: [String] { plannedCall?.attempts.map { ($0.isRetry ? "=" : "") + ($0.isFallback ? "+" : "") + $0.model.name } ?? [] }

    var plannedCall: PlannedCall? {
        if case .planned(let call) = outcome { call } else { nil }
    }

    func rule(_ model: String) -> String? { leftOut.first { $0.model.name == model }?.rule }

    func why(_ model: String) -> String? { plannedCall.flatMap { ($0.attempts + $0.chains).first { $0.model.name == model }?.reason.text } }
}
