import ConfigTree
import RoutingPolicy
import Testing

struct SubstitutionTests {
    /// The `upstream` of a model after the substitution. Nil if the policy is refused.
    private func upstream(_ scalar: String, _ variables: [String: String] = [:], files: [String: String] = [:]) -> String? {
        let text = "version: 1\nproviders: { p: { plugin: echo } }\nmodels: { m: { provider: p, upstream: \"\(scalar)\" } }\n"
        return load(
            MemorySource(files.merging(["etc/routes.yaml": text]) { first, _ in first }, variables: variables), path: "etc/routes.yaml"
        ).policy?.models.first?.upstream
    }

    @Test(arguments: [
        ("${A}", "x"), ("a${A}b${B}c", "axbyc"), ("${NO:-d}", "d"), ("${EMPTY:-d}", "d"), ("${A:-d}", "x"), ("${NO:-a:-b}", "a:-b"),
        ("$${A}", "${A}"), ("$A", "$A"), ("$", "$"), ("$$", "$$"),
        ("$$A", "$$A"), ("$${", "${"), ("a}b", "a}b"), ("x${NO:-}y", "xy"),
    ])
    func `variables are substituted`(text: String, result: String) {
        #expect(upstream(text, ["A": "x", "B": "y", "EMPTY": ""]) == result)
    }

    @Test
    func `a substituted value is never read as a reference or as YAML`() {
        #expect(upstream("${A}", ["A": "${B}"]) == "${B}")
        #expect(upstream("${A}", ["A": "x, hidden: true }"]) == "x, hidden: true }")
    }

    @Test(arguments: [("v\n", "v"), ("v\r\n", "v"), ("v", "v"), (" v ", " v ")])
    func `a file's last line break is not part of the value`(content: String, result: String) {
        #expect(upstream("${file:secrets/a}", files: ["etc/secrets/a": content]) == result)
        #expect(upstream("${file:/run/a}", files: ["/run/a": content]) == result)
    }

    @Test
    func `a file that is not text or is too large is refused`() {
        #expect(upstream("${file:a}", files: ["etc/a": "a\0b"]) == nil)
        #expect(upstream("${file:a}", files: ["etc/a": String(repeating: "x", count: (64 << 10) + 1)]) == nil)
    }

    @Test
    func `keys are never substituted`() {
        let report = load(
            "version: 1\nproviders: { \"${A}\": { plugin: echo }, q: { plugin: echo } }\nmodels: { m: { provider: q } }\n",
            variables: ["A": "p"])
        #expect(report.policy?.providers.first?.name == "${A}")
    }

    @Test
    func `a wrong value from a variable is not shown`() {
        let text = load("version: 1\nserver: { drain: \"${A}\" }\nmodels: {}\n", variables: ["A": "hunter2"]).rendered()
        #expect(text.contains("'drain' takes a time with its unit, not '${A}'"))
        #expect(!text.contains("hunter2"))
    }

    @Test
    func `a quoted variable may be a number`() {
        let report = load(
            "version: 1\nproviders: { p: { plugin: echo } }\ndefaults: { max_models: \"${A}\" }\nmodels: { m: { provider: p } }\n",
            variables: ["A": "7"])
        #expect(report.policy?.defaults.maxModels == 7)
    }

    @Test
    func `other mistakes of a provider that is off are reported too`() {
        let text = load("version: 1\nproviders:\n  p: { plugin: fake, base_url: \"${NO}\", stream_usage: maybe }\nmodels: {}\n").rendered()
        #expect(text.contains("provider 'p' is off: 'NO' is unset or empty"))
        #expect(text.contains("'stream_usage' takes true or false, not '<secret>'"))
    }

    @Test
    func `a report can leave out that a provider is off, for the same variables`() throws {
        func report(_ name: String) -> PolicyReport {
            load(
                "version: 1\nproviders:\n  p: { plugin: fake, base_url: http://h/v1, api_key: \"${\(name)}\" }\n"
                    + "models: { m: { provider: p } }\nroutes: { r: { try: m } }\n")
        }
        let first = report("FIRST")
        let known = Set(try #require(first.policy).providers.compactMap(\.offMessage))
        #expect(first.rendered().contains("provider 'p' is off: 'FIRST' is unset or empty"))
        #expect(!first.rendered(leavingOut: known).contains("provider 'p' is off"))
        #expect(first.rendered(leavingOut: known).contains("route 'r' has no usable model"))
        #expect(report("SECOND").rendered(leavingOut: known).contains("provider 'p' is off: 'SECOND' is unset or empty"))
    }

    @Test
    func `an unset variable of a key is no reason for a default`() {
        let text = load("version: 1\nkeys: { k: { secret: \"${NO}\" } }\n").rendered()
        #expect(text.contains("set it in the environment"))
        #expect(!text.contains(":-"))
    }

    @Test
    func `an unset variable in a name is one error at each use`() {
        let text = """
            version: 1
            providers:
              p: { plugin: "${NO}" }
              q: { plugin: echo }
            models:
              m: { provider: "${NO}" }
            routes:
              r: { try: "${NO}" }
            """
        #expect(load(text).issues.map(\.position.line) == [3, 6, 8])
    }
}
