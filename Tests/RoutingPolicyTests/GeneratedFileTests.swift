import ConfigTree
import RoutingPolicy
import Testing

/// Files that are too large or too broken to keep next to the tests.
struct GeneratedFileTests {
    private static let models = "version: 1\nproviders:\n  local: { plugin: echo }\nmodels:\n"

    private func report(_ bytes: [UInt8]) -> PolicyReport {
        var source = MemorySource()
        source.files["routes.yaml"] = bytes
        return load(source)
    }

    @Test
    func `invalid UTF-8 is refused at its first byte`() {
        let text = report(Array("version: 1\nlisten: \"é".utf8) + [0xC3, 0x28] + Array("\"\n".utf8)).rendered()
        #expect(text.hasPrefix("routes.yaml:2:11: error: this is not valid UTF-8\n"))
    }

    @Test(arguments: [(UInt8(0), "U+0000"), (0x1B, "U+001B"), (0x7F, "U+007F")])
    func `a control character is refused at its position`(byte: UInt8, name: String) {
        let text = report(Array("version: 1\n# a".utf8) + [byte] + Array("\n".utf8)).rendered()
        #expect(text.hasPrefix("routes.yaml:2:4: error: the invisible character \(name) is not allowed\n"))
        #expect(!text.utf8.contains(0x1B))
    }

    @Test
    func `UTF-16 is refused`() {
        #expect(report([0xFF, 0xFE] + Array("v\0e\0".utf8)).rendered().hasPrefix("routes.yaml:1:1: error: this is not valid UTF-8"))
    }

    @Test
    func `a byte order mark is not content`() {
        let found = report([0xEF, 0xBB, 0xBF] + Array("version: 2\n".utf8))
        #expect(found.issues.first { $0.severity == .error }?.position == SourcePosition(file: "routes.yaml", line: 1, column: 10))
    }

    @Test(arguments: ["[", "{a: ", "- "])
    func `nesting 10,000 deep is refused`(opening: String) {
        let text = load("version: 1\nmodels:\n  " + String(repeating: opening, count: 10_000)).rendered()
        #expect(text.contains("error: values are nested deeper than 32 levels"))
    }

    @Test
    func `aliases that multiply are refused`() {
        var text = "version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(load(text).rendered().contains("the aliases of this file expand to more than 100000 values"))
    }

    @Test
    func `100 aliases are accepted and 101 are refused`() {
        func text(_ count: Int) -> String {
            Self.models + "  m0: &m { provider: local }\n" + (1...count).map { "  m\($0): *m\n" }.joined()
        }
        #expect(load(text(100)).policy?.models.count == 101)
        #expect(load(text(101)).rendered().contains("routes.yaml:106:9: error: more than 100 aliases in one file"))
    }

    @Test
    func `aliases count towards the depth`() {
        let deep = String(repeating: "[", count: 20) + String(repeating: "]", count: 20)
        let text = "version: 1\na: &a \(deep)\nb: \(String(repeating: "[", count: 20))*a\(String(repeating: "]", count: 20))\n"
        #expect(load(text).rendered().contains("routes.yaml:3:24: error: values are nested deeper than 32 levels"))
    }

    @Test
    func `a file of 10 MiB is refused, and an included one at its include`() {
        let large = String(repeating: "# 345678901234567890123456789012\n", count: 320_000)
        #expect(load(large).rendered().hasPrefix("routes.yaml:1:1: error: file 'routes.yaml' is larger than 1 MiB\n"))
        let report = load(MemorySource(["routes.yaml": "version: 1\ninclude: large.yaml\n", "large.yaml": large]))
        #expect(report.rendered().hasPrefix("routes.yaml:2:10: error: file 'large.yaml' is larger than 1 MiB\n"))
    }

    @Test
    func `10,000 models in several files are one policy`() {
        var files = [
            "routes.yaml": Self.models + "  m: { provider: local }\ninclude: more/*\nroutes:\n  auto: { try: { select: { tags: fast } } }\n"
        ]
        for file in 0..<10 {
            files["more/\(file).yaml"] =
                "models:\n" + (0..<1000).map { "  m\(file)-\($0): { provider: local, type: fast, tags: [a, b] }\n" }.joined()
        }
        let policy = load(MemorySource(files)).policy
        #expect(policy?.models.count == 10_001)
        #expect(
            policy?.routes.first?.steps == [
                .selected(Selection(selector: Selector(tags: TagExpression(["fast"])), models: Array(1...10_000)))
            ])
    }

    @Test
    func `10,000 keys and 100 selectors match the models of their patterns`() throws {
        var files = ["routes.yaml": Self.models + "  m: { provider: local }\ninclude: more/*\n"]
        files["more/r.yaml"] =
            "routes:\n"
            + (0..<100).map { "  r\($0): { try: { select: { tags: \"a & !t\($0)\", models: [\"m\($0)*\", \"*\($0)\"] } } }\n" }.joined()
        for file in 0..<10 {
            let numbers = file * 1000..<file * 1000 + 1000
            files["more/m\(file).yaml"] = "models:\n" + numbers.map { "  m\($0): { provider: local, tags: [a, t\($0 % 100)] }\n" }.joined()
            files["more/k\(file).yaml"] =
                "keys:\n"
                + numbers.map { "  k\($0): { secret: secret-\($0), models: [\"tag:t\($0 % 100)\", \"m\($0)*\", \"r\($0 % 100)\"] }\n" }
                .joined()
        }
        let policy = try #require(load(MemorySource(files)).policy)
        let names = policy.models.map(\.name)
        for index in stride(from: 7, to: 10_000, by: 1111) {
            let scope = try #require(policy.keys[index].models)
            #expect(
                scope.models
                    == Set(names.indices.filter { names[$0].hasPrefix("m\(index)") || policy.models[$0].tags.contains("t\(index % 100)") }))
            #expect(scope.routes == [index % 100])
        }
        for index in [0, 42, 99] {
            guard case .selected(let selection)? = policy.routes[index].steps.first else { continue }
            let kept = names.indices.filter { place in
                let matches = names[place].hasPrefix("m\(index)") || names[place].hasSuffix("\(index)")
                return matches && policy.models[place].tags.contains("a") && !policy.models[place].tags.contains("t\(index)")
            }
            #expect(selection.models == kept)
        }
    }

    @Test
    func `10,000 unknown names are all reported`() {
        let text = Self.models + (0..<10_000).map { "  m\($0): { provider: lokal\($0) }\n" }.joined()
        let report = load(text)
        #expect(report.issues.count == 10_000)
        #expect(report.rendered().hasSuffix("and 9500 more\n"))
    }

    @Test(arguments: ["?x, ", "a: 1, ", "\"api_key\": x, ", "&a x, "])
    func `a single line of nearly 1 MiB is read without an excerpt`(item: String) {
        let line = "models: {" + String(repeating: item, count: 1_000_000 / item.utf8.count) + "}\n"
        let report = load("version: 1\n" + line)
        #expect(report.hasErrors())
        #expect(report.rendered().utf8.count < 200_000)
    }

    @Test
    func `a chain of 10,000 routes is refused without a deep stack`() {
        let routes = (0..<10_000).map { "  r\($0): { try: r\($0 + 1) }\n" }.joined()
        let text = Self.models + "  m: { provider: local }\nroutes:\n" + routes + "  r10000: { try: m }\n"
        #expect(load(text).rendered().contains("error: route 'r9984' leads through more than 16 routes"))
    }
}
