import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

/// Which fallback serves a request, and what binds it.
@Suite("fallbacks")
struct FallbackTests {
    static let yaml = """
        listen: 127.0.0.1:0
        defaults: { fallback: %DEFAULT% }
        providers: { p: { plugin: silent }, q: { plugin: silent }, off: { plugin: silent, api_key: "${NOT_SET}" } }
        models:
          a: { provider: p, tags: [x], type: fast }
          b: { provider: p, tags: [y], context: 1000 }
          own: { provider: q, tags: [paid], context: 1000, max_output: 100 }
          paid: { provider: q, tags: [paid], supports: [tools] }
          gone: { provider: off }
          q/vendor/large: { provider: q }
        routes:
          plain: { try: [a, b] }
          owning: { try: [a, b], fallback: { select: { tags: paid }, order: cheapest }, fallback_on: { content_filter: [own] } }
          closed: { try: [a], fallback: [] }
          nested: { try: [owning] }
          dead: { try: [gone] }
        keys:
          all: { secret: key-of-all }
          plainOnly: { secret: key-of-plain, models: [plain] }
          aOnly: { secret: key-of-a, models: [a] }
          vendor: { secret: key-of-vendor, models: [a, "q/vendor/*"] }
        """

    private func plan(
        _ models: [String], default fallback: String = "[paid]", key: String = "all", needs: RequestNeeds = RequestNeeds(),
        _ change: (inout RoutingOverrides) -> Void = { _ in }
    ) throws -> (tries: [String], fallback: [String], plan: Plan, snapshot: Snapshot) {
        let base = try snapshot(Self.yaml.split(separator: "%DEFAULT%", omittingEmptySubsequences: false).joined(separator: fallback))
        let scope = try #require(base.policy.keys.first { $0.name == key }).models
        var request = PlanRequest(models: models, needs: needs, scope: scope)
        change(&request.fields)
        let snapshot = base.including(unlistedOf: request)
        let plan = try Planner.plan(request, in: snapshot, state: FixedState())
        func names(_ models: [Int]) -> [String] { models.map { snapshot.models[$0].key } }
        return (names(plan.tries), names(plan.fallback), plan, snapshot)
    }

    @Test(
        "a request's wishes choose among 'try', and do not bind the fallback",
        arguments: [
            { $0.tags = TagExpression(["x"]) }, { $0.type = "fast" }, { $0.minContext = 2000 }, { $0.minOutput = 2000 },
            { $0.minSuccessRate = 1 }, { $0.prefersFast = true }, { $0.selectionMode = .best },
        ] as [@Sendable (inout RoutingOverrides) -> Void])
    func wishes(change: @Sendable (inout RoutingOverrides) -> Void) throws {
        let wished = try plan(["owning"], change), plain = try plan(["owning"])
        #expect(wished.fallback == plain.fallback && wished.plan.fallbackOn == plain.plan.fallbackOn)
        #expect(try plan(["plain"], change).fallback == ["paid"])
        #expect(try plan(["a"], change).fallback == ["paid"])
    }

    @Test("tags bind 'try' alone, so that a request whose tags no model of 'try' has goes to the fallback")
    func tags() throws {
        let tagged = try plan(["plain"]) { $0.tags = TagExpression(["y"]) }
        #expect(tagged.tries == ["b"] && tagged.fallback == ["paid"])
        let unmatched = try plan(["plain"]) { $0.tags = TagExpression(["nothing"]) }
        #expect(unmatched.tries.isEmpty && unmatched.fallback == ["paid"])
        #expect(throws: PlanRefusal.self) { try plan(["closed"]) { $0.tags = TagExpression(["nothing"]) } }
    }

