import RoutingPolicy
import Testing

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
            "  p: { plugin: fake, base_url: \"http://h/v1\", api_key: <secret>",
            "      <secret>", "  r: { plugin: fake, base_url: \"http://h/v1\", api_key: <secret>",
            "  m: { provider: p, tags: [fast] }",
            "  auto: { try: [m] }", "  team: { secret: <secret>", "    admin: true",
        ] {
            #expect(text.split(separator: "\n").contains { $0.hasPrefix(line) }, "\(line) in\n\(text)")
        }
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == 23)
    }

    @Test
    func `a key that looks like a provider's is masked anywhere, and so is a very long line`() throws {
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
        #expect(text == "version: 1\n# old: <secret>\nproviders: { p: { plugin: echo } }\n<secret>\n")
    }

    private func masked(_ files: [String: String], variables: [String: String] = [:]) throws -> [(path: String, text: String)] {
        let report = PolicyLoader(plugins: [FakePlugin.self, EchoPlugin.self], source: MemorySource(files, variables: variables)).load(
            path: "routes.yaml")
        let policy = try #require(report.policy, "\(report.rendered())")
        return try #require(policy.text).masked()
    }
}
