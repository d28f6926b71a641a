import NIOCore
import Testing

@testable import Engine
@testable import RoutingPolicy

@Suite("states across a reload")
struct StateProvisionTests {
    private func policy(_ change: (inout RoutingPolicy) -> Void = { _ in }) -> RoutingPolicy {
        var policy = RoutingPolicy()
        policy.providers = ["p", "q"].map { name in
            var provider = ProviderDefinition(name: name, plugin: "silent")
            provider.limits = Limits(concurrent: 3)
            return provider
        }
        policy.models = [("a", 0), ("b", 0), ("c", 1)].map { name, provider in
            var model = ModelDefinition(key: name, provider: provider)
            model.limits = Limits(requestsPerMinute: 10)
            return model
        }
        policy.keys = ["k", "l"].map { KeyDefinition(name: $0, digest: []) }
        policy.keys[0].limits = Limits(requestsPerMinute: 5)
        change(&policy)
        return policy
    }

    private func provision(_ policy: RoutingPolicy, over running: ModelStates?, isKept: (Int) -> Bool = { _ in true }) -> ModelStates {
        ModelStates.provision(policy, over: running, isKept: isKept)
    }

    @Test("states are in the policy's order; each model has its own limiter, and the models of a provider share the provider's")
    func order() {
        let states = provision(policy(), over: nil) { _ in false }
        #expect(states.models.map(\.key.name) == ["a", "b", "c"])
        #expect(states.models[0].limits.own !== states.models[1].limits.own)
        #expect(states.models[0].limits.shared === states.models[1].limits.shared)
        #expect(states.models[0].limits.shared !== states.models[2].limits.shared)
        #expect(states.keyLimiters.mapValues(\.limits) == ["k": Limits(requestsPerMinute: 5)])
    }

    @Test("an equal policy keeps every state, in any order of the models")
    func kept() {
        let old = provision(policy(), over: nil)
        let new = provision(policy { $0.models.swapAt(0, 2) }, over: old)
        #expect(new.models[0] === old.models[2] && new.models[1] === old.models[1] && new.models[2] === old.models[0])
        #expect(new.keyLimiters["k"] === old.keyLimiters["k"])
    }

    @Test("changed breaker settings create a new breaker and keep the rest of the state")
    func breaker() {
        let old = provision(policy(), over: nil), new = provision(policy { $0.models[0].breaker.failures = 9 }, over: old)
        #expect(new.models[0].breaker !== old.models[0].breaker && new.models[0].breaker.settings.failures == 9)
        #expect(new.models[0].statistics === old.models[0].statistics && new.models[0].limits.own === old.models[0].limits.own)
        #expect(new.models[0].attemptsInFlight === old.models[0].attemptsInFlight)
        #expect(new.models[1] === old.models[1])
    }

    @Test("changed limits create new buckets and keep statistics and breaker")
    func limits() {
        let old = provision(policy(), over: nil), new = provision(policy { $0.models[0].limits.requestsPerMinute = 11 }, over: old)
        #expect(new.models[0].limits.own !== old.models[0].limits.own && new.models[0].limits.own?.limits.requestsPerMinute == 11)
        #expect(new.models[0].statistics === old.models[0].statistics && new.models[0].breaker === old.models[0].breaker)
        #expect(provision(policy { $0.models[0].limits = Limits() }, over: old).models[0].limits.own == nil)
    }

    @Test("changed limits of a provider create a new limiter for its models, and for no others")
    func providerLimits() {
        let old = provision(policy(), over: nil), new = provision(policy { $0.providers[0].limits.concurrent = 4 }, over: old)
        #expect(new.models[0].limits.shared !== old.models[0].limits.shared && new.models[0].limits.shared === new.models[1].limits.shared)
        #expect(new.models[0].breaker === old.models[0].breaker && new.models[0].limits.own === old.models[0].limits.own)
        #expect(new.models[2] === old.models[2])
    }

    @Test("a changed window creates new statistics and keeps breaker and limiters")
    func window() {
        let old = provision(policy(), over: nil), new = provision(policy { $0.defaults.statistics.window = .seconds(60) }, over: old)
        #expect(new.models[0].statistics !== old.models[0].statistics && new.models[0].statistics.window == .seconds(60))
        #expect(new.models[0].breaker === old.models[0].breaker && new.models[0].limits.own === old.models[0].limits.own)
    }

    @Test("another upstream name, or another instance of the provider, creates a new state")
    func replaced() {
        let old = provision(policy(), over: nil)
        let renamed = provision(policy { $0.models[0].upstream = "other" }, over: old)
        #expect(renamed.models[0].breaker !== old.models[0].breaker && renamed.models[0].statistics !== old.models[0].statistics)
        let replaced = provision(policy(), over: old) { $0 != 0 }
        #expect(replaced.models[0].breaker !== old.models[0].breaker && replaced.models[0].limits.shared !== old.models[0].limits.shared)
        #expect(replaced.models[2] === old.models[2])
    }

    @Test("an attempt that spans a reload frees its slot in the old limiter and counts in the kept statistics")
    func spanningReload() throws {
        let old = provision(policy { $0.models[0].limits = Limits(concurrent: 1) }, over: nil)
        let attempt = try #require(old.models[0].tryAttempt(at: after(.zero)).attempt)
        let new = provision(policy { $0.models[0].limits = Limits(concurrent: 2) }, over: old)
        #expect(new.models[0].inFlight == 1)
        attempt.end(.succeeded(latency: .milliseconds(5), firstToken: nil), at: after(.zero))
        #expect(new.models[0].inFlight == 0 && old.models[0].limits.own?.gate?.inUse == 0)
        #expect(new.models[0].reading(now: after(.zero)).statistics.samples == 1)
    }

    @Test("a key keeps its limiter by its name, and gets a new one if its limits change")
    func keys() {
        let old = provision(policy(), over: nil)
        #expect(provision(policy { $0.keys[0].digest = [1] }, over: old).keyLimiters["k"] === old.keyLimiters["k"])
        #expect(provision(policy { $0.keys[0].limits.concurrent = 1 }, over: old).keyLimiters["k"] !== old.keyLimiters["k"])
        #expect(provision(policy { $0.keys[0].name = "m" }, over: old).keyLimiters["m"] !== old.keyLimiters["k"])
    }
}