    @Test("a fallback must serve what the request needs")
    func needs() throws {
        #expect(try plan(["owning"], needs: RequestNeeds(supports: [.tools])).fallback == ["paid"])
        #expect(try plan(["owning"]) { $0.supports = [.tools] }.fallback == ["paid"])
        #expect(try plan(["owning"], needs: RequestNeeds(maxTokens: 500)).fallback == ["paid"])
        #expect(try plan(["a"], default: "[own, paid]", needs: RequestNeeds(promptTokens: 2000)).fallback == ["paid"])
        #expect(try plan(["a"], default: "[own, paid]", needs: RequestNeeds(supports: [.image])).fallback == [])
    }

    @Test("defaults.fallback serves every request without a fallback of its own, also one that names models")
    func defaultFallback() throws {
        for names in [["plain"], ["a"], ["p/a"], ["a", "b"], ["a", "plain"], ["a", "auto"], [], ["auto"], ["nope", "a"]] {
            #expect(try plan(names).fallback == ["paid"], "\(names)")
            #expect(try plan(names, default: "[]").fallback == [], "\(names)")
        }
        #expect(try plan(["owning"]).fallback == ["own", "paid"])
        #expect(try plan(["closed"]).fallback == [])
        #expect(try plan(["a", "owning"]).fallback == ["own", "paid"])
        #expect(try plan(["a"]) { $0.fallbackModel = "b" }.fallback == ["b"])
        #expect(try plan(["a"]).plan.isNamed)
    }

    @Test("defaults.fallback may be any chain: names, routes and selectors")
    func chains() throws {
        #expect(try plan(["a"], default: "{ select: { provider: q }, order: listed }").fallback == ["own", "paid", "q/vendor/large"])
        #expect(try plan(["b"], default: "[plain, paid]").fallback == ["a", "b", "paid"])
    }

    @Test("a model that is off, and a route of such models, go to the fallback; without one they are refused")
    func off() throws {
        for name in ["gone", "dead"] {
            #expect(try plan([name]).fallback == ["paid"])
            #expect(try plan([name], default: "[]") { $0.fallbackModel = "b" }.fallback == ["b"])
            #expect(throws: PlanRefusal.off(["NOT_SET"])) { try plan([name], default: "[]") }
            #expect(throws: PlanRefusal.off(["NOT_SET"])) { try plan([name], default: "[gone]") }
        }
        #expect(throws: PlanRefusal.unknown("nope")) { try plan(["nope"]) }
    }

    @Test("a route that a key's scope names grants defaults.fallback; otherwise its models must be in the scope")
    func scope() throws {
        #expect(try plan(["plain"], key: "plainOnly").fallback == ["paid"])
        #expect(try plan(["a"], key: "aOnly").fallback == [])
        #expect(try plan(["plain"], key: "aOnly").fallback == [])
    }

    @Test("unknown names in a list are skipped; only a list without any known name is unknown")
    func skipped() throws {
        let list = try plan(["nope", "a", "q/nope", "b"])
        #expect(list.tries == ["a", "b"] && list.plan.skippedNames == ["nope", "q/nope"])
        #expect(try plan(["b", "a"], key: "aOnly").plan.skippedNames == ["b"])
        #expect(throws: PlanRefusal.unknown("nope, no")) { try plan(["nope", "no"]) }
        #expect(throws: PlanRefusal.self) { try plan(["b", "nope"], key: "aOnly") }
        // The only name that is left is planned as if it were alone.
        let route = try plan(["nope", "closed"])
        #expect(route.plan.route == "closed" && route.plan.skippedNames == ["nope"])
        #expect(try plan(["nope", "a"]).plan.isNamed)
    }

    // MARK: Models that the policy does not list

