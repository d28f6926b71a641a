import Testing

@testable import RoutingPolicy

@Suite("the difference that a reload logs")
struct PolicyDifferenceTests {
    private static let base = """
        listen: 127.0.0.1:0
        providers: { p: { plugin: echo }, q: { plugin: echo } }
        models: { a: { provider: p, tags: [x] }, b: { provider: q, tags: [x] } }
        routes: { auto: { try: [a, b] }, picked: { try: { select: { tags: x } } } }
        keys: { k: { secret: first-secret } }
        tests: [{ name: first, expect: { chosen: a } }]
        """

    private func words(_ yaml: String, from base: String = base) throws -> [String] {
        PolicyDifference.words(from: try policy(base), to: try policy(yaml), draining: [:])
    }

    private func policy(_ yaml: String) throws -> RoutingPolicy {
        let report = load("version: 1\n" + yaml)
        return try #require(report.policy, "\(report.rendered())")
    }

    @Test(
        "a changed option is shown with its old and its new value",
        arguments: [
            (
                "listen: 127.0.0.1:0", "listen: 127.0.0.1:0\ndefaults: { retry: { retries: 2 } }",
                ["~ defaults.retry.retries 1 -> 2"]
            ),
            (
                "listen: 127.0.0.1:0", "listen: 127.0.0.1:0\ndefaults: { failover: { 403: stop, timeout: retry } }",
                ["~ defaults.failover (none) -> 403 stop, timeout retry"]
            ),
            (
                "listen: 127.0.0.1:0", "listen: 127.0.0.1:0\ndefaults: { statistics: { window: 1h } }",
                ["~ defaults.statistics.window 10m -> 1h"]
            ),
            (
                "q: { plugin: echo }", "q: { plugin: echo, retry: { delay: 90s, jitter: 0 } }",
                ["~ provider q: retry (none) -> delay 90s, jitter 0"]
            ),
            ("q: { plugin: echo }", "q: { plugin: echo, limits: { concurrent: 3 } }", ["~ provider q: limits (none) -> concurrent 3"]),
            ("q: { plugin: echo }", "q: { plugin: echo, failover: { 401: stop } }", ["~ provider q: failover (none) -> 401 stop"]),
            ("a: { provider: p,", "a: { provider: p, weight: 5,", ["~ model a: weight 1 -> 5"]),
            ("a: { provider: p,", "a: { provider: p, weight: 0.5,", ["~ model a: weight 1 -> 0.5"]),
            (
                "a: { provider: p,", "a: { provider: p, limits: { tokens_per_minute: 100 },",
                ["~ model a: limits (none) -> tokens_per_minute 100"]
            ),
            ("a: { provider: p,", "a: { provider: p, retry: { retries: 0 },", ["~ model a: retry (none) -> retries 0"]),
            (
                "a: { provider: p,", "a: { provider: p, price: { input: 0, output: 1.5, reasoning: 3 },",
                ["~ model a: price (none) -> input 0, output 1.5, reasoning 3"]
            ),
            (
                "a: { provider: p,", "a: { provider: p, breaker: { failures: 5 },",
                [
                    "~ model a: breaker (none) -> failures 5"
                ]
            ),
            ("auto: { try: [a, b] }", "auto: { try: [a, b], hedge: { after: 3s } }", ["~ route auto: hedge (none) -> after 3s"]),
            (
                "auto: { try: [a, b] }", "auto: { try: [a, b], hedge: { after: p95, max_cost: 0.01 } }",
                ["~ route auto: hedge (none) -> after p95, max_cost 0.01"]
            ),
            (
                "auto: { try: [a, b] }", "auto: { try: [a, b], resume: true, retry: { retries: 3 }, failover: { 409: stop } }",
                [
                    "~ route auto: retry (none) -> retries 3", "~ route auto: failover (none) -> 409 stop",
                    "~ route auto: resume false -> true",
                ]
            ),
            (
                "auto: { try: [a, b] }",
                "auto: { try: [a, b], when: [{ header: { X-Team: [red, \"b*\"] }, face: anthropic, use: picked }, { stream: true, key: k, use: picked }], sticky: {} }",
                [
                    "~ route auto: when (none) -> header x-team red or b*, face anthropic -> picked, key k, stream true -> picked",
                    "~ route auto: sticky (none) -> by session, prompt_cache_key, user, prefix, ttl 10m",
                ]
            ),
            (
                "select: { tags: x }", "select: { tags: \"!x, y\", provider: [q, p], min_context: 5, max_price: 2 }, order: cheapest",
                [
                    "~ route picked: try select(tags x) -> select(tags !x, y, provider p, q, min_context 5, max_price input 2, output 2) cheapest"
                ]
            ),
            (
                "secret: first-secret",
                "secret: first-secret, metadata: false, limits: { requests_per_minute: 6 }, defaults: { timeout_secs: 5, supports_image: true }",
                [
                    "~ key k: limits (none) -> requests_per_minute 6", "~ key k: defaults (none) -> supports_image true, timeout_secs 5",
                    "~ key k: metadata true -> false",
                ]
            ),
            (
                "name: first, expect: { chosen: a }", "name: first, expect: { chosen: [a, b], never: b }",
                ["~ test first: expect.chosen a -> a or b", "~ test first: expect.never (none) -> b"]
            ),
            (
                "name: first, expect: { chosen: a }", "name: first, down: q, request: { image: true }, expect: { chosen: a }",
                ["~ test first: down (none) -> q", "~ test first: request changed"]
            ),
            (
                "name: first, expect: { chosen: a }",
                "name: first, last_served_by: a, request: { header: { X-Team: red }, face: anthropic, stream: true }, expect: { chosen: a }",
                [
                    "~ test first: last_served_by (none) -> a", "~ test first: request changed",
                    "~ test first: request.header x-team (none) -> red", "~ test first: request.face (none) -> anthropic",
                ]
            ),
            ("name: first, expect: { chosen: a }", "name: second, expect: { refused: 404 }", ["+ test second", "- test first"]),
        ])
    func options(old: String, new: String, expected: [String]) throws {
        #expect(Self.base.contains(old))
        #expect(try words(Self.base.replacing(old, with: new)).filter { !$0.contains("warning") } == expected)
    }

