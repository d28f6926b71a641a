import RoutingPolicy
import Testing

@testable import Engine

@Suite("the planner")
struct PlannerTests {
    static let yaml = """
        listen: 127.0.0.1:0
        providers:
          p: { plugin: silent }
          q: { plugin: silent }
          off: { plugin: silent, api_key: "${NOT_SET}" }
        models:
          a: { provider: p, tags: [x], context: 10 }
          b: { provider: p, tags: [x, y] }
          c: { provider: off, tags: [x] }
          p/twin: { provider: p }
          q/twin: { provider: q }
        routes:
          auto: { try: [a, b], fallback: [c, p/twin] }
          tagged: { try: { select: { tags: x } }, max_models: 2, max_attempts: 3, timeouts: { total: 5s } }
          nested: { try: [tagged, q/twin] }
          dead: { try: [c] }
        keys:
          all: { secret: key-of-all }
          onlyA: { secret: key-of-a, models: [a] }
          tagged: { secret: key-of-tagged, models: [tagged] }
        """

    private func plan(_ name: String?, key: String = "all", rotation: Int = 0) throws -> Plan {
        let snapshot = try snapshot(Self.yaml)
        let scope = try #require(snapshot.policy.keys.first { $0.name == key }).models
        return try Planner.plan(PlanRequest(models: name.map { [$0] } ?? [], scope: scope), in: snapshot, state: FixedState(turn: rotation))
    }

    private func names(_ models: [Int]) throws -> [String] {
        let policy = try policy(Self.yaml)
        return models.map { policy.models[$0].key }
    }

    @Test("no name and 'auto' both select the route 'auto', without models whose provider is off")
    func auto() throws {
        for name in [nil, "auto"] {
            let plan = try plan(name)
            #expect(plan.route == "auto")
            #expect(try names(plan.tries) == ["a", "b"])
            #expect(try names(plan.fallback) == ["p/twin"])
            #expect(plan.maxModels == 4 && plan.maxAttempts == 4)
        }
    }

    @Test("without a route 'auto', the name selects every visible model, as listed")
    func impliedAuto() throws {
        let snapshot = try snapshot(
            """
            listen: 127.0.0.1:0
            providers: { p: { plugin: silent } }
            models: { z: { provider: p }, h: { provider: p, hidden: true }, a: { provider: p } }
            """)
        let plan = try Planner.plan(PlanRequest(), in: snapshot, state: FixedState())
        #expect(plan.tries.map { snapshot.policy.models[$0].key } == ["z", "a"])
    }

    @Test("a selector keeps the policy's order, and a route's bounds override the defaults")
    func selector() throws {
        let plan = try plan("tagged")
        #expect(try names(plan.tries) == ["a", "b"])
        #expect(plan.maxModels == 2 && plan.maxAttempts == 3 && plan.total == .seconds(5))
    }

    @Test("a nested route contributes its models")
    func nested() throws {
        #expect(try names(plan("nested").tries) == ["a", "b", "q/twin"])
    }

    @Test("a name rotates over the providers with that model, and provider/model selects one")
    func rotation() throws {
        #expect(try names(plan("twin", rotation: 0).tries) == ["p/twin", "q/twin"])
        #expect(try names(plan("twin", rotation: 1).tries) == ["q/twin", "p/twin"])
        #expect(try names(plan("twin", rotation: -1).tries).count == 2)
        #expect(try names(plan("q/twin").tries) == ["q/twin"])
        #expect(try names(plan("p/a").tries) == ["a"])
    }

    @Test("an unknown name is not found; for a key with a scope it is forbidden, like every name outside the scope")
    func unknown() {
        #expect(throws: PlanRefusal.unknown("nope")) { try plan("nope") }
        #expect(throws: PlanRefusal.forbidden("nope")) { try plan("nope", key: "onlyA") }
        #expect(throws: PlanRefusal.forbidden("b")) { try plan("b", key: "onlyA") }
        #expect(throws: PlanRefusal.forbidden("dead")) { try plan("dead", key: "onlyA") }
    }

    @Test("a route in the key's scope grants all of its models; in any other route each model must be in the scope")
    func scope() throws {
        #expect(try names(plan("auto", key: "onlyA").tries) == ["a"])
        #expect(try plan("auto", key: "onlyA").fallback.isEmpty)
        #expect(try names(plan("tagged", key: "tagged").tries) == ["a", "b"])
        #expect(throws: PlanRefusal.forbidden("a")) { try plan("a", key: "tagged") }
    }

    @Test("if all providers are off, the refusal names the unset variables")
    func off() {
        #expect(throws: PlanRefusal.off(["NOT_SET"])) { try plan("dead") }
        #expect(throws: PlanRefusal.off(["NOT_SET"])) { try plan("c") }
    }

    @Test("equal arguments give equal plans")
    func pure() throws {
        for name in ["auto", "tagged", "nested", "twin"] { #expect(try plan(name, rotation: 5) == plan(name, rotation: 5)) }
    }

    @Test("a model's timeouts override its provider's, which override the defaults")
    func timeouts() throws {
        let snapshot = try snapshot(
            """
            listen: 127.0.0.1:0
            defaults: { timeouts: { idle: 1s, connect: 1s, total: 1s } }
            providers: { p: { plugin: silent, timeouts: { idle: 2s, connect: 2s } } }
            models: { a: { provider: p, timeouts: { idle: 3s } } }
            """)
        let timeouts = snapshot.timeouts(ofModel: 0)
        #expect(
            timeouts.idle == .seconds(3) && timeouts.connect == .seconds(2) && timeouts.total == .seconds(1)
                && timeouts.firstByte == .seconds(60))
    }

    @Test("a key that needs prices gets only models that have one, by route and by name")
    func unpriced() throws {
        let snapshot = try snapshot(
            """
            listen: 127.0.0.1:0
            providers: { p: { plugin: silent } }
            models: { priced: { provider: p, price: { input: 0, output: 0 } }, unpriced: { provider: p } }
            routes: { auto: { try: [unpriced, priced], fallback: [unpriced] }, r: { try: [unpriced] } }
            """)
        func plan(_ name: String, needsPrice: Bool) throws -> Plan {
            try Planner.plan(PlanRequest(models: [name], needsPrice: needsPrice), in: snapshot, state: FixedState(turn: 0))
        }
        let unpriced = try #require(snapshot.models(named: "unpriced").first), priced = try #require(snapshot.models(named: "priced").first)
        #expect(try plan("auto", needsPrice: true).tries == [priced] && plan("auto", needsPrice: true).fallback.isEmpty)
        #expect(try plan("auto", needsPrice: false).tries == [unpriced, priced])
        for name in ["unpriced", "r"] {
            #expect(throws: PlanRefusal.unfit(name, [OmittedModel(model: unpriced, rule: .unpriced)])) { try plan(name, needsPrice: true) }
        }
    }
}