    @Test("with fallback_provider, fallback_model may be any model of that provider")
    func unlisted() throws {
        let named = try plan(["a"]) { ($0.fallbackProvider, $0.fallbackModel) = ("q", "vendor/new:free") }
        let model = try #require(named.plan.fallback.first)
        #expect(named.fallback == ["vendor/new:free"] && named.snapshot.isUnlisted(model))
        #expect(named.snapshot.models[model].upstream == "vendor/new:free")
        #expect(named.snapshot.instance(ofModel: model)?.name == "q")
        #expect(named.snapshot.metricName(ofModel: model) == ModelName(provider: "q", model: "other"))
        #expect(named.snapshot.timeouts(ofModel: model, on: nil) == Timeouts())
        let listed = try plan(["a"]) { ($0.fallbackProvider, $0.fallbackModel) = ("q", "vendor/large") }
        #expect(listed.fallback == ["q/vendor/large"] && listed.snapshot.unlisted.isEmpty)
        #expect(try plan(["owning"]) { ($0.fallbackProvider, $0.fallbackModel) = ("q", "new") }.fallback == ["new", "own", "paid"])
        #expect(try plan(["a"]) { ($0.fallbackProvider, $0.fallbackModel) = ("off", "new") }.fallback == [])
        #expect(throws: PlanRefusal.unknown("nobody/new")) {
            try plan(["a"]) { ($0.fallbackProvider, $0.fallbackModel) = ("nobody", "new") }
        }
        #expect(throws: PlanRefusal.unknown("new")) { try plan(["a"]) { $0.fallbackModel = "new" } }
    }

    @Test("an unlisted fallback_model needs a pattern in the key's scope that matches provider/name")
    func unlistedScope() throws {
        let allowed = try plan(["a"], key: "vendor") { ($0.fallbackProvider, $0.fallbackModel) = ("q", "vendor/new") }
        #expect(allowed.fallback == ["vendor/new"])
        for (key, model) in [("vendor", "other/new"), ("aOnly", "vendor/new"), ("plainOnly", "vendor/new")] {
            #expect(throws: PlanRefusal.forbidden("q/\(model)")) {
                try plan([key == "plainOnly" ? "plain" : "a"], key: key) { ($0.fallbackProvider, $0.fallbackModel) = ("q", model) }
            }
        }
    }

    @Test("an explanation shows an unlisted fallback_model and defaults.fallback")
    func explained() throws {
        let snapshot = try snapshot(Self.yaml.split(separator: "%DEFAULT%", omittingEmptySubsequences: false).joined(separator: "[paid]"))
        func explain(_ change: (inout RoutingOverrides) -> Void) throws -> [String] {
            var request = PlanRequest(models: ["a"])
            change(&request.fields)
            let explanation = Explanation.of(
                request, key: .notGiven, in: snapshot, state: .fresh(seed: 1), refusal: ExplanationPolicy.refusal)
            return try #require(explanation.plannedCall).attempts.filter(\.isFallback).map { "\($0.part.label) \($0.model.label)" }
        }
        #expect(try explain { _ in }.first == "defaults.fallback q/paid")
        #expect(try explain { ($0.fallbackProvider, $0.fallbackModel) = ("q", "new") }.first == "fallback_model q/new")
    }

    @Test("the states of the last 1,000 unlisted models are kept, also over a reload")
    func states() throws {
        let policy = try policy(Self.yaml.split(separator: "%DEFAULT%", omittingEmptySubsequences: false).joined(separator: "[]"))
        let base = Snapshot.provision(policy, over: nil, at: 1)
        func state(_ name: String, in snapshot: Snapshot) throws -> ModelState {
            var request = PlanRequest(models: ["a"])
            (request.fields.fallbackProvider, request.fields.fallbackModel) = ("q", name)
            let snapshot = snapshot.including(unlistedOf: request)
            return try #require(snapshot.unlisted.first).state
        }
        let first = try state("first", in: base)
        #expect(try state("first", in: base) === first)
        #expect(try state("first", in: Snapshot.provision(policy, over: base, at: 2)) === first)
        for number in 0..<(UnlistedStates.capacity - 1) { _ = try state("m\(number)", in: base) }
        #expect(try state("first", in: base) === first)
        _ = try state("one more", in: base)
        #expect(try state("first", in: base) === first)
        for number in 0..<UnlistedStates.capacity { _ = try state("n\(number)", in: base) }
        #expect(try state("first", in: base) !== first)
        #expect(base.states.unlisted.count == UnlistedStates.capacity)
    }
}
