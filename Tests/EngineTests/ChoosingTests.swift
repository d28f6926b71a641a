import NIOCore
import RoutingPolicy
import Testing

@testable import Engine

/// The choice of candidates by the request's needs and overrides, the order, and the state of the models.
@Suite("choosing candidates")
struct ChoosingTests {
    static let yaml = """
        listen: 127.0.0.1:0
        providers: { p: { plugin: silent }, q: { plugin: silent } }
        models:
          text: { provider: p, context: 1000, max_output: 100, price: { input: 1, output: 1 } }
          eyes: { provider: p, supports: [image, tools], context: 4000, price: { input: 3, output: 3 } }
          all: { provider: q, type: fast, supports: [image, audio, video, file, tools, json], context: 100000, max_output: 5000, price: { input: 2, output: 2 } }
          free: { provider: q, tags: [free], price: { input: 0, output: 0 } }
        routes:
          auto: { try: [text, eyes], fallback: [all] }
          any: { try: { select: {}, order: %ORDER% } }
          fallbackOnly: { try: text, fallback: [{ select: { supports: [image] } }] }
        """

    private func plan(
        _ request: PlanRequest, order: Order = .listed, state: FixedState = FixedState()
    ) throws -> (tries: [String], fallback: [String]) {
        let snapshot = try snapshot(
            Self.yaml.split(separator: "%ORDER%", omittingEmptySubsequences: false).joined(separator: order.rawValue))
        let plan = try Planner.plan(request, in: snapshot, state: state)
        func names(_ models: [Int]) -> [String] { models.map { snapshot.policy.models[$0].key } }
        return (names(plan.tries), names(plan.fallback))
    }

    @Test(
        "every candidate of a route, including its fallbacks, has the capabilities and the size that the body needs",
        arguments: [
            (RequestNeeds(supports: [.image]), ["eyes"], ["all"]),
            (RequestNeeds(supports: [.image, .json]), [], ["all"]),
            (RequestNeeds(needsAnyMedium: true), ["eyes"], ["all"]),
            (RequestNeeds(promptTokens: 900, maxTokens: 101), ["eyes"], ["all"]),
            (RequestNeeds(promptTokens: 900, maxTokens: 100), ["text", "eyes"], ["all"]),
            (RequestNeeds(promptTokens: 901, maxTokens: 100), ["eyes"], ["all"]),
            (RequestNeeds(promptTokens: 99_999), [], ["all"]),
        ])
    func needs(needs: RequestNeeds, tries: [String], fallback: [String]) throws {
        let plan = try plan(PlanRequest(needs: needs))
        #expect(plan.tries == tries && plan.fallback == fallback)
        #expect(try self.plan(PlanRequest(models: ["fallbackOnly"], needs: RequestNeeds(supports: [.audio]))).fallback == ["all"])
    }

    @Test("a model that the client names is used even if it does not fit")
    func named() throws {
        #expect(try plan(PlanRequest(models: ["text"], needs: RequestNeeds(supports: [.image], promptTokens: 1_000_000))).tries == ["text"])
    }

