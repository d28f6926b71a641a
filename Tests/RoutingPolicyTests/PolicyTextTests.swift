import ConfigTree
import Foundation
import Testing

@testable import RoutingPolicy

/// The text of a policy in service, as operators see it.
struct PolicyTextTests {
    @Test
    func `every place of a secret is masked, and the rest is as it was written`() throws {
        let files = try masked(
            [
                "routes.yaml": """
                version: 1
                # The order matters.
                include: more/*.yaml
                providers:
                  p: { plugin: fake, base_url: "http://h/v1", api_key: Tr0ub4dor-1 }  # was Tr0ub4dor-2
                  q:
                    plugin: fake
                    base_url: http://h/v1
                    api_key: "${KEY:-Tr0ub4dor-3}"
                    headers:
                      X-Tenant: Tr0ub4dor-4
                  r: { plugin: fake, base_url: "http://h/v1", api_key: "${KEY}", timeouts: { total: 5s } }
                models:
                  m: { provider: p, tags: [fast] }
                routes:
                  auto: { try: [m] }
                keys:
                  team: { secret: "Tr0ub4dor-6", models: [m] }
                  ops:
                    secret: >-
                      Tr0ub4dor-7
                    admin: true

                """,
                "more/a.yaml": "keys:\n  more: { secret: Tr0ub4dor-8 }\n",
            ], variables: ["KEY": "Tr0ub4dor-9"])
        #expect(files.map(\.path) == ["routes.yaml", "more/a.yaml"])
        #expect(!files.contains { $0.text.contains("Tr0ub4dor") }, "\(files)")
        let text = try #require(files.first?.text)
        for line in [
            "version: 1", "# The order matters.", "include: more/*.yaml",
            "  p: { plugin: fake, base_url: \"http://h/v1\", api_key: <secret> }  # <secret>", "    api_key: \"<secret>\"",
            "      X-Tenant: <secret>", "  r: { plugin: fake, base_url: \"http://h/v1\", api_key: \"${KEY}\", timeouts: { total: 5s } }",
            "  m: { provider: p, tags: [fast] }", "  auto: { try: [m] }", "  team: { secret: \"<secret>\", models: [m] }",
            "    secret: >-", "      <secret>", "    admin: true",
        ] {
            #expect(text.split(separator: "\n").contains(Substring(line)), "\(line) in\n\(text)")
        }
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == 23)
        #expect(files[1].text == "keys:\n  more: { secret: <secret> }\n")
    }

    @Test(arguments: [
        "{ api_key: Tr0ub4dor }", "{ api_key: Tr0ub4dor, limits: { concurrent: 5 } }  # Tr0ub4dor",
        "{ api_key: 'Tr0ub4''dor' , retry: { retries: 2 } }",
        "{ api_key: \"Tr0ub4\\\"dor\",\n    retry: { retries: 2 } }", "{ api_key: &k Tr0ub4dor, stream_usage: true }",
        "{ api_key: !!str Tr0ub4dor, stream_usage: true }", "{ api_key: [Tr0ub4dor, \"${KEY}\", 'Tr0ub4dor-2'] }",
        "{ api_key: \"Tr0ub4dor\n    goes on\", retry: { retries: 2 } }",
        "{ headers: { X-Team: Tr0ub4dor, Authorization: \"Bearer ${KEY}\" } }",
        "\n    api_key: |\n      Tr0ub4dor\n    retry: { retries: 2 }",
        "\n    # Tr0ub4dor\n    api_key: >- # Tr0ub4dor\n\n      Tr0ub4dor\n\n      Tr0ub4dor",
        "\n    api_key: Tr0ub4dor\n      goes on\n    headers:\n      ? X-Team\n      : Tr0ub4dor",
        "\n    api_key:\n    - Tr0ub4dor\n    - # Tr0ub4dor\n      Tr0ub4dor-3",
        "{ api_key: abc, base_url: \"http://h/v1?key=Tr0ub4dor\" }", "{ api_key: *k }", "{ <<: { api_key: Tr0ub4dor } }",
    ])
    func `a masked secret keeps the structure of its file`(options: String) throws {
        let text = """
            version: 1
            # why
            tests: [{ name: x, request: { body: { messages: [], api_key: &k Tr0ub4dor-1, n: 1 } }, expect: { chosen: m } }]
            providers:
              p: \(options)
            models: { m: { provider: p } }

            """
        let masked = try text.masked(secrets: [])
        #expect(!masked.contains("Tr0ub") && !masked.contains("goes"), "\(masked)")
        #expect(masked.contains("# why\n") && masked.contains("expect: { chosen: m } }]") && masked.contains("n: 1"))
        expectSameStructure(text, masked)
    }

    @Test
    func `a comment about a secret in a request is hidden, and others are shown`() throws {
        let text = """
            models:  # one
              m:
                request_overrides:  # two
                  api_key:  # Tr0ub4dor
                    # Tr0ub4dor
                    Tr0ub4dor  # Tr0ub4dor
                    # Tr0ub4dor
                  user: a  # three
              # four
              n: { provider: p }

            """
        let masked = try text.masked(secrets: [])
        #expect(masked == text.replacing("Tr0ub4dor", with: "<secret>"))
    }

    @Test
    func `conditions and tests are shown, and in requests only what has the name of a secret is hidden`() throws {
        let text = """
            version: 1
            # keep `header:` of conditions
            providers: { p: { plugin: echo } }
            models:
              turnkey: { provider: p, request_overrides: { user: a, api_key: Tr0ub4dor, n: 2, nested: { token: Tr0ub4dor, m: 3 } } }
              m: { provider: p }
            routes:
              auto: { try: [turnkey], when: [{ header: { x-team: red }, key: [team, research], use: b }] }
              b: { try: [m] }
            keys:
              team: { secret: "${TEAM}", models: [m] }  # note
              research: { secret: sk-research-0123456789 }
              other: { secret: abcdefghijklmnopqrstuv, admin: true }
            tests:
              - { name: x, request: { model: b, tokens: 5, header: { x-team: red, authorization: Tr0ub4dor } }, key: team, expect: { chosen: m } }

            """
        let masked = try #require(try masked(["routes.yaml": text], variables: ["TEAM": "0123456789abcdefghijkl"]).first?.text)
        let expected = text.replacing("Tr0ub4dor", with: "<secret>").replacing("# note", with: "# <secret>").replacing(
            "abcdefghijklmnopqrstuv", with: "<secret>"
        ).replacing("sk-research-0123456789", with: "<secret>")
        #expect(masked.split(separator: "\n").dropFirst(2) == expected.split(separator: "\n").dropFirst(2), "\(masked)")
    }

    @Test
    func `a key that looks like a provider's is masked anywhere, and so is a very long value`() throws {
        let key = "sk-" + String(repeating: "a", count: 20), long = String(repeating: "b", count: 5000)
        let text = try #require(
            try masked([
                "routes.yaml": """
                version: 1
                # old: \(key)
                providers: { p: { plugin: echo } }
                models: { m: { provider: p, tags: [\(long)] } }

                """
            ]).first?.text)
        #expect(
            text
                == "version: 1\n# old: <secret>\nproviders: { p: { plugin: echo } }\nmodels: { m: { provider: p, tags: [<secret>] } }\n")
    }

    // MARK: The copy

    private static let copied = """
        version: 1
        providers:
          p: { plugin: fake, base_url: "http://h/v1", api_key: Tr0ub4dor-1, headers: { X-Tenant: "a ${KEY}" } }  # Tr0ub4dor-2
        models:
          m: { provider: p }
        keys:
          team: { secret: Tr0ub4dor-3-0123456789, models: [m] }
          ops: { secret: "Tr0ub4dor-4-0123456789", admin: true }

        """

    private func check(_ edit: (String) -> String) throws -> (running: RoutingPolicy, report: PolicyReport) {
        let source = MemorySource(["routes.yaml": Self.copied], variables: ["KEY": "Tr0ub4dor-9"])
        let loaded = PolicyLoader(plugins: [FakePlugin.self], source: source).load(path: "routes.yaml")
        let running = try #require(loaded.policy, "\(loaded.rendered())"), text = try #require(running.text)
        let copy = edit(try #require(text.masked().first?.text))
        let report = PolicyLoader(
            plugins: [FakePlugin.self], source: MemorySource(["routes.yaml": copy], variables: ["KEY": "Tr0ub4dor-9"])
        ).load(path: "routes.yaml", hidden: text.maskedValues())
        #expect(!report.issues.contains { "\($0.message)\($0.hint ?? "")".contains("Tr0ub") } && !report.rendered().contains("Tr0ub"))
        return (running, report)
    }

    @Test
    func `a masked copy means the policy that it is a copy of`() throws {
        let (running, report) = try check { $0 }
        #expect(try #require(report.policy, "\(report.rendered())").digest == running.digest)
        #expect(PolicyDifference.words(from: running, to: try #require(report.policy), draining: [:]) == [])
    }

    @Test
    func `only what was edited in a masked copy is a difference or an issue`() throws {
        var (running, report) = try check { $0.replacing("models: [m]", with: "models: [m], admin: true") }
        #expect(PolicyDifference.words(from: running, to: try #require(report.policy), draining: [:]).count == 1)
        (running, report) = try check { $0.replacing("models: [m]", with: "models: [nope], admn: true") }
        #expect(report.issues.map(\.severity) == [.error, .error], "\(report.rendered())")
        (running, report) = try check { $0.replacing("team: {", with: "group: {") }
        #expect(report.issues.map(\.message) == ["the policy in service hides no value here, so it isn't known what '<secret>' stands for"])
    }

    // MARK: All policies of the repository

    private static let folder = String(#filePath.dropLast("Tests/RoutingPolicyTests/PolicyTextTests.swift".count))
    /// The good goldens, the example, and the policies in the documentation.
    private static let policies: [String] = {
        let paths = ["Tests/RoutingPolicyTests/Goldens/good/*.yaml", "routes.yaml", "docs/*.md", "README.md"].flatMap {
            SystemPolicySource().glob(folder + $0)
        }
        return paths.flatMap { path -> [String] in
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            guard path.hasSuffix(".md") else { return [text] }
            return text.components(separatedBy: "```yaml\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        }
    }()

    @Test
    func `the masked text of each policy of this repository has its structure`() throws {
        #expect(Self.policies.count > 30)
        for text in Self.policies {
            guard tree(text) != nil else { continue }
            let masked = try text.masked(secrets: [])
            expectSameStructure(text, masked)
            #expect(
                masked.split(separator: "\n", omittingEmptySubsequences: false).count
                    == text.split(separator: "\n", omittingEmptySubsequences: false).count)
        }
    }

    private func tree(_ text: String) -> [ConfigEntry]? {
        let files = PolicyFiles(path: "f", source: MemorySource(["f": text]))
        return files.isComplete && files.issues.allSatisfy { $0.severity == .warning || $0.message.contains("is not set") }
            ? files.entries : nil
    }

    private func expectSameStructure(_ text: String, _ masked: String, line: Int = #line) {
        guard let before = tree(text), let after = tree(masked) else {
            Issue.record("\(masked)\n\(PolicyFiles(path: "f", source: MemorySource(["f": masked])).issues)")
            return
        }
        #expect(
            isAlike(
                ConfigNode(.mapping(before), at: SourcePosition(file: "f", line: 1, column: 1)),
                ConfigNode(.mapping(after), at: SourcePosition(file: "f", line: 1, column: 1))), "\(masked)")
    }

    private func isAlike(_ one: ConfigNode, _ other: ConfigNode) -> Bool {
        switch (one.content, other.content) {
        case (.scalar(let one), .scalar(let other)): one.source == other.source || other.source.contains("<secret>")
        case (.sequence(let one), .sequence(let other)): one.count == other.count && zip(one, other).allSatisfy(isAlike)
        case (.mapping(let one), .mapping(let other)):
            one.count == other.count
                && zip(one, other).allSatisfy {
                    ($0.key.text == $1.key.text || $1.key.text.hasPrefix("<secret")) && isAlike($0.value, $1.value)
                }
        default: false
        }
    }

    private func masked(_ files: [String: String], variables: [String: String] = [:]) throws -> [(path: String, text: String)] {
        let report = PolicyLoader(plugins: [FakePlugin.self, EchoPlugin.self], source: MemorySource(files, variables: variables)).load(
            path: "routes.yaml")
        let policy = try #require(report.policy, "\(report.rendered())")
        return try #require(policy.text).masked()
    }
}

extension String {
    /// The text as a policy's is shown, whether it is a valid policy or not.
    fileprivate func masked(secrets: [SourcePosition]) throws -> String {
        let vocabulary = Vocabulary(OptionReference(plugins: [FakePlugin.self, EchoPlugin.self]))
        let text = PolicyText(
            [("f", SourceText(Array(utf8)))], secrets: secrets, plain: [], vocabulary: vocabulary, mask: SecretMask([]))
        return try #require(text.masked().first).text
    }
}
