import ConfigTree
import RoutingPolicy
import Testing

struct ExcerptTests {
    /// Line and caret of the first issue.
    private func excerpt(_ text: String) -> [Substring] {
        load(text).rendered().split(separator: "\n").filter { $0.hasPrefix("    ") }.prefix(2).map { $0.dropFirst(4) }
    }

    @Test(arguments: [
        ("    api_key: hunter2", "    api_key: <secret>"), ("    \"api_key\" : hunter2", "    \"api_key\" : <secret>"),
        ("    api_kye: hunter2", "    api_kye: <secret>"),
        ("    x: { api_key: hunter2, a: 1 }", "    x: { api_key: <secret>"), ("    X-Api-Token: hunter2", "    X-Api-Token: <secret>"),
        ("    url: https://a:hunter2@h/", "    url: https://<secret>@h/"),
    ])
    func `a secret in the line is left out`(line: String, shown: String) {
        #expect(excerpt("version: 1\nproviders:\n  p:\n\(line)\n    api_key: [").first.map(String.init) != nil)
        #expect(load("version: 1\nserver:\n  p:\n\(line)\n  \(line.drop { $0 == " " })\n").rendered().contains("hunter2") == false)
        #expect(load("version: 1\nproviders:\n  p:\n    plugin: echo\n\(line)\nmodels: {}\n").rendered().contains("\(shown)\n"))
    }

    @Test
    func `what stands below a secret's key is left out`() {
        let text = load(
            "version: 1\nproviders:\n  p:\n    plugin: fake\n    base_url: http://h\n    headers:\n      A B: hunter2\n    api_key: |\n      hunter2 hunter2\nmodels: {}\n"
        ).rendered()
        #expect(text.contains("      <secret>\n"))
        #expect(!text.contains("hunter2"))
    }

    @Test
    func `a secret is left out where brackets go on without indentation`() {
        let text = load(
            "version: 1\nproviders: {\np: { plugin: fake, base_url: http://h, headers: {\nX: hunter2, Y: [],\nZ: hunter2, \"A B\": 1\n} } }\nmodels: {}\n"
        ).rendered()
        #expect(text.contains("routes.yaml:4:16: error"))
        #expect(!text.contains("hunter2"))
    }

    @Test
    func `what a plugin reads as a secret is left out, whatever its key`() {
        let text = load("version: 1\nkeys:\n  k: { models: [no], secret: hunter2 }\nmodels: {}\n").rendered()
        #expect(!text.contains("hunter2"))
    }

    @Test
    func `what a test says of keys and tokens is no secret, and what stands beside it may be one`() {
        let start = "version: 1\nmodels: {}\ntests:\n"
        #expect(load(start + "  - { name: t, key: nobody, expect: { refused: 400 } }\n").rendered().contains("key: nobody, expect: {"))
        #expect(
            load(start + "  - { name: t, request: { tokens: x1 }, expect: { refused: 400 } }\n").rendered().contains("tokens: x1 }, expect")
        )
        let both = load(start + "  - { name: t, key: nobody, api_key: hunter2, expect: { refused: 400 } }\n").rendered()
        #expect(both.contains("key: nobody, api_key: <secret>"))
        #expect(!both.contains("hunter2"))
    }

    @Test
    func `the caret stands below its column behind tabs and wide letters`() {
        #expect(excerpt("version: 1\n\"日本\":\t1\nmodels: {}\n") == ["\"日本\":→1", "^"])
        #expect(excerpt("version: 1\nserver: { \"日本\": 1, drain: 1 }\nmodels: {}\n").last == "          ^")
        #expect(excerpt("version: 1\nserver: {\tdrain: 1 }\nmodels: {}\n") == ["server: {→drain: 1 }", "                 ^"])
    }

    @Test
    func `a long line is cut around the caret`() {
        let lines = excerpt(
            "version: 1\nserver: { " + String(repeating: " ", count: 300) + "drane: 1," + String(repeating: " ", count: 300)
                + " }\nmodels: {}\n")
        #expect(lines.first?.count == 102)
        #expect(lines.first?.hasPrefix("…") == true && lines.first?.hasSuffix("…") == true)
        #expect(lines.last?.count == 52)
        #expect(lines.first?.dropFirst(51).hasPrefix("drane") == true)
    }

    @Test
    func `characters that turn or hide text are escaped`() {
        #expect(excerpt("version: 1\n\"a\u{202E}b\": 1\nmodels: {}\n").first == "\"a\\u{202e}b\": 1")
    }

    @Test
    func `colours are there on request alone`() {
        #expect(!load("version: 2\n").rendered().contains("\u{1B}"))
        #expect(load("version: 2\n").rendered(color: true).contains("\u{1B}[31merror:\u{1B}[0m"))
    }
}
