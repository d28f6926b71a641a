import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

/// Models that a wildcard stands for.
@Suite("wildcards")
struct WildcardTests {
    static let yaml = """
        providers: { p: { plugin: silent }, openrouter: { plugin: silent }, off: { plugin: silent, api_key: "${NOT_SET}" } }
        models:
          a: { provider: p, tags: [x] }
          openrouter/listed: { provider: p }
          openrouter/*: { provider: openrouter, tags: [x], limits: { concurrent: 1 }, price: { input: 1, output: 2 } }
          openrouter/free/*: { provider: p, upstream: "free-*" }
          gone/*: { provider: off }
          vectors/*: { provider: p, serves: [embeddings] }
        routes:
          auto: { try: { select: { tags: x } } }
          every: { try: { select: {} } }
        keys:
          all: { secret: key-of-all-models-00 }
          glob: { secret: key-of-a-glob-000000, models: [a, "openrouter/deep*"] }
          tag: { secret: key-of-a-tag-0000000, models: ["tag:x"] }
          name: { secret: key-of-a-name-000000, models: [openrouter/deepseek] }
          aOnly: { secret: key-of-a-only-000000, models: [a] }
        """

    private func plan(
        _ models: [String], key: String = "all", operation: ProviderKit.Operation = .chat,
        _ change: (inout RoutingOverrides) -> Void = { _ in }
    ) throws -> (tries: [ModelDefinition], plan: Plan, snapshot: Snapshot) {
        let base = try snapshot(Self.yaml)
        let scope = try #require(base.policy.keys.first { $0.name == key }).models
        var request = PlanRequest(operation: operation, models: models, scope: scope)
        change(&request.fields)
        let snapshot = base.including(unlistedOf: request)
        let plan = try Planner.plan(request, in: snapshot, state: FixedState())
        return (plan.tries.map { snapshot.models[$0] }, plan, snapshot)
    }

    @Test("a request for a matching name goes to the provider under the part that '*' stands for")
    func matching() throws {
        let planned = try plan(["openrouter/deepseek/r1:free"])
        let model = try #require(planned.tries.first)
        #expect(planned.tries.count == 1 && planned.plan.isNamed)
        #expect(model.name == "openrouter/deepseek/r1:free" && model.upstream == "deepseek/r1:free")
        #expect(model.price == Price(input: 1, output: 2))
        #expect(planned.snapshot.instance(ofModel: planned.plan.tries[0])?.name == "openrouter")
    }

    @Test("the longest prefix wins, and every name that is defined goes before it")
    func precedence() throws {
        #expect(try plan(["openrouter/free/x"]).tries.map(\.upstream) == ["free-x"])
        #expect(try plan(["openrouter/listed"]).tries.map(\.upstream) == ["openrouter/listed"])
        #expect(try plan(["openrouter/freedom"]).tries.map(\.upstream) == ["freedom"])
        #expect(try plan(["auto"]).tries.map(\.name) == ["a"])
    }

    @Test("no selector chooses a wildcard")
    func selectors() throws {
        #expect(try plan(["every"]).tries.map(\.name) == ["a", "openrouter/listed"])
        let implicit = try snapshot("providers: { p: { plugin: silent } }\nmodels: { a: { provider: p }, p/*: { provider: p } }")
        #expect(implicit.auto.all == [0])
    }

    @Test(
        "a name behind the prefix has 1 to 256 characters of visible ASCII; any other is unknown",
        arguments: [
            "openrouter/", "openrouter/*", "openrouter/a b", "openrouter/é", "openrouter/" + String(repeating: "x", count: 257), "other",
        ])
    func unknown(name: String) throws {
        #expect(throws: PlanRefusal.unknown(name)) { try plan([name]) }
    }

    @Test("the longest allowed name is served")
    func longest() throws {
        #expect(try plan(["openrouter/" + String(repeating: "x", count: 256)]).tries.count == 1)
    }

    @Test("a key reaches the names that a glob, a tag or a name of its scope allows; any other is unknown")
    func scopes() throws {
        for (key, name) in [("glob", "openrouter/deepseek"), ("tag", "openrouter/x"), ("name", "openrouter/deepseek")] {
            #expect(try plan([name], key: key).tries.map(\.name) == [name])
        }
        for (key, name) in [("glob", "openrouter/x"), ("tag", "openrouter/free/x"), ("name", "openrouter/x"), ("aOnly", "openrouter/x")] {
            #expect(throws: PlanRefusal.forbidden(name)) { try plan([name], key: key) }
        }
    }

    @Test("a list and 'fallback_model' may name models that wildcards stand for")
    func lists() throws {
        let list = try plan(["openrouter/a", "openrouter/b", "gone/c", "a"])
        #expect(list.tries.map(\.name) == ["openrouter/a", "openrouter/b", "a"])
        let fallback = try plan(["a"]) { $0.fallbackModel = "openrouter/z" }
        #expect(fallback.plan.fallback.map { fallback.snapshot.models[$0].upstream } == ["z"])
        #expect(throws: PlanRefusal.forbidden("openrouter/z")) { try plan(["a"], key: "aOnly") { $0.fallbackModel = "openrouter/z" } }
    }

    @Test("a wildcard of a provider that is off, and one that doesn't serve the operation, refuse like any model")
    func refusals() throws {
        #expect(throws: PlanRefusal.off(["NOT_SET"])) { try plan(["gone/x"]) }
        #expect(throws: PlanRefusal.self) { try plan(["vectors/x"]) }
        #expect(try plan(["vectors/x"], operation: .embeddings).tries.map(\.upstream) == ["x"])
    }

    @Test("metrics have the wildcard's name; breakers are those of each model, and limits those of the wildcard")
    func states() throws {
        let planned = try plan(["openrouter/a", "openrouter/b"]), snapshot = planned.snapshot
        let states = planned.plan.tries.map { snapshot.state(ofModel: $0) }
        #expect(
            planned.plan.tries.map(snapshot.metricName(ofModel:))
                == Array(repeating: ModelName(provider: "openrouter", model: "openrouter/*"), count: 2))
        #expect(states[0] !== states[1] && states[0].breaker !== states[1].breaker)
        #expect(states[0].limits.own != nil && states[0].limits.own === states[1].limits.own)
        #expect(snapshot.states.states(ofWildcard: 2).count == 2)
        let again = snapshot.including(unlistedOf: PlanRequest(models: ["openrouter/a"]))
        #expect(again.unlisted.first?.state === states[0])
    }

    @Test("a policy without wildcards makes no copy for a request")
    func free() throws {
        let snapshot = try snapshot("providers: { p: { plugin: silent } }\nmodels: { a: { provider: p } }")
        #expect(snapshot.including(unlistedOf: PlanRequest(models: ["nope"])) === snapshot)
    }
}
