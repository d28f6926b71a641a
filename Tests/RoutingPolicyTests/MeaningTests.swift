import ConfigTree
import ProviderKit
import RoutingPolicy
import Testing

/// The meaning of valid policy files.
struct MeaningTests {
    private static let start = """
        version: 1
        providers:
          a: { plugin: echo }
          b: { plugin: echo }

        """

    private func policy(_ text: String, variables: [String: String] = [:]) throws -> RoutingPolicy {
        let report = load(Self.start + text, variables: variables)
        return try #require(report.policy, "\(report.rendered())")
    }

    @Test
    func `settings that are not given have their defaults`() throws {
        let policy = try policy("models: { m: { provider: a } }")
        #expect(policy.listen.map(\.address) == [.tcp(host: "127.0.0.1", port: 8080)])
        #expect(policy.server == ServerSettings())
        #expect(policy.defaults.timeouts == Timeouts())
        #expect((policy.defaults.maxModels, policy.defaults.maxAttempts) == (4, 4))
        #expect(policy.models.first?.upstream == "m")
        #expect(policy.models.first?.supports == [.streaming])
    }

    @Test
    func `every option of the full file is read as written`() throws {
        let report = load(FolderSource(), path: "good/everything.yaml")
        let policy = try #require(report.policy, "\(report.rendered())")
        #expect(
            policy.listen.map(\.address) == [
                .tcp(host: "127.0.0.1", port: 8080), .tcp(host: "::1", port: 8080), .tcp(host: "localhost", port: 8081),
                .unix(path: "/run/llm-router.sock"), .tcp(host: "0.0.0.0", port: 9090),
            ])
        #expect(policy.server.maxBufferedBytes == 1 << 30)
        #expect(policy.server.ollamaVersion == "1.0.2")
        #expect(policy.server.spool == "/srv/uploads" && policy.server.maxUploadBytes == 1 << 30)
        #expect(policy.server.maxSpooledBytes == 8 << 30)
        #expect(policy.defaults.timeouts.firstContent == .seconds(120))
        #expect(policy.defaults.timeouts.total == .seconds(3600))
        #expect(policy.providers.map(\.name) == ["local", "near", "far", "off"])
        #expect(policy.providers.map(\.unset) == [[], [], [], ["UNSET_NAME"]])
        #expect(policy.providers.map { $0.settings != nil } == [true, true, true, false])
        #expect(policy.models.map(\.name) == ["small", "chat", "chat", "gone", "included"])
        #expect(policy.models.first?.tags == ["fast", "general", "llama", "vision"])
        #expect(policy.models[1].supports == [.image, .streaming])
        let body = policy.models.first?.requestDefaults.map { "\($0.key)=\(String(decoding: $0.json, as: UTF8.self))" }
        #expect(body == ["temperature=0.7", #"stop=["a","b"]"#, "seed=7", "user=null", "logprobs=true", #"note="7""#])
        #expect(policy.models.first?.serves == [.chat, .embeddings] && policy.models.last?.serves == [.chat])
        #expect(policy.routes.first?.fallback == [.route(1), .models([2])])
        #expect(policy.routes[1].steps == [.models([1, 2]), .models([3])])
        #expect(policy.routes[1].fallbackOn == [.contextOverflow: [.models([0])], .contentFilter: [.models([1, 2])]])
        #expect(policy.keys.last?.models?.models == [0, 2] && policy.keys.last?.models?.routes == [1])
        #expect(policy.keys.last?.endpoints == [.call(.chat), .models])
        #expect(policy.keys.map(\.isAdmin) == [true, false])
        #expect(report.issues.map(\.position.line) == [88, 130])
        #expect(report.issues.allSatisfy { $0.severity == .warning })
        #expect(report.files == ["good/everything.yaml", "good/fragments/more.yaml"])
    }

    @Test
    func `a key's secret is stored as its hash`() throws {
        let hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"  // SHA-256 of "secret"
        let text = "models: { m: { provider: a } }\nkeys:\n  one: { secret: \"${S}\" }\n"
        let one = try policy(text, variables: ["S": "secret"]).keys.first?.digest
        let two = try policy("models: { m: { provider: a } }\nkeys:\n  one: { sha256: \(hash) }\n").keys.first?.digest
        #expect(one?.count == 32)
        #expect(one == two)
    }

    @Test
    func `a sha256 that has only digits is text`() throws {
        let digits = String(repeating: "1", count: 64)
        let policy = try policy("models: { m: { provider: a } }\nkeys:\n  one: { sha256: \(digits) }\n")
        #expect(policy.keys.first?.digest == Array(repeating: 0x11, count: 32))
    }

    @Test
    func `a name that two providers share means both models, and a qualified name means one`() throws {
        let policy = try policy("models:\n  a/m: { provider: a }\n  b/m: { provider: b }\nroutes:\n  r: { try: [m, b/m] }\n")
        #expect(policy.models.map(\.name) == ["m", "m"])
        #expect(policy.routes.first?.steps == [.models([0, 1]), .models([1])])
    }

    @Test
    func `a qualified name reaches a model whose key has no provider`() throws {
        let policy = try policy("models:\n  m: { provider: a }\nroutes:\n  r: { try: a/m }\n")
        #expect(policy.routes.first?.steps == [.models([0])])
    }

    @Test
    func `a slash separates a provider only if the part before the first one is the model's own provider`() throws {
        let policy = try policy(
            """
            models:
              gemini/mini: { provider: a }
              meta-llama/llama-3.3-70b:free: { provider: b }
              a/vendor/large: { provider: a }
              b/vendor/large: { provider: b }
              a/: { provider: a }
            routes:
              team/fast: { try: [gemini/mini, vendor/large, b/vendor/large, a/gemini/mini] }
              all: { try: team/fast }
            """)
        #expect(policy.models.map(\.name) == ["gemini/mini", "meta-llama/llama-3.3-70b:free", "vendor/large", "vendor/large", "a/"])
        #expect(policy.models.map(\.upstream) == policy.models.map(\.name))
        #expect(policy.routes[0].steps == [.models([0]), .models([2, 3]), .models([3]), .models([0])])
        #expect(policy.routes[1].steps == [.route(0)])
    }

    @Test
    func `a model's own name wins over the provider/name of another one`() throws {
        let report = load(Self.start + "models:\n  x: { provider: b }\n  b/x: { provider: a }\nroutes:\n  r: { try: [b/x, x] }\n")
        #expect(report.policy?.routes.first?.steps == [.models([1]), .models([0])])
        #expect(report.issues.map(\.severity) == [.warning])
    }

    @Test
    func `a key's patterns also match names that the policy does not list`() throws {
        let scope = try #require(
            try policy("models: { m: { provider: a } }\nkeys:\n  k: { secret: s3cret, models: [\"a/*\", m] }\n").keys.first?.models)
        #expect(scope.hasPattern(matching: "a/new") && !scope.hasPattern(matching: "b/new") && !scope.hasPattern(matching: "m"))
    }

    @Test(
        arguments: [("", nil), ("fallback: []", []), ("fallback: m", [.models([0])]), ("fallback: [s]", [.route(1)])]
            as [(String, [RouteStep]?)])
    func `a route without 'fallback' has none of its own, but an empty one is one`(option: String, steps: [RouteStep]?) throws {
        let policy = try policy("models: { m: { provider: a } }\nroutes:\n  r: { try: m, \(option) }\n  s: { try: m }\n")
        #expect(policy.routes[0].fallback == steps)
    }

    @Test
    func `defaults.fallback may name models and routes that come after it`() throws {
        let report = load(
            "version: 1\ndefaults: { fallback: [r, m, { select: { tags: x } }] }\n"
                + "providers: { a: { plugin: echo } }\nmodels: { m: { provider: a, tags: x } }\nroutes: { r: { try: m } }\n")
        let policy = try #require(report.policy, "\(report.rendered())")
        #expect(policy.defaults.fallback.prefix(2) == [.route(0), .models([0])] && policy.defaults.fallback.count == 3)
    }

    @Test
    func `a route without a usable model is no problem if defaults.fallback serves its requests`() {
        let text = """
            version: 1
            providers: { a: { plugin: echo }, off: { plugin: fake, base_url: "${UNSET}" } }
            models: { m: { provider: a }, gone: { provider: off } }
            routes: { r: { try: gone }, s: { try: gone, fallback: [] } }

            """
        func routes(_ text: String) -> [Bool] {
            let report = load(text).rendered()
            return ["r", "s"].map { report.contains("route '\($0)' has no usable model") }
        }
        #expect(routes(text) == [true, true])
        #expect(routes(text + "defaults: { fallback: [m] }\n") == [false, true])
        #expect(routes(text + "defaults: { fallback: [gone] }\n") == [true, true])
    }

    @Test
    func `a route wins over a model of the same name, with a warning`() throws {
        let report = load(Self.start + "models: { m: { provider: a } }\nroutes:\n  m: { try: a/m }\n  r: { try: m }\n")
        #expect(report.policy?.routes.last?.steps == [.route(0)])
        #expect(report.issues.map(\.severity) == [.warning])
        #expect(!report.hasErrors())
        #expect(report.hasErrors(strict: true))
    }

    @Test(arguments: [
        ("llama & tier-1, gemini", [0, 2]), ("!paid", [0, 1]), ("llama & !tier-1", [1]), ("[tier-1, gemini]", [0, 2]),
        ("\"llama,gemini\"", [0, 1, 2]),
    ])
    func `a tag expression is an OR of ANDs`(expression: String, kept: [Int]) throws {
        let quoted = expression.hasPrefix("[") || expression.hasPrefix("\"") ? expression : "\"\(expression)\""
        let policy = try policy(
            """
            models:
              x: { provider: a, tags: [llama, tier-1] }
              y: { provider: a, tags: [llama] }
              z: { provider: a, tags: [gemini, paid] }
            routes:
              r: { try: { select: { tags: \(quoted) } } }
            """)
        guard case .selected(let selection)? = policy.routes.first?.steps.first else { throw UnexpectedStep() }
        #expect(selection.models == kept)
    }

    private struct UnexpectedStep: Error {}

    @Test
    func `a star in a key's models means all models and routes`() throws {
        #expect(
            try policy("models: { m: { provider: a } }\nkeys:\n  k: { secret: s3cret, models: [m, \"*\"] }\n").keys.first?.models == nil)
    }

    @Test(arguments: [
        ("a*", "abc", true), ("*c", "abc", true), ("a*c", "ac", true), ("a*b*c", "aXbYc", true), ("ab*ba", "aba", false),
        ("a*b", "abc", false), ("*x*", "abc", false),
    ])
    func `a star in a glob matches any characters`(pattern: String, text: String, isMatch: Bool) throws {
        let policy = try? policy(
            """
            models:
              \(text): { provider: a }
              other: { provider: a }
            keys:
              k: { secret: s3cret, models: [other, "\(pattern)"] }
            """
        )
        #expect(policy?.keys.first?.models?.models == (isMatch ? [0, 1] : [1]))
    }

    @Test
    func `a plugin that refuses its options without a reason is reported`() {
        let text = load("version: 1\nproviders:\n  p: { plugin: mute }\nmodels: {}\n").rendered()
        #expect(text.contains("routes.yaml:3:3: error: plugin 'mute' refuses these options without a reason"))
    }

    @Test
    func `settings are equal for equal options of one plugin`() throws {
        func settings(_ options: String) throws -> any ProviderSettings {
            try #require(
                load("version: 1\nproviders:\n  p: { \(options) }\nmodels: { m: { provider: p } }\n").policy?.providers.first?.settings)
        }
        let first = try settings("plugin: echo, delay: 5s")
        #expect(first.isEqual(to: try settings("delay: 5000ms, plugin: echo")))
        #expect(!first.isEqual(to: try settings("plugin: echo, delay: 6s")))
        #expect(!first.isEqual(to: try settings("plugin: fake, base_url: http://h")))
    }
}