    @Test("if no candidate fits, the refusal lists each with the condition that it fails")
    func unfit() throws {
        let refusal = #expect(throws: PlanRefusal.self) {
            try plan(PlanRequest(needs: RequestNeeds(supports: [.json], promptTokens: 200_000)))
        }
        #expect(
            refusal
                == .unfit(
                    "auto",
                    [
                        OmittedModel(model: 0, rule: .capability(.json)), OmittedModel(model: 1, rule: .capability(.json)),
                        OmittedModel(model: 2, rule: .context(needed: 200_000, available: 100_000)),
                    ]))
    }

    @Test("routing overrides are conditions for every candidate of a route")
    func overrides() throws {
        func tries(_ change: (inout RoutingOverrides) -> Void) throws -> [String] {
            var request = PlanRequest(models: ["any"])
            change(&request.fields)
            return try plan(request).tries
        }
        #expect(try tries { $0.tags = TagExpression(["free"]) } == ["free"])
        #expect(try tries { $0.tags = TagExpression(["!free & !vision"]) } == ["text"])
        #expect(try tries { $0.type = "fast" } == ["all"])
        #expect(try tries { $0.minContext = 4000 } == ["eyes", "all"])
        #expect(try tries { $0.minOutput = 100 } == ["text", "all"])
        #expect(try tries { $0.supports = [.tools] } == ["eyes", "all"])
    }

    @Test(
        "prefer_fast ranks the models of 'try' by their mean latency, in any order; a model without samples counts as 1 s",
        arguments: Order.allCases)
    func prefersFast(order: Order) throws {
        var request = PlanRequest(models: ["any"])
        request.fields.prefersFast = true
        let state = FixedState(readings: [0: .with(latency: 1001, firstToken: 1), 1: .with(latency: 999), 3: .with(latency: 20)])
        #expect(try plan(request, order: order, state: state).tries == ["free", "eyes", "all", "text"])
        request = PlanRequest(models: ["auto"], overrides: request.overrides)
        #expect(try plan(request, state: state).tries == ["eyes", "text"])
    }

    @Test("prefer_fast ranks the models of all steps of 'try' together, the available ones first")
    func prefersFastAcrossSteps() throws {
        let snapshot = try snapshot(
            """
            listen: 127.0.0.1:0
            providers: { p: { plugin: silent } }
            models: { a: { provider: p }, b: { provider: p }, c: { provider: p, tags: [x] }, d: { provider: p, tags: [x] } }
            routes:
              auto: { try: [a, { select: { models: [b, c] } }, inner] }
              inner: { try: { select: { tags: x }, order: cheapest } }
            """)
        var request = PlanRequest()
        request.fields.prefersFast = true
        func order(_ readings: [Int: ModelReading]) throws -> [Int] {
            try Planner.plan(request, in: snapshot, state: FixedState(readings: readings)).tries
        }
        #expect(try order([1: .with(latency: 50)]) == [1, 0, 2, 3])
        #expect(try order([0: .with(latency: 1500), 3: .with(latency: 900)]) == [3, 1, 2, 0])
        #expect(try order([3: .with(.full, latency: 10), 0: .with(.probing, latency: 1)]) == [1, 2, 0, 3])
    }

    @Test("bounds in the request override the route's")
    func bounds() throws {
        var request = PlanRequest(models: ["any"])
        request.fields.maxModelSwitches = 2
        request.fields.retries = 3
        request.fields.retryDelay = .milliseconds(7)
        request.fields.timeout = .seconds(9)
        let plan = try Planner.plan(
            request, in: try snapshot(Self.yaml.split(separator: "%ORDER%", omittingEmptySubsequences: false).joined(separator: "listed")),
            state: FixedState())
        #expect(plan.maxModels == 2 && plan.retry.retries == 3)
        #expect(plan.attemptTimeout == .seconds(9) && plan.total == .seconds(600))
        let retry = Retry().overridden(by: plan.retry)
        for number in 1...9 {
            let delay = retry.delay(ofRetry: number)
            #expect(delay > .microseconds(6999) && delay < .microseconds(7001))
        }
        #expect(retry.jitter == 0.2)
    }

    @Test("the request's fallback_model comes before the route's fallbacks, and must be in the key's scope")
    func requestedFallback() throws {
        var request = PlanRequest(models: ["auto"])
        request.fields.fallbackModel = "free"
        #expect(try plan(request).fallback == ["free", "all"])
        request.fields.fallbackProvider = "q"
        #expect(try plan(request).fallback == ["free", "all"])
        request = PlanRequest(models: ["auto"], overrides: request.overrides, scope: ModelScope(models: [0], routes: [0]))
        #expect(throws: PlanRefusal.forbidden("q/free")) { try plan(request) }
        request = PlanRequest(models: ["text"], overrides: request.overrides)
        #expect(try plan(request).fallback == ["free"])
    }

    @Test("a list of names is planned in order, and can end with 'auto'")
    func list() throws {
        #expect(try plan(PlanRequest(models: ["free", "q/all"])).tries == ["free", "all"])
        let plan = try plan(PlanRequest(models: ["free", "auto"]))
        #expect(plan.tries == ["free", "text", "eyes"] && plan.fallback == ["all"])
        // A segment contributes as many models as the request may call.
        let many = try snapshot(
            """
            listen: 127.0.0.1:0
            providers: { p: { plugin: silent } }
            models: { \((0..<12).map { "m\($0): { provider: p }" }.joined(separator: ", ")) }
            """)
        var request = PlanRequest()
        request.fields.maxModelSwitches = 10
        #expect(try Planner.plan(request, in: many, state: FixedState()).tries.count == 12)
    }

    @Test(
        "an order ranks the models that the selector matches",
        arguments: [
            (Order.listed, ["text", "eyes", "all", "free"]),
            (.cheapest, ["free", "text", "all", "eyes"]),
            (.fastest, ["free", "all", "eyes", "text"]),
            (.leastBusy, ["free", "all", "text", "eyes"]),
            (.best, ["free", "all", "eyes", "text"]),
            (.roundRobin, ["text", "eyes", "all", "free"]),
        ])
    func orders(order: Order, expected: [String]) throws {
        let readings: [Int: ModelReading] = [
            0: .with(rate: 0.5, latency: 1000, firstToken: 900, inFlight: 2),
            1: .with(rate: 0.9, latency: 800, firstToken: 500, inFlight: 3),
            2: .with(rate: 1, latency: 400, firstToken: 100, inFlight: 1), 3: .fresh,
        ]
        #expect(try plan(PlanRequest(models: ["any"]), order: order, state: FixedState(readings: readings)).tries == expected)
    }

    @Test("round robin advances by one with each request")
    func roundRobin() throws {
        let firsts = try (0..<8).map { try plan(PlanRequest(models: ["any"]), order: .roundRobin, state: FixedState(turn: $0)).tries[0] }
        #expect(firsts == ["text", "eyes", "all", "free", "text", "eyes", "all", "free"])
    }

    @Test("selection_mode replaces the order of the route's selectors")
    func selectionMode() throws {
        var request = PlanRequest(models: ["any"])
        request.fields.selectionMode = .best
        let state = FixedState(readings: [0: .with(rate: 0.1), 1: .with(rate: 0.2), 2: .with(rate: 0.9), 3: .with(rate: 0.3)])
        #expect(try plan(request, state: state).tries == ["all", "free", "eyes", "text"])
    }

    @Test(
        "an unavailable model comes after all available ones",
        arguments: [
            Availability.coolingDown(until: .distantFuture), .open(until: .distantFuture), .limited(until: .distantFuture), .full, .probing,
        ])
    func unavailable(availability: Availability) throws {
        let state = FixedState(readings: [3: .with(availability)])
        #expect(try plan(PlanRequest(models: ["any"]), order: .cheapest, state: state).tries == ["text", "all", "eyes", "free"])
    }

    @Test("a model below min_success_rate is left out, but a model without samples is not")
    func successRate() throws {
        var request = PlanRequest(models: ["any"])
        request.fields.minSuccessRate = 0.9
        let state = FixedState(readings: [0: .with(rate: 0.89), 1: .with(rate: 0.9), 2: .with(rate: 0.5)])
        #expect(try plan(request, state: state).tries == ["eyes", "free"])
    }
}
