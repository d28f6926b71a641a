import RoutingPolicy
import Testing

/// What a mistake may turn into the place of a secret is hidden in every report.
struct SecretRegionTests {
    private static let secret = "Tr0ub4dor"
    private static let head = "version: 1\nproviders:\n  p: { plugin: echo }\nmodels:\n  m: { provider: p }\n"

    private static let keys = [
        "  team: { secret Tr0ub4dor, admin: true }", "  team: { secret: Tr0ub4dor admin: true }", "  team: { secret = Tr0ub4dor }",
        "  team: { secret=Tr0ub4dor, admin: yes }", "  team: {secret:Tr0ub4dor}", "  team: { Tr0ub4dor, admin: true }",
        "  team: [secret, Tr0ub4dor]", "  team: { \"secret\" \"Tr0ub4dor\" }", "  team: { sercet: Tr0ub4dor }", "  team: Tr0ub4dor",
        "  - Tr0ub4dor", "  - secret: Tr0ub4dor", "  - name: x\n    secret Tr0ub4dor", "  secret: Tr0ub4dor", "  Tr0ub4dor: team",
        "  Tr0ub4dor:", "  Tr0ub4dor: {}", "  Tr0ub4dor: { admin: true }\n  Tr0ub4dor: { admin: true }", "  ? Tr0ub4dor\n  : team",
        "  team: { [Tr0ub4dor]: x }", "  team: { secret: 'Tr0ub4dor, admin: true }", "  team: { secret: \"Tr0ub4dor }",
        "  team: { secret: \"a\\Tr0ub4dor\" }", "  team: { secret: 'x'Tr0ub4dor }", "  team:\n    secret: |\n   Tr0ub4dor\n    admin: x",
        "  team:\n    secret Tr0ub4dor\n    admin: true", "  team:\n    Tr0ub4dor: secret", "  team:\n   secret: Tr0ub4dor\n  admin: true",
        "  team:\n\tsecret: Tr0ub4dor", "  team:\n    secret:Tr0ub4dor\n    admin: true", "  team:\n    secret; Tr0ub4dor\n    admin: true",
        "  team:\n    secret:\n      Tr0ub4dor: x", "  team:\n    secret: [Tr0ub4dor]", "  team: { secret: {Tr0ub4dor} }",
        "  team: { sha256: Tr0ub4dor }", "  team: { secret: !Tr0ub4dor }", "  team: { secret: &Tr0ub4dor }",
        "  team: { secret: *Tr0ub4dor }",
        "  team: { secret: @Tr0ub4dor }", "  team: { secret: \"${Tr0ub4dor!}\" }", "  team: { secret: \"${A:-Tr0ub4dor\" }",
        "  team: { secret: a, secret: Tr0ub4dor }", "  team: { Tr0ub4dor: 1, Tr0ub4dor: 2 }", "  team: { <<: Tr0ub4dor }",
        "  team: { admin: Tr0ub4dor }", "  team: { secret: x, models: [Tr0ub4dor] }", "  team: { secret: x, endpoints: \"Tr0ub4dor, x\" }",
        "  team: { secret: x, limits: { concurrent: Tr0ub4dor } }", "  team: { secret: x, limits: Tr0ub4dor }",
        "  team: { secret: x, # Tr0ub4dor\n   admin: yes }",
    ]

    @Test(arguments: keys)
    func `no mistake under keys shows a secret`(body: String) {
        expectHidden("\(Self.head)keys:\n\(body)\n")
        expectHidden("\(Self.head)keys: # comment\n\(body)\ntests: []\n")
    }

    @Test(arguments: [
        "keys: { Tr0ub4dor }", "keys: Tr0ub4dor", "keys: [Tr0ub4dor]", "keys: { team: {\nsecret Tr0ub4dor, admin: yes } }",
        "keys\n  team: { secret Tr0ub4dor }", "kyes: { team: { secret Tr0ub4dor } }", "keys: { team: { secret Tr0ub4dor }",
        "\"keys\": { \"team\": { \"secret\" \"Tr0ub4dor\" } }",
    ])
    func `no way to write keys shows a secret`(section: String) {
        expectHidden(Self.head + section + "\n")
    }

