import ProviderKit
import Testing

@testable import RoutingPolicy

/// How the settings of one level of a policy apply to the levels below it.
struct LevelsTests {
    private func policy(_ defaults: String, provider: String = "", model: String = "", route: String = "") throws -> RoutingPolicy {
        let report = load(
            """
            version: 1
            defaults: { \(defaults) }
            providers: { p: { plugin: echo, \(provider) } }
            models: { m: { provider: p, \(model) }, n: { provider: p } }
            routes: { r: { try: [m, n], \(route) } }
            """)
        return try #require(report.policy, "\(report.rendered())")
    }

    @Test
    func `each breaker setting comes from the model, else the provider, else the defaults`() throws {
        let policy = try policy(
            "breaker: { failures: 7, cooldown: 10s, jitter: 0.5 }", provider: "breaker: { cooldown: 20s, successes: 4 }",
            model: "breaker: { successes: 5, max_cooldown: 1m }")
        var provider = BreakerSettings()
        provider.failures = 7
        provider.cooldown = .seconds(20)
        provider.jitter = 0.5
        provider.successes = 4
        var model = provider
        model.successes = 5
        model.maxCooldown = .seconds(60)
        #expect(policy.models.map(policy.breaker) == [model, provider])
    }

    @Test
    func `a breaker can be off at each level, and a nearer level that sets something turns it on again`() throws {
        func isOff(_ defaults: String, _ provider: String = "", _ model: String = "") throws -> [Bool] {
            let policy = try policy(defaults, provider: provider, model: model)
            return policy.models.map { policy.breaker(of: $0) }.map { $0.counts.isEmpty && $0.opensAtOnce.isEmpty }
        }
        #expect(try isOff("breaker: off") == [true, true])
        #expect(try isOff("", "breaker: off") == [true, true])
        #expect(try isOff("", "", "breaker: off") == [true, false])
        #expect(try isOff("breaker: { failures: 1 }", "breaker: { failures: 2 }", "breaker: off") == [true, false])
        #expect(try isOff("breaker: off", "", "breaker: { failures: 1 }") == [false, true])
        #expect(try isOff("breaker: off", "breaker: { cooldown: 1s }", "breaker: off") == [true, false])
        #expect(try isOff("breaker: off", "breaker: {}") == [true, true])
        let on = try policy("breaker: off", model: "breaker: { failures: 1 }")
        #expect(on.breaker(of: on.models[0]).opensAtOnce == BreakerSettings().opensAtOnce)
    }

    @Test
    func `'off' shows in a difference, and changes the digest`() throws {
        let on = try policy(""), off = try policy("breaker: off")
        #expect(on.digest != off.digest)
        #expect(PolicyDifference.words(from: on, to: off, draining: [:]).first?.hasSuffix("-> off") == true)
        let model = try policy("", model: "breaker: off")
        #expect(PolicyDifference.words(from: on, to: model, draining: [:]) == ["~ model m: breaker (none) -> off"])
    }

    @Test
    func `the classes that count, and those that open at once, are chosen by name`() throws {
        let policy = try policy(
            "breaker: { counts: [timeout, rate_limited] }", provider: "breaker: { opens_at_once: upstream_error }",
            model: "breaker: { counts: [] }")
        let settings = policy.models.map(policy.breaker)
        #expect(settings.map(\.counts) == [[], [.timeout, .rateLimited]])
        #expect(settings.map(\.opensAtOnce) == [[.upstreamError], [.upstreamError]])
    }

