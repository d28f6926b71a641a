import Testing

@testable import RoutingPolicy

/// Whatever shows a policy masks its secrets, also where they are a part of something else.
struct MaskedPolicyTests {
    private static let secret = "Zq9Lm2Xw7Rt4Vb8Nc1ab"
    /// The secret as it is, in base64, in hexadecimal and percent-encoded.
    private static let forms = [
        secret, "WnE5TG0yWHc3UnQ0VmI4TmMxYWI=", "5a71394c6d325877375274345662384e63316162",
        "%5Aq9%4Cm2%58w7%52t4%56b8%4Ec1ab",
    ]
    /// Options in which a secret may stand by mistake.
    private static let places: [@Sendable (String) -> String] = [
        { "providers: { p: { plugin: fake, base_url: \"http://h/\($0)/v1\", api_key: \"${KEY}\" } }\nmodels: { m: { provider: p } }" },
        { "\(base)\nmodels: { m: { provider: p, upstream: \"\($0)\" } }" },
        { "\(base)\nmodels: { m: { provider: p, request_overrides: { user: \"\($0)\" } } }" },
        { "\(base)\nmodels: { m: { provider: p } }\ntelemetry: { otlp: { endpoint: \"http://h/\($0)\" } }" },
        { "\(base)\nmodels: { m: { provider: p } }\nkeys: { k: { secret: \"0123456789abcdefXY\", metadata: { a: \"\($0)\" } } }" },
    ]
    private static let base = "providers: { p: { plugin: fake, base_url: \"http://h/v1\", api_key: \"${KEY}\" } }"

    private func report(_ yaml: String) -> PolicyReport { load("version: 1\n\(yaml)\n", variables: ["KEY": Self.secret]) }

    private func expectHidden(_ text: String, _ form: String) {
        let characters = Array(form)
        for start in 0...(characters.count - 8) {
            #expect(!text.contains(String(characters[start..<(start + 8)])), "\(text)")
        }
    }

    @Test(arguments: places.indices, forms)
    func `a difference and the text of the policy mask a secret in every encoding`(place: Int, form: String) throws {
        let before = try #require(report("\(Self.base)\nmodels: { m: { provider: p } }").policy)
        let loaded = report(Self.places[place](form))
        let after = try #require(loaded.policy, "\(loaded.rendered())")
        for lines in [
            PolicyDifference.words(from: before, to: after, draining: [:]), PolicyDifference.words(from: after, to: before, draining: [:]),
        ] {
            #expect(!lines.isEmpty)
            expectHidden(lines.joined(separator: "\n"), form)
        }
        expectHidden(after.text?.masked().map(\.text).joined() ?? "", form)
    }

    @Test(arguments: forms)
    func `a report masks a secret in every encoding, in messages and in excerpts`(form: String) {
        let report = report(
            "\(Self.base)\nmodels: { m: { provider: p, upstream: \"\(form)\", bogus: 1 } }\nroutes: { auto: { try: [\"\(form)\"] } }")
        #expect(report.hasErrors())
        expectHidden(report.rendered() + report.issues.map(report.line).joined(), form)
    }

    @Test
    func `a secret that is a name of the language or of the policy hides no other place of it`() throws {
        let yaml = "providers: { local: { plugin: fake, base_url: \"http://NAME/v1\", api_key: WORD } }\nmodels: { m: { provider: local } }"
        for word in ["fake", "local", "provider"] {
            let old = report(yaml.replacing("WORD", with: word).replacing("NAME", with: "one"))
            let new = report(yaml.replacing("WORD", with: word).replacing("NAME", with: "two"))
            let lines = PolicyDifference.words(from: try #require(old.policy), to: try #require(new.policy), draining: [:])
            #expect(lines.first?.hasPrefix("~ provider local: ") == true, "\(lines)")
        }
    }
}