    @Test(arguments: [
        "{version: 1, models: {m: {provider: p}}, keys: {team: {secret Tr0ub4dor, admin: true}}, tests: [] }",
        "{\n \"version\": 1,\n \"keys\": {\n  \"team\": { \"secret\" \"Tr0ub4dor\" }\n }\n}",
        "{\n \"keys\": {\n  \"team\": { \"secret\": \"Tr0ub4dor\",\n \"admin\" \"Tr0ub4dor\" }\n }\n}",
    ])
    func `no policy in braces shows a secret`(text: String) {
        expectHidden(text + "\n")
    }

    @Test(arguments: [
        "{ plugin: fake, api_key Tr0ub4dor, base_url: http://h/v1 }", "{ plugin: fake, api_key: x, Tr0ub4dor }",
        "{ plugin: fake, api_key = Tr0ub4dor }", "{ plugin: fake api_key: Tr0ub4dor }", "{ plugin: fake, Tr0ub4dor: api_key }",
        "{ plugin: fake, Tr0ub4dor: { a: 1 } }", "{ plugin: Tr0ub4dor, api_key: fake }", "{ plugin: fake, base_url: Tr0ub4dor }",
        "{ plugin: fake, api_key: [Tr0ub4dor] }", "{ plugin: fake, api_key: { Tr0ub4dor } }",
        "{ plugin: fake, api_key: x Tr0ub4dor, b: y }",
        "{ plugin: fake, api_key: 'Tr0ub4dor'x }", "{ plugin: fake, stream_usage: Tr0ub4dor }", "{ plugin: fake, timeouts: { Tr0ub4dor } }",
        "{ plugin: fake, retry: { delay: Tr0ub4dor } }", "{ plugin: fake, headers: Tr0ub4dor }", "{ plugin: fake, headers: [Tr0ub4dor] }",
        "{ plugin: fake, headers: { Authorization Bearer Tr0ub4dor } }", "{ plugin: fake, headers: { Authorization: [Tr0ub4dor] } }",
        "{ plugin: fake, headers: { Tr0ub4dor: [x] } }", "{ plugin: fake, headers: { Tr0ub4dor x: y } }",
        "{ plugin: fake, headers: { TR0UB4DOR: a, Tr0ub4dor: b } }", "\n    plugin: fake\n    api_key Tr0ub4dor",
        "\n    plugin: fake\n    api_key:\n    Tr0ub4dor", "\n    plugin: fake\n    api_key: |\n    Tr0ub4dor",
        "\n    plugin: fake\n      api_key: Tr0ub4dor", "\n    plugin: fake api_key: Tr0ub4dor",
        "\n    plugin: fake\n  Authorization: Tr0ub4dor",
        "\n    plugin: fake\n    headers:\n      Authorization Tr0ub4dor\n      X-A: b", "Tr0ub4dor",
    ])
    func `no mistake beside an API key shows a secret`(provider: String) {
        expectHidden("version: 1\nproviders:\n  p: \(provider)\nmodels:\n  m: { provider: p }\n")
    }

    @Test(arguments: [
        "x: &k { secret Tr0ub4dor }\nkeys: { team: *k }", "defaults: { api_key Tr0ub4dor }", "defaults:\n  retry: { api_key Tr0ub4dor }",
        "general_settings: { master_key Tr0ub4dor }", "virtual_keys: { a: Tr0ub4dor }", "server: { drain: 1s, secret Tr0ub4dor }",
        "routes: { auto: { try: m, api_key Tr0ub4dor } }", "keys: { team: { secret: \"${file:Tr0ub4dor}\" } }",
        "keys: { team: { secret: abcdefghijklmnopq, models: m, Tr0ub4dor } }",
    ])
    func `no mistake elsewhere in the file shows a secret`(section: String) {
        expectHidden("version: 1\nproviders: { p: { plugin: echo } }\nmodels: { m: { provider: p } }\n\(section)\n")
    }