    @Test
    func `a model's limits override the defaults, which apply to models only`() throws {
        let policy = try policy(
            "limits: { requests_per_minute: 10, concurrent: 2 }", provider: "limits: { concurrent: 9 }",
            model: "limits: { concurrent: 3, tokens_per_minute: 100 }")
        #expect(
            policy.models.map(policy.limits) == [
                Limits(requestsPerMinute: 10, tokensPerMinute: 100, concurrent: 3), Limits(requestsPerMinute: 10, concurrent: 2),
            ])
        #expect(policy.providers[0].limits == Limits(concurrent: 9))
    }

    @Test
    func `each level keeps only the retry settings that it sets, and the defaults are complete`() throws {
        let policy = try policy(
            "retry: { retries: 2 }", provider: "retry: { delay: 1s }", model: "retry: { jitter: 0 }",
            route: "retry: { retries: 0, max_delay: 2s }")
        var defaults = Retry()
        defaults.retries = 2
        #expect(policy.defaults.retry == defaults)
        #expect(policy.providers[0].retry.delay == .seconds(1) && policy.providers[0].retry.retries == nil)
        #expect(policy.models[0].retry.jitter == 0 && policy.models[1].retry == RetryOverrides())
        #expect(policy.routes[0].retry.retries == 0 && policy.routes[0].retry.maxDelay == .seconds(2))
    }

    @Test
    func `failover is set by status and by class, on three levels`() throws {
        let policy = try policy(
            "failover: { 403: stop, timeout: retry }", provider: "failover: { 403: next }", route: "failover: { client_error: next }")
        #expect(policy.defaults.failover.statuses == [403: .stop] && policy.defaults.failover.classes == [.timeout: .retry])
        #expect(policy.providers[0].failover.statuses == [403: .next])
        #expect(policy.routes[0].failover.classes == [.clientError: .next])
        #expect(policy.defaults.failover.action(status: 403, failure: .timeout) == .stop)
    }

    @Test(arguments: FailureClass.allCases)
    func `every failure class except a disconnected client can be overridden`(failure: FailureClass) {
        let report = load(
            "version: 1\nproviders: { p: { plugin: echo } }\ndefaults: { failover: { \(failure.rawValue): next } }\nmodels: { m: { provider: p } }\n"
        )
        #expect(report.hasErrors() == (failure == .cancelled))
    }

    @Test(arguments: [
        ("after: 3s", Hedge(delay: .after(.seconds(3)))), ("after: p95, max_cost: 0.5", Hedge(delay: .p95, maxCost: 0.5)),
        ("after: p95, max_cost: 0", Hedge(delay: .p95, maxCost: 0)),
    ])
    func `a hedge starts after a time or after the 95th percentile`(text: String, hedge: Hedge) throws {
        #expect(try policy("", route: "hedge: { \(text) }").routes[0].hedge == hedge)
    }

    @Test
    func `a setting that is not given has its default`() throws {
        let policy = try policy("")
        #expect(policy.defaults.statistics.window == .seconds(600))
        #expect(policy.defaults.failover == Failover() && policy.defaults.retry == Retry())
        #expect(
            policy.models[0].weight == 1 && policy.models[0].limits.isEmpty && policy.breaker(of: policy.models[0]) == BreakerSettings())
        #expect(policy.routes[0].hedge == nil && !policy.routes[0].resumes)
        #expect(policy.tests.isEmpty)
    }

    @Test
    func `an explicit price of zero is a price, and its optional parts may be left out`() throws {
        let policy = try policy("", model: "price: { input: 0, output: 2, cached_input: 0 }, weight: 0.5")
        #expect(policy.models[0].price == Price(input: 0, output: 2, cachedInput: 0, reasoning: nil))
        #expect(policy.models[0].weight == 0.5)
    }

    @Test
    func `a hedge finds its second model through routes and fallbacks`() {
        func warnings(_ routes: String) -> Int {
            load(
                """
                version: 1
                providers: { p: { plugin: echo } }
                models: { m: { provider: p }, n: { provider: p } }
                routes: { \(routes) }
                """
            ).issues.count
        }
        #expect(warnings("r: { try: m, hedge: { after: 1s } }") == 1)
        #expect(warnings("r: { try: [m, p/m], hedge: { after: 1s } }") == 1)
        #expect(warnings("r: { try: m, fallback: n, hedge: { after: 1s } }") == 0)
        #expect(warnings("r: { try: s, hedge: { after: 1s } }, s: { try: t }, t: { try: m, fallback: n }") == 0)
        #expect(warnings("r: { try: m, fallback: s, hedge: { after: 1s } }, s: { try: m }") == 1)
        #expect(warnings("r: { try: { select: {} }, hedge: { after: 1s } }") == 0)
    }
}
