import ConfigTree
import RoutingPolicy
import Testing

struct ExcerptTests {
    /// The line and the caret of the first issue.
    private func excerpt(_ text: String) -> [Substring] {
        load(text).rendered().split(separator: "\n").filter { $0.hasPrefix("    ") }.prefix(2).map { $0.dropFirst(4) }
    }

    @Test(arguments: [
        ("    api_key: hunter2", "    api_key: <secret>"), ("    \"api_key\" : hunter2", "    \"api_key\" : <secret>"),
        ("    api_kye: hunter2", "    api_kye: <secret>"),
        ("    x: { api_key: hunter2, a: 1 }", "    x: { api_key: <secret>"), ("    X-Api-Token: hunter2", "    X-Api-Token: <secret>"),
        ("    url: https://a:hunter2@h/", "    url: https://<secret>@h/"),
    ])
    func `a secret in the line is masked`(line: String, masked: String) {
        #expect(excerpt("version: 1\nproviders:\n  p:\n\(line)\n    api_key: [").first.map(String.init) != nil)
        #expect(load("version: 1\nserver:\n  p:\n\(line)\n  \(line.drop { $0 == " " })\n").rendered().contains("hunter2") == false)
        #expect(load("version: 1\nproviders:\n  p:\n    plugin: echo\n\(line)\nmodels: {}\n").rendered().contains("\(masked)\n"))
    }

    @Test(arguments: [
        ("    retry: [] # hunter2", "    retry: []"),
        ("    timeouts: [] # api_key: hunter2", "    timeouts: []"), ("    retry: []\t# hunter2", "    retry: []"),
        ("    api_key: [] # hunter2", "    api_key: <secret>"), ("    retry: [hunter2] # note", "    retry: [<secret>]"),
    ])
    func `a comment that may hold a secret is left out`(line: String, shown: String) {
        let text = load("version: 1\nproviders:\n  p:\n    plugin: fake\n\(line)\nmodels: {}\n").rendered()
        #expect(text.contains("\(shown)\n"))
        #expect(!text.contains("hunter2"))
    }

    @Test
    func `a value below a secret's key is masked`() {
        let text = load(
            """
            version: 1
            providers:
              p:
                plugin: fake
                base_url: http://h
                headers:
                  A B: hunter2
                api_key: |
                  hunter2 hunter2
            models: {}
            """
        ).rendered()
        #expect(text.contains("      <secret>\n"))
        #expect(!text.contains("hunter2"))
    }

    @Test
    func `a secret is masked if brackets continue without indentation`() {
        let text = load(
            """
            version: 1
            providers: {
            p: { plugin: fake, base_url: http://h, headers: {
            X: hunter2, Y: [],
            Z: hunter2, "A B": 1
            } } }
            models: {}
            """
        ).rendered()
        #expect(text.contains("routes.yaml:4:16: error"))
        #expect(!text.contains("hunter2"))
    }

    @Test
    func `a value that is read as a secret is masked, whatever its key is called`() {
        let text = load("version: 1\nkeys:\n  k: { models: [no], secret: hunter2 }\nmodels: {}\n").rendered()
        #expect(!text.contains("hunter2"))
    }

    @Test
    func `a test's key and tokens are shown, and a secret beside them is masked`() {
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
    func `the caret is below its column after tabs and wide letters`() {
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
    func `characters that reverse or hide text are escaped`() {
        #expect(excerpt("version: 1\n\"a\u{202E}b\": 1\nmodels: {}\n").first == "\"a\\u{202e}b\": 1")
    }
}
