import ProviderKit
import Testing

@testable import RoutingPolicy

/// What the levels of a policy give to what stands below them.
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
    func `a breaker's settings are the model's over the provider's over the defaults', each by itself`() throws {
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
        #expect(policy.models.map(\.breaker) == [model, provider])
    }

    @Test
    func `a model's limits are its own over the defaults'; nothing else takes those`() throws {
        let policy = try policy(
            "limits: { requests_per_minute: 10, concurrent: 2 }", provider: "limits: { concurrent: 9 }",
            model: "limits: { concurrent: 3, tokens_per_minute: 100 }")
        #expect(
            policy.models.map(\.limits) == [
                Limits(requestsPerMinute: 10, tokensPerMinute: 100, concurrent: 3), Limits(requestsPerMinute: 10, concurrent: 2),
            ])
        #expect(policy.providers[0].limits == Limits(concurrent: 9))
    }

    @Test
    func `retries of the levels stand as they are given; the defaults' are whole`() throws {
        let policy = try policy(
            "retry: { retries: 2 }", provider: "retry: { delay: 1s }", model: "retry: { jitter: 0 }",
            route: "retry: { retries: 0, max_delay: 2s }")
        var defaults = Retry()
        defaults.retries = 2
        #expect(policy.retry == defaults)
        #expect(policy.providers[0].retry.delay == .seconds(1) && policy.providers[0].retry.retries == nil)
        #expect(policy.models[0].retry.jitter == 0 && policy.models[1].retry == RetryOverrides())
        #expect(policy.routes[0].retry.retries == 0 && policy.routes[0].retry.maxDelay == .seconds(2))
    }

    @Test
    func `failover is by status and by class, on three levels`() throws {
        let policy = try policy(
            "failover: { 403: stop, timeout: retry }", provider: "failover: { 403: next }", route: "failover: { client_error: next }")
        #expect(policy.failover.statuses == [403: .stop] && policy.failover.classes == [.timeout: .retry])
        #expect(policy.providers[0].failover.statuses == [403: .next])
        #expect(policy.routes[0].failover.classes == [.clientError: .next])
        #expect(policy.failover.action(status: 403, failure: .timeout) == .stop)
    }

    @Test(arguments: FailureClass.allCases)
    func `every class but a client that left may be overridden`(failure: FailureClass) {
        let report = load("version: 1\ndefaults: { failover: { \(failure.rawValue): next } }\nmodels: {}\n")
        #expect(report.hasErrors() == (failure == .cancelled))
    }

    @Test(arguments: [
        ("after: 3s", Hedge(delay: .after(.seconds(3)))), ("after: p95, max_cost: 0.5", Hedge(delay: .p95, maxCost: 0.5)),
        ("after: p95, max_cost: 0", Hedge(delay: .p95, maxCost: 0)),
    ])
    func `a hedge is after a time or the 95th percentile`(text: String, hedge: Hedge) throws {
        #expect(try policy("", route: "hedge: { \(text) }").routes[0].hedge == hedge)
    }

    @Test
    func `what is not given has its default`() throws {
        let policy = try policy("")
        #expect(policy.statisticsWindow == .seconds(600))
        #expect(policy.failover == Failover() && policy.retry == Retry())
        #expect(policy.models[0].weight == 1 && policy.models[0].limits.isEmpty && policy.models[0].breaker == BreakerSettings())
        #expect(policy.routes[0].hedge == nil && !policy.routes[0].resumes)
        #expect(policy.tests.isEmpty)
    }

    @Test
    func `an explicit price of zero is a price, and its parts may be left out`() throws {
        let policy = try policy("", model: "price: { input: 0, output: 2, cached_input: 0 }, weight: 0.5")
        #expect(policy.models[0].price == Price(input: 0, output: 2, cachedInput: 0, reasoning: nil))
        #expect(policy.models[0].weight == 0.5)
    }

    @Test
    func `a hedge looks for its second model through routes and fallbacks`() {
        func warnings(_ routes: String) -> Int {
            load(
                "version: 1\nproviders: { p: { plugin: echo } }\nmodels: { m: { provider: p }, n: { provider: p } }\nroutes: { \(routes) }\n"
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
