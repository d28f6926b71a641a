import RoutingPolicy
import Testing

struct DigestTests {
    private static let text = """
        version: 1
        server: { drain: 30s }
        defaults:
          { max_models: 2, timeouts: { idle: 1m }, retry: { retries: 2, jitter: 0.3 }, breaker: { failures: 9 }, limits: { concurrent: 7 }, failover: { 401: stop }, statistics: { window: 5m } }
        providers:
          p: { plugin: fake, base_url: http://h, api_key: "${KEY}", timeouts: { idle: 2m }, retry: { delay: 2s }, limits: { concurrent: 8 }, failover: { timeout: stop }, breaker: { successes: 8 } }
          q: { plugin: echo, delay: 1s }
        models:
          m: { provider: p, upstream: u, tags: [a, b], type: fast, supports: [tools], context: 5, max_output: 6, price: { input: 1, output: 2, cached_input: 0.5, reasoning: 4 },
               weight: 5, limits: { tokens_per_minute: 11 }, retry: { max_delay: 5s }, breaker: { cooldown: 6s } }
          n: { provider: q, request_defaults: { t: 1 }, request_overrides: { s: 2 }, hidden: true }
        routes:
          r: { try: [m, { select: { tags: a, min_success_rate: 0.1, max_price: 70 }, order: cheapest }], fallback: n, fallback_on: { content_filter: n }, max_models: 1, max_attempts: 3 }
          s: { try: [m, n], timeouts: { total: 9s }, retry: { retries: 4 }, failover: { 409: next }, hedge: { after: 4s, max_cost: 3 }, resume: true }
        keys:
          k: { secret: s3cret, models: [m], endpoints: [chat], admin: true, metadata: false, limits: { requests_per_minute: 12 }, defaults: { timeout_secs: 44, tags: c } }
        tests:
          - { name: one, key: k, down: p, request: { tokens: 13 }, expect: { chosen: m, order: [n], never: p/m } }
          - { name: two, expect: { refused: 404 } }

        """

    private func digest(_ text: String, key: String = "one") throws -> String {
        let report = load(text, variables: ["KEY": key])
        return try #require(report.policy, "\(report.rendered())").digest
    }

    @Test
    func `a digest is eight hexadecimal digits, the same in every run`() throws {
        let digest = try digest(Self.text)
        #expect(digest.count == 8)
        #expect(digest.allSatisfy { $0.isHexDigit })
        // A constant shows that the digest does not depend on the process.
        #expect(digest == "f8a0709c")
    }

    @Test(arguments: [
        ("server: { drain: 30s }", "# a comment\nserver:\n    drain: '30s'   # another"), ("drain: 30s", "drain: 30000ms"),
        ("[a, b]", "[b, a]"), ("fallback: n,", "fallback: [n],"),
        ("plugin: fake, base_url: http://h", "base_url: \"http://h\", plugin: fake"), ("server: { drain: 30s }\n", ""),
        ("models: [m]", "models: [p/m]"),
    ])
    func `policies with the same meaning have the same digest`(old: String, new: String) throws {
        #expect(Self.text.contains(old))
        #expect(try digest(Self.text) == digest(Self.text.replacing(old, with: new)))
    }

    @Test(arguments: [
        ("drain: 30s", "drain: 31s"), ("max_models: 2", "max_models: 3"), ("idle: 1m", "idle: 3m"), ("http://h", "http://i"),
        ("idle: 2m", "idle: 4m"), ("delay: 1s", "delay: 2s"),
        ("upstream: u", "upstream: v"), ("[a, b]", "[a, c]"), ("type: fast", "type: reasoning"), ("[tools]", "[json]"),
        ("context: 5", "context: 6"), ("max_output: 6", "max_output: 7"),
        ("output: 2", "output: 3"), ("t: 1", "t: 3"), ("s: 2", "s: 3"), ("hidden: true", "hidden: false"), ("try: [m,", "try: [n,"),
        ("tags: a,", "tags: b,"), ("fallback: n", "fallback: m"),
        ("content_filter: n", "content_filter: m"), ("content_filter: n", "context_overflow: n"), ("max_models: 1", "max_models: 2"),
        ("max_attempts: 3", "max_attempts: 4"), ("total: 9s", "total: 8s"),
        ("s3cret", "s4cret"), ("models: [m]", "models: [n]"), (", models: [m]", ""), ("endpoints: [chat]", "endpoints: [models]"),
        ("admin: true", "admin: false"), ("  k:", "  l:"), ("  q:", "  z:"),
        ("jitter: 0.3", "jitter: 0.4"), ("retries: 2", "retries: 3"), ("failures: 9", "failures: 8"), ("concurrent: 7", "concurrent: 6"),
        ("401: stop", "401: next"), ("401: stop", "402: stop"),
        ("window: 5m", "window: 6m"), ("delay: 2s", "delay: 3s"), ("concurrent: 8", "concurrent: 9"), ("timeout: stop", "timeout: next"),
        ("timeout: stop", "reset: stop"), ("successes: 8", "successes: 7"),
        ("cached_input: 0.5", "cached_input: 0.6"), ("reasoning: 4", "reasoning: 5"), ("weight: 5", "weight: 4"),
        ("tokens_per_minute: 11", "tokens_per_minute: 12"), ("max_delay: 5s", "max_delay: 6s"),
        ("cooldown: 6s", "cooldown: 7s"), ("min_success_rate: 0.1", "min_success_rate: 0.2"), ("max_price: 70", "max_price: 71"),
        ("order: cheapest", "order: best"), ("retries: 4", "retries: 5"),
        ("409: next", "409: stop"), ("after: 4s", "after: 5s"), ("after: 4s", "after: p95"), ("max_cost: 3", "max_cost: 4"),
        ("resume: true", "resume: false"), ("metadata: false", "metadata: true"),
        ("requests_per_minute: 12", "requests_per_minute: 13"), ("timeout_secs: 44", "timeout_secs: 45"), ("tags: c }", "tags: d }"),
        ("name: one", "name: three"), (", key: k", ""), ("down: p", "down: q"),
        ("tokens: 13", "tokens: 14"), ("chosen: m", "chosen: n"), ("order: [n]", "order: [m]"), ("never: p/m", "never: n"),
        ("refused: 404", "refused: 403"),
    ])
    func `policies with a different value have different digests`(old: String, new: String) throws {
        #expect(Self.text.contains(old))
        let changed = Self.text.replacing(old, with: new).replacing("provider: q", with: new == "  z:" ? "provider: z" : "provider: q")
            .replacing("key: k", with: new == "  l:" ? "key: l" : "key: k")
        #expect(try digest(Self.text) != digest(changed))
    }

    @Test
    func `the digest depends on the value of a secret`() throws {
        #expect(try digest(Self.text, key: "one") != digest(Self.text, key: "two"))
    }
}
