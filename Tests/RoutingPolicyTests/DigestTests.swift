import RoutingPolicy
import Testing

struct DigestTests {
    private static let text = """
        version: 1
        server: { drain: 30s }
        defaults: { max_models: 2, timeouts: { idle: 1m } }
        providers:
          p: { plugin: fake, base_url: http://h, api_key: "${KEY}", timeouts: { idle: 2m } }
          q: { plugin: echo, delay: 1s }
        models:
          m: { provider: p, upstream: u, tags: [a, b], type: fast, supports: [tools], context: 5, max_output: 6, price: { input: 1, output: 2 } }
          n: { provider: q, request_defaults: { t: 1 }, request_overrides: { s: 2 }, hidden: true }
        routes:
          r: { try: [m, { select: { tags: a } }], fallback: n, fallback_on: { content_filter: n }, max_models: 1, max_attempts: 3 }
          s: { try: m, timeouts: { total: 9s } }
        keys:
          k: { secret: s3cret, models: [m], endpoints: [chat], admin: true }

        """

    private func digest(_ text: String, key: String = "one") throws -> String {
        let report = load(text, variables: ["KEY": key])
        return try #require(report.policy, "\(report.rendered())").digest
    }

    @Test
    func `it is eight hexadecimal digits that stay the same`() throws {
        let digest = try digest(Self.text)
        #expect(digest.count == 8)
        #expect(digest.allSatisfy { $0.isHexDigit })
        // A constant, for it must not change between runs either.
        #expect(digest == "f355a2ac")
    }

    @Test(arguments: [
        ("server: { drain: 30s }", "# a comment\nserver:\n    drain: '30s'   # another"), ("drain: 30s", "drain: 30000ms"), ("[a, b]", "[b, a]"), ("fallback: n,", "fallback: [n],"),
        ("plugin: fake, base_url: http://h", "base_url: \"http://h\", plugin: fake"), ("server: { drain: 30s }\n", ""), ("models: [m]", "models: [p/m]"),
    ])
    func `what means the same has the same digest`(old: String, new: String) throws {
        #expect(Self.text.contains(old))
        #expect(try digest(Self.text) == digest(Self.text.replacing(old, with: new)))
    }

    @Test(arguments: [
        ("drain: 30s", "drain: 31s"), ("max_models: 2", "max_models: 3"), ("idle: 1m", "idle: 3m"), ("http://h", "http://i"), ("idle: 2m", "idle: 4m"), ("delay: 1s", "delay: 2s"),
        ("upstream: u", "upstream: v"), ("[a, b]", "[a, c]"), ("type: fast", "type: reasoning"), ("[tools]", "[json]"), ("context: 5", "context: 6"), ("max_output: 6", "max_output: 7"),
        ("output: 2", "output: 3"), ("t: 1", "t: 3"), ("s: 2", "s: 3"), ("hidden: true", "hidden: false"), ("try: [m,", "try: [n,"), ("tags: a }", "tags: b }"), ("fallback: n", "fallback: m"),
        ("content_filter: n", "content_filter: m"), ("content_filter: n", "context_overflow: n"), ("max_models: 1", "max_models: 2"), ("max_attempts: 3", "max_attempts: 4"), ("total: 9s", "total: 8s"),
        ("s3cret", "s4cret"), ("models: [m]", "models: [n]"), (", models: [m]", ""), ("endpoints: [chat]", "endpoints: [models]"), ("admin: true", "admin: false"), ("  k:", "  l:"), ("  q:", "  z:"),
    ])
    func `every value counts`(old: String, new: String) throws {
        #expect(Self.text.contains(old))
        let changed = Self.text.replacing(old, with: new).replacing("provider: q", with: new == "  z:" ? "provider: z" : "provider: q")
        #expect(try digest(Self.text) != digest(changed))
    }

    @Test
    func `a secret's value counts`() throws {
        #expect(try digest(Self.text, key: "one") != digest(Self.text, key: "two"))
    }
}