    @Test(arguments: [
        "X-Tenant Tr0ub4dor", "X-T \"Tr0ub4dor\"", "X-T 'Tr0ub4dor'", "X-T=\"Tr0ub4dor\"", "\"X-T Tr0ub4dor\"", "A: b, X-T Tr0ub4dor",
        "X-T Tr0ub4dor, A: b", "X-T Tr0ub4dor: ", "X-T=Tr0ub4dor", "Tenant Tr0ub4dor-key", "X-T\tTr0ub4dor", "x-goog-api-client Tr0ub4dor",
    ])
    func `no header whose colon is missing shows its value`(fields: String) {
        let name = fields.contains(":") || fields.contains(",") ? nil : fields
        for headers in ["{ \(fields) }", name.map { "\n      ? \($0)" }].compactMap(\.self) {
            expectHidden(
                "version: 1\nproviders:\n  p: { plugin: fake, base_url: http://h/v1, headers: {} }\n".replacing(
                    "{} }", with: "\(headers) }"))
            expectHidden("version: 1\nproviders:\n  p:\n    plugin: fake\n    base_url: http://h/v1\n    headers: \(headers)\n")
            expectHidden("\(Self.head)telemetry:\n  otlp:\n    endpoint: http://h\n    headers: \(headers)\n")
        }
    }

    @Test(arguments: [
        "quota: 5", "vertex_project: x", "free: true", "passthrough: true", "only: [x]", "aws_access_key_id: x", "tenant: acme",
    ])
    func `an unknown name in a provider without a secret is shown, and hidden beside a secret`(option: String) {
        let name = String(option.prefix { $0 != ":" })
        func report(_ options: String) -> PolicyReport {
            load("version: 1\nproviders:\n  p: { plugin: fake, base_url: http://h/v1, \(options) }\nmodels:\n  m: { provider: p }\n")
        }
        let shown = report(option)
        #expect(shown.issues.contains { $0.message.hasPrefix("unknown key '\(name)'") } && shown.rendered().contains("\(name): "))
        for secret in ["api_key: abc", "token: abc", "headers: { X-A: abc }", "hunter: api_key", "hunter: sk-0123456789abcdef"] {
            let hidden = report("tenant: acme, \(secret)")
            #expect(!hidden.rendered().contains("tenant") && !hidden.rendered().contains("hunter"), "\(hidden.rendered())")
        }
    }

    private func expectHidden(_ text: String, line: Int = #line) {
        let report = load(text)
        let shown = report.rendered() + report.issues.map(report.line).joined(separator: "\n")
        #expect(report.hasErrors(strict: true), "\(text)")
        #expect(!shown.lowercased().contains("tr0ub"), "\(text)\(shown)")
    }

    @Test
    func `names of options, references, numbers and words of options are shown`() {
        let text = load(
            """
            \(Self.head)keys:
              team: { secrets: "${A}", admin: yes, endpoints: [chat, modles], limits: { concurrent: 0, rpm: 6 }, models: [m] }
              1: { admin: true }

            """
        ).rendered()
        #expect(text.contains("'modles'"))
        #expect(text.contains("'yes'"))
        #expect(text.contains("  1: { admin: true }"))
        #expect(text.contains("team: {"))
    }

    @Test
    func `a region ends with its section`() {
        let text = load("\(Self.head)keys:\n  team: { secret: \"a{b[c\", admin: true }\nroutes:\n  auto: { try: missing }\n").rendered()
        #expect(text.contains("auto: { try: missing }"))
        #expect(text.contains("'missing'"))
    }

    @Test(arguments: [("max_token_", "4096", true), ("my_token", "4096", true), ("secret", "4096", false), ("apikey", "4096", false)])
    func `a number is hidden only as the value of a secret`(key: String, value: String, isShown: Bool) {
        #expect(load("version: 1\nmodels:\n  m: { \(key): \(value) }\n").rendered().contains(value) == isShown)
    }
}
