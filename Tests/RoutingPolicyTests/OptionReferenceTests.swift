import ConfigTree
import Testing

@testable import RoutingPolicy

struct OptionReferenceTests {
    @Test
    func `the shipped file shows every option`() throws {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let bytes = try SystemPolicySource().read("\(root)/routes.yaml", limit: 1 << 20)
        let words = Set(String(decoding: bytes, as: UTF8.self).split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
        let missing = Self.sections.filter { $0.name != "failover" }.flatMap { section in
            section.rows.map(\.key).filter { !words.contains($0) }.map { "\(section.name).\($0)" }
        }
        #expect(missing == [])
    }

    /// Without the plugins' own options.
    private static let sections = OptionReference(plugins: []).sections

    private static let valued = sections.flatMap { section in
        section.rows.compactMap { row -> (String, String, String)? in
            if case .value(let text) = row.absence { (section.name, row.key, text) } else { nil }
        }
    }

    /// A policy with an option in one of the places of its section.
    private static func policy(_ section: String, _ option: String) -> String {
        func at(_ name: String) -> String { section == name ? option : "" }
        let shared = ["timeouts", "retry", "breaker", "limits", "failover", "statistics"].map { "\($0): { \(at($0)) }" }.joined(
            separator: ", ")
        return """
            version: 1
            \(at(""))
            server: { \(at("server")) }
            defaults: { \(at("defaults")), \(shared) }
            providers: { p: { plugin: echo, \(at("providers")) } }
            models: { m: { provider: p, \(at("models")) }, n: { provider: p } }
            routes: { r: { try: [{ select: {}, \(at("step")) }], sticky: { \(at("sticky")) }, \(at("routes")) } }
            keys: { k: { secret: s3cret-s3cret, \(at("keys")) } }
            tests: [{ name: t, request: { \(at("request")) }, expect: { chosen: m } }]
            """.replacing(", , ", with: ", ").replacing("{ ,", with: "{")
    }

    @Test(arguments: valued)
    func `a default that is written out changes nothing`(section: String, key: String, value: String) throws {
        let without = load(Self.policy(section, ""))
        let with = load(Self.policy(section, "\(key): \(value)"))
        #expect(with.policy != nil, "\(with.rendered())")
        #expect(try #require(without.policy).digest == with.policy?.digest)
    }

    @Test
    func `many options have a default`() {
        #expect(Self.valued.count >= 40)
    }

    private static let reference = OptionReference(plugins: [FakePlugin.self, EchoPlugin.self])

    @Test(arguments: [
        ("retry", "retry: may be set on defaults"), ("retry.jitter", "  jitter      number, 0 to 1         default 0.2    each delay"),
        ("defaults.retry.jitter", "each delay is drawn"),
        ("models.gpt-4o.retry.jitter", "each delay is drawn"), ("models.weight", "  weight             number, 0 to 1000"),
        ("weight", "models: the names"),
        ("keys.defaults", "keys.defaults: routing overrides"), ("keys.defaults.timeout_secs", "seconds, 0.001 to 600"),
        ("hedge", "time, 1ms to 24h, or p95"), ("when", "header fields that the request has"), ("routes.auto.sticky.ttl", "default 10m"),
        ("failover.400 to 599", "retry | next | stop"), ("providers.echo", "what 'plugin: echo' takes in addition"),
        ("providers.delay", "time, 1ms to 24h"), ("max_price", "may be set on a selector"),
        ("include", "top-level options"), ("listen", "an address with options"),
    ])
    func `a path leads to its sections and lines`(path: String, words: String) throws {
        let text = try #require(Self.reference.text(path))
        #expect(text.contains(words), "\(text)")
    }

    @Test(arguments: [60, 80, 100, 120])
    func `no line is wider than the terminal, and no word is lost`(width: Int) throws {
        func words(_ text: String) -> [String: Int] {
            text.split { $0 == " " || $0 == "\n" || $0 == ";" }.reduce(into: [:]) { $0[String($1), default: 0] += 1 }
        }
        let text = try #require(Self.reference.text(width: width)), unbounded = try #require(Self.reference.text())
        #expect(text.split(separator: "\n").filter { $0.count > width } == [])
        #expect(words(text) == words(unbounded))
    }

    @Test
    func `an option is shown by itself, unless its name is a section's`() {
        #expect(Self.reference.text("retry.jitter")?.split(separator: "\n").count == 2)
        #expect(Self.reference.text("jitter")?.split(separator: "\n").count == 4)
        #expect((Self.reference.text("models.retry")?.split(separator: "\n").count ?? 0) > 4)
    }

    @Test(arguments: ["", "nonsense", "retry.nonsense", "nonsense.jitterr"])
    func `a path that names nothing has no text`(path: String) {
        #expect(Self.reference.text(path) == nil)
    }

    @Test
    func `the reference has one line for each option, with its values and its purpose`() throws {
        let text = try #require(Self.reference.text())
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("  ") }
        // The fake plugins describe their options differently.
        #expect(lines.count > 170)
        for line in lines where !line.hasPrefix("  delay ") && !line.hasPrefix("  text ") && !line.hasPrefix("  stream_usage ") {
            #expect(line.split(separator: "  ", omittingEmptySubsequences: true).count >= 3, "\(line)")
        }
        #expect(
            lines.allSatisfy {
                $0.count <= 200 && !$0.hasSuffix(" ") || $0.hasPrefix("  delay ") || $0.hasPrefix("  text ")
                    || $0.hasPrefix("  stream_usage ")
            })
    }

    @Test
    func `the nearest name is suggested`() {
        #expect(Self.reference.suggestion(for: "models.wieght") == "weight")
        #expect(Self.reference.suggestion(for: "brekaer") == "breaker")
        #expect(Self.reference.suggestion(for: "xyzzy") == nil)
    }

    @Test
    func `a plugin's descriptions of its options are shown`() throws {
        #expect(try #require(Self.reference.text("providers.fake")).contains("the address of its API"))
    }
}
