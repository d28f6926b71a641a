import HTTPWire
import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

@Suite("the difference between two policies")
struct PolicyDifferenceTests {
    private static let base = """
        listen: 127.0.0.1:0
        providers: { p: { plugin: silent, tag: one }, q: { plugin: silent } }
        models: { a: { provider: p }, b: { provider: q } }
        routes: { auto: { try: [a], fallback: [b] } }
        keys: { k: { secret: first-secret } }
        """

    private func words(_ yaml: String, draining: [String: Int] = [:]) throws -> [String] {
        PolicyDifference.words(from: try policy(Self.base), to: try policy(yaml), draining: draining)
    }

    @Test(
        "each change is one line",
        arguments: [
            ("models: { a: { provider: p }", "models: { a: { provider: p }, c: { provider: p }", ["+ model c"]),
            ("fallback: [b]", "fallback: [a, b]", ["~ route auto: fallback b -> a, b"]),
            ("tag: one", "tag: two", ["~ provider p: tag changed (2 streams draining)"]),
            ("first-secret", "other-secret", ["~ key k: secret changed"]),
            ("{ auto: { try: [a], fallback: [b] } }", "{ auto: { try: [a] } }", ["~ route auto: fallback b -> (none)"]),
        ])
    func words(old: String, new: String, expected: [String]) throws {
        #expect(try words(Self.base.replacing(old, with: new), draining: ["p": 2]) == expected)
    }

    @Test("a removed provider shows its draining streams")
    func removal() throws {
        let yaml = """
            listen: 127.0.0.1:0
            providers: { q: { plugin: silent } }
            models: { b: { provider: q } }
            routes: { auto: { try: [b] } }
            keys: { k: { secret: first-secret } }
            """
        let words = try words(yaml, draining: ["p": 1])
        #expect(words.contains("- provider p (1 stream draining)"))
        #expect(words.contains("- model a"))
    }

    @Test("equal policies have no difference, and no secret is shown")
    func equal() throws {
        #expect(try words(Self.base) == [])
        #expect(try !words(Self.base.replacing("first-secret", with: "second-secret")).joined().contains("second"))
    }
}

@Suite("provisioning")
struct ProvisionTests {
    @Test("a provider with equal settings keeps its instance, and a changed provider gets a new one")
    func instances() throws {
        let yaml =
            "listen: 127.0.0.1:0\nproviders: { p: { plugin: silent, tag: one }, q: { plugin: silent, tag: one } }\nmodels: { a: { provider: p } }"
        let first = try snapshot(yaml)
        let second = Snapshot.provision(
            try policy(yaml.replacing("q: { plugin: silent, tag: one }", with: "q: { plugin: silent, tag: two }")), over: first, at: 2)
        #expect(second.generation == first.generation + 1)
        #expect(second.instances[0] === first.instances[0])
        #expect(second.instances[1] !== first.instances[1])
        #expect(first.removed(in: second).map(\.name) == ["q"])
    }

    @Test("a key is found only by its complete digest")
    func keys() throws {
        let snapshot = try snapshot(
            """
            listen: 127.0.0.1:0
            providers: { p: { plugin: silent } }
            models: { a: { provider: p } }
            keys: { k: { secret: one }, l: { secret: two } }
            """)
        func name(_ digest: [UInt8]) -> String? { snapshot.key(digest: digest).map { snapshot.policy.keys[$0].name } }
        for key in snapshot.policy.keys { #expect(name(key.digest) == key.name) }
        #expect(name([]) == nil)
        #expect(name([UInt8](repeating: 0, count: 32)) == nil)
    }
}

@Suite("the report of a policy")
struct ReportTests {
    @Test(
        "a report never shows the value of a variable, wherever it is used",
        arguments: [
            #"providers: { p: { plugin: "${CANARY}" } }"#,
            #"providers: { p: { plugin: silent } }\nmodels: { a: { provider: "${CANARY}" } }"#,
            #"keys: { k: { secret: x, models: ["${CANARY}"] } }"#, #"routes: { r: { try: "${CANARY}" } }"#, #"listen: "${CANARY}""#,
            #"models: { a: { provider: p, type: "${CANARY}", tags: ["${CANARY}"] } }"#,
        ])
    func secrets(yaml: String) {
        let rendered = report(yaml.replacing("\\n", with: "\n"), ["CANARY": "sk-canary-0123456789"]).rendered()
        #expect(!rendered.isEmpty)
        #expect(!rendered.contains("canary-0123"))
    }
}

@Suite("masking and budgets")
struct MaskAndBudgetTests {
    @Test(
        "a secret is masked everywhere in a text",
        arguments: [
            ("key sk-abcdef is bad", "key <secret> is bad"), ("sk-abcdef", "<secret>"), ("sk-abcdesk-abcdef", "sk-abcde<secret>"),
            ("sk-abcde", "sk-abcde"), ("", ""),
        ])
    func mask(text: String, expected: String) {
        #expect(SecretMask([Secret("sk-abcdef")])(text) == expected)
    }

    @Test("a share takes only large buffers from the budget, and returns all of it")
    func budget() {
        let budget = BufferBudget(limit: 200_000)
        var share = BufferShare(budget), other = BufferShare(budget)
        var isCovered = share.cover(1000)
        #expect(isCovered && budget.usedBytes == 0)
        isCovered = share.cover(150_000)
        #expect(isCovered && budget.usedBytes == 150_000)
        isCovered = other.cover(100_000)
        #expect(!isCovered && budget.usedBytes == 150_000)
        isCovered = share.cover(0)
        #expect(isCovered && budget.usedBytes == 0)
        isCovered = other.cover(100_000)
        #expect(isCovered)
    }
}
