import ConfigTree
import ProviderKit
import Testing

@testable import RoutingPolicy

/// Models files made from a provider's own list: a new one, and an update that leaves alone what a person wrote.
struct ModelFileTests {
    private static let policy = """
        version: 1
        providers: { far: { plugin: fake, base_url: "https://far.example/v1" }, near: { plugin: echo } }
        models:
          own: { provider: far, upstream: mine }
          far/second: { provider: far }
        """

    private func model(_ id: String, _ change: (inout ListedModel) -> Void = { _ in }) -> ListedModel {
        var model = ListedModel(id: id)
        change(&model)
        return model
    }

    private func file(_ models: [ListedModel], updating text: String? = nil, policy: String = policy) throws -> ModelFile {
        let policy = try #require(load(policy).policy)
        return try ModelFile(models, of: policy.providers[0], in: policy, updating: text.map { Array($0.utf8) }, path: "models.yaml")
    }

    private func entries(_ file: ModelFile) -> [String] {
        file.text.split(separator: "\n").filter { $0.hasPrefix("  ") }.map { String($0.prefix { $0 != "#" }).trimmed }
    }

    @Test
    func `a new file has what the list says, and can be included`() throws {
        let full = model("vendor/large:free") {
            ($0.context, $0.maxOutput, $0.callsTools, $0.writesJSON, $0.reasons) = (4096, 100, true, false, true)
            $0.inputModalities = ["text", "image"]
            $0.price = ListedPrice(input: 0, output: 0)
        }
        let priced = model("vendor/x") {
            $0.operations = [.embeddings]
            $0.price = ListedPrice(input: 0.00002, output: 1.5)
            $0.price?.cachedInput = 0.1
            $0.price?.perRequest = 0.005
        }
        let file = try file([full, priced, model("plain")])
        #expect(
            entries(file) == [
                "far/vendor/large:free: { provider: far, tags: [free], supports: [image, tools, reasoning], context: 4096, max_output: 100, price: { input: 0, output: 0 } }",
                "far/vendor/x: { provider: far, serves: [embeddings], price: { input: 0.00002, output: 1.5, cached_input: 0.1, per_request: 0.005 } }",
                "far/plain: { provider: far }",
            ])
        let policy = load(
            "version: 1\nproviders: { far: { plugin: fake, base_url: \"https://far.example/v1\" } }\n"
                + file.text.split(separator: "\n").filter { !$0.hasPrefix("version") }.joined(separator: "\n"))
        #expect(policy.policy?.models.map(\.upstream) == ["vendor/large:free", "vendor/x", "plain"], "\(policy.rendered())")
    }

    @Test
    func `what the policy defines otherwise is left out, and so is what can't be an entry`() throws {
        let file = try file([
            model("mine"), model("second"), model("third"), model("a b"), model("x*"), model(String(repeating: "n", count: 130)),
            model("film") { $0.outputModalities = ["video"] }, model("talk") { $0.operations = [.speech] },
        ])
        #expect(entries(file) == ["far/third: { provider: far }"])
        #expect(file.defined == 2 && file.unusable.count == 5)
    }

    @Test
    func `an update replaces its own lines and keeps all others byte for byte`() throws {
        let first = try file([model("a") { $0.context = 1000 }, model("b"), model("gone")]).text
        var lines = first.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let b = try #require(lines.firstIndex { $0.hasPrefix("  far/b") })
        lines[b] = lines[b].replacing("far }", with: "far, weight: 5 }")
        lines.insert("  # my favourite", at: b)
        lines.insert("  mine: { provider: near, upstream: c }   # by hand", at: b)
        lines += ["routes:", "  auto: { try: mine }  # stays"]
        let second = try file([model("a") { $0.context = 2000 }, model("b"), model("c")], updating: lines.joined(separator: "\n"))
        var expected = lines.filter { !$0.hasPrefix("  far/gone") && !$0.isEmpty }
        let a = try #require(expected.firstIndex { $0.hasPrefix("  far/a") })
        expected[a] = try #require(second.text.split(separator: "\n").first { $0.hasPrefix("  far/a") }.map(String.init))
        #expect(expected[a].hasPrefix("  far/a: { provider: far, context: 2000 }  # synced "))
        let c = try #require(second.text.split(separator: "\n").first { $0.hasPrefix("  far/c") }.map(String.init))
        expected.insert(c, at: a + 1)
        #expect(second.text.split(separator: "\n").map(String.init) == expected)
        #expect((second.added, second.updated, second.removed, second.defined) == (1, 1, 1, 1))
        let again = try file([model("a") { $0.context = 2000 }, model("b"), model("c")], updating: second.text)
        #expect(again.text == second.text && again.updated == 0 && again.added == 0)
    }

    @Test
    func `new lines go below the models of a file, whatever follows`() throws {
        let text =
            "version: 1\r\nmodels: # all\r\n    hand: { provider: near }\r\n\r\n# routes below\r\nroutes:\r\n  auto: { try: hand }\r\n"
        let file = try file([model("a")], updating: text)
        let lines = file.text.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines[3].hasPrefix("    far/a: { provider: far }  # synced ") && lines[4].isEmpty && lines[6] == "routes:")
        #expect(try self.file([], updating: file.text).text == text)
    }

    @Test
    func `a file without models gets them at its end, and another provider's lines stay`() throws {
        let first = try file([model("a")], updating: "version: 1\nproviders: {}\n")
        #expect(first.text.hasPrefix("version: 1\nproviders: {}\nmodels:\n  far/a: "))
        let other = Self.policy.replacing("far:", with: "other:").replacing("provider: far", with: "provider: other")
            .replacing("far/second", with: "other/second")
        let both = try file([model("a")], updating: first.text, policy: other)
        #expect(both.text.contains("  far/a: { provider: far }") && both.text.contains("  other/a: { provider: other }"))
    }

    @Test(arguments: [
        "models: { a: { provider: near } }\n", "models:\n  a: [\n", "- a\n", "models:\n  a: { provider: near }\n  a: { provider: near }\n",
    ])
    func `a file that can't be updated is an error`(text: String) {
        #expect(throws: ConfigIssue.self) { try file([model("a")], updating: text) }
    }
}

extension String {
    fileprivate var trimmed: String { String(trimmingPrefix { $0 == " " }.reversed().trimmingPrefix { $0 == " " }.reversed()) }
}