    @Test("of a provider's own options, addresses and words are shown, and of all others only that they changed")
    func provider() throws {
        func yaml(_ options: String) -> String {
            "listen: 127.0.0.1:0\nproviders: { p: { plugin: fake, \(options) } }\nmodels: { a: { provider: p } }\n"
        }
        let old = yaml("base_url: http://a/v1, api_key: first-key, headers: { X: first-value }")
        #expect(
            try words(yaml("base_url: http://b/v1, api_key: other-key, headers: { X: other-value }, stream_usage: false"), from: old) == [
                "~ provider p: base_url http://a/v1 -> http://b/v1", "~ provider p: api_key changed", "~ provider p: headers changed",
                "~ provider p: stream_usage (none) -> false",
            ])
        #expect(try words(yaml("base_url: http://a/v1, api_key: first-key"), from: old) == ["~ provider p: headers changed"])
        #expect(try words(yaml("api_key: first-key, base_url: 'http://a/v1', headers: { X: first-value }"), from: old) == [])
    }

    @Test("more than eight changes that are alike share one line")
    func combined() throws {
        func yaml(_ defaults: String, _ count: Int) -> String {
            "listen: 127.0.0.1:0\ndefaults: { \(defaults) }\nproviders: { p: { plugin: echo } }\nmodels:\n"
                + (0..<count).map { "  m\($0): { provider: p, weight: 1 }\n" }.joined()
        }
        let old = yaml("", 100)
        #expect(
            try words(old.replacing("weight: 1", with: "weight: 1, limits: { concurrent: 2 }"), from: old)
                == ["~ 100 models (m0, m1, m2, …): limits (none) -> concurrent 2"])
        #expect(try words(yaml("limits: { concurrent: 2 }", 100), from: old) == ["~ defaults.limits (none) -> concurrent 2"])
        #expect(try words(yaml("", 120), from: old) == ["+ 20 models (m100, m101, m102, …)"])
        #expect(try words(yaml("", 50), from: old) == ["- 50 models (m50, m51, m52, …)"])
        #expect(
            try words(old.replacing("m7: { provider: p, weight: 1", with: "m7: { provider: p, weight: 2"), from: old) == [
                "~ model m7: weight 1 -> 2"
            ])
    }

    @Test("a long list is shown by what was added and removed")
    func lists() throws {
        func yaml(_ scope: String) -> String {
            "listen: 127.0.0.1:0\nproviders: { p: { plugin: echo } }\nmodels:\n" + (0..<30).map { "  m\($0): { provider: p }\n" }.joined()
                + "keys: { k: { secret: s3cret-s3cret, models: \(scope) } }\n"
        }
        #expect(try words(yaml("[\"m1*\", m2]"), from: yaml("[\"m1*\", m3]")) == ["~ key k: models + m2 - m3"])
        #expect(
            try words(yaml("[\"m1*\"]"), from: yaml("[m0]")) == ["~ key k: models + m1, m1*, m10, m11, m12, m13, m14, m15 and 4 more - m0"])
        #expect(try words(yaml("[m1]"), from: yaml("[m2]")) == ["~ key k: models m2 -> m1"])
    }

    @Test("a change of the order alone is not shown")
    func moved() throws {
        let moved = Self.base.replacing(
            "models: { a: { provider: p, tags: [x] }, b: { provider: q, tags: [x] } }",
            with: "models: { b: { provider: q, tags: [x] }, a: { provider: p, tags: [x] } }")
        #expect(try words(moved) == [])
    }
}
