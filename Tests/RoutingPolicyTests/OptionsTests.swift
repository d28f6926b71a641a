import ConfigTree
import Testing

@testable import RoutingPolicy

/// Every option of the language, at every place where its section may be.
struct OptionsTests {
    /// One option at one place of a policy, with two values that it takes.
    struct Sample: CustomTestStringConvertible {
        var path: [String]
        var key: String
        var values: (String, String)
        /// Other keys of the section that the option needs, or that it excludes (nil).
        var others: [String: String?] = [:]
        /// What a difference calls it.
        var shownAs: String

        var testDescription: String { (path + [key]).joined(separator: ".") }

        func policy(_ value: String) -> String {
            var tree = OptionsTests.base
            for (other, value) in others { tree.set(path + [other], value) }
            tree.set(path + [key], value)
            return tree.yaml
        }
    }

    @Test
    func `a wait may be none, a timeout may not`() throws {
        func policy(_ defaults: String) -> PolicyReport {
            load("version: 1\nproviders: { p: { plugin: echo } }\nmodels: { m: { provider: p } }\ndefaults: { \(defaults) }\n")
        }
        let read = try #require(policy("retry: { named_wait: 0s }, timeouts: { queue: 0s }").policy)
        #expect(read.defaults.retry.namedWait == .zero && read.defaults.timeouts.queue == .zero)
        #expect(policy("timeouts: { connect: 0s }").policy == nil && policy("retry: { named_wait: -1s }").policy == nil)
    }

    /// Where each section may be.
    private static let places: [(section: String, path: [String])] =
        [
            ("", []), ("listen", ["listen", "0"]), ("listen.tls", ["listen", "0", "tls"]), ("server", ["server"]), ("log", ["log"]),
            ("access", ["log", "access"]), ("telemetry", ["telemetry"]), ("otlp", ["telemetry", "otlp"]), ("defaults", ["defaults"]),
            ("statistics", ["defaults", "statistics"]),
        ]
        + ["timeouts", "retry", "breaker", "limits", "failover"].map { ($0, ["defaults", $0]) }
        + ["timeouts", "retry", "breaker", "limits", "failover"].map { ($0, ["providers", "p", $0]) }
        + ["timeouts", "retry", "breaker", "limits", "price"].map { ($0, ["models", "m", $0]) }
        + ["timeouts", "retry", "failover", "fallback_on", "hedge"].map { ($0, ["routes", "r", $0]) }
        + [
            ("providers", ["providers", "p"]), ("models", ["models", "m"]), ("routes", ["routes", "r"]), ("keys", ["keys", "k"]),
            ("limits", ["keys", "k", "limits"]), ("keys.defaults", ["keys", "k", "defaults"]), ("budget", ["keys", "k", "budget"]),
            ("state", ["state"]), ("step", ["routes", "r", "try", "0"]),
            ("select", ["routes", "r", "try", "0", "select"]), ("max_price", ["routes", "r", "try", "0", "select", "max_price"]),
            ("when", ["routes", "r", "when", "0"]), ("sticky", ["routes", "r", "sticky"]), ("tests", ["tests", "0"]),
            ("request", ["tests", "0", "request"]), ("expect", ["tests", "0", "expect"]),
        ]

    private static let base = Tree(
        """
        version = 1
        listen.0.address = 127.0.0.1:1
        listen.0.tls.certificate = /c
        listen.0.tls.key = /k
        server.trusted_proxies = [10.0.0.0/8]
        providers.p.plugin = echo
        providers.q.plugin = echo
        models.m.provider = p
        models.n.provider = q
        models.n.tags = [x, y]
        models.p/z.provider = p
        models.q/z.provider = q
        routes.r.try.0.select.tags = x
        routes.s.try = [n]
        routes.t.try = [m]
        keys.k.secret = s3cret-s3cret
        keys.l.secret = s4cret-s4cret
        tests.0.name = t
        tests.0.expect.chosen = n
        """)

    private static let hex = String(repeating: "0f", count: 32)

    /// Values of the options whose kind does not say enough.
    private static let values: [String: (String, String, [String: String?])] = [
        ".state": ("memory", "{ file: /a }", [:]), "state.file": ("/a", "/b", [:]),
        "state.redis": ("redis://a", "redis://b", [:]), "state.prefix": ("a", "b", ["redis": "redis://a"]),
        "state.lease": ("10%", "20%", ["redis": "redis://a"]), "state.on_failure": ("refuse", "allow", ["redis": "redis://a"]),
        "keys.expires": ("2030-01-01", "2031-01-01", [:]),
        "keys.metadata": ("true", "false", [:]), "budget.per": ("day", "week", ["usd": "1"]),
        "budget.hard": ("false", "true", ["usd": "1"]), "budget.unpriced": ("allow", "refuse", ["usd": "1"]),
        "listen.address": ("127.0.0.1:1", "127.0.0.1:2", [:]),
        "listen.mode": ("0660", "0600", ["address": "unix:/a"]), "listen.owner": ("a", "b", ["address": "unix:/a"]),
        "server.trusted_proxies": ("[10.0.0.1]", "[fd00::/8]", [:]), "listen.tls.certificate": ("/a", "/b", [:]),
        "listen.tls.key": ("/a", "/b", [:]), "listen.tls.client_ca": ("/a", "/b", [:]), "providers.plugin": ("echo", "twin", [:]),
        "models.provider": ("p", "q", [:]), "models.tags": ("a", "b", [:]), "models.upstream": ("a", "b", [:]),
        "models.supports": ("[tools]", "[json]", [:]),
        "models.serves": ("[chat]", "[embeddings]", [:]), "models.formats": ("[fake]", "[fake-new, fake]", [:]),
        "models.request_defaults": ("{ a: 1 }", "{ a: 2 }", [:]),
        "models.request_overrides": ("{ a: 1 }", "{ a: 2 }", [:]), "price.input": ("1", "2", ["output": "3"]),
        "price.output": ("1", "2", ["input": "3"]), "price.cached_input": ("1", "2", ["input": "3", "output": "4"]),
        "price.cache_write": ("1", "2", ["input": "3", "output": "4"]), "price.cache_write_1h": ("1", "2", ["input": "3", "output": "4"]),
        "price.reasoning": ("1", "2", ["input": "3", "output": "4"]),
        "price.audio_input": ("1", "2", ["input": "3", "output": "4"]), "price.audio_output": ("1", "2", ["input": "3", "output": "4"]),
        "when.header": ("{ a: b }", "{ a: c }", ["use": "s"]), "when.key": ("k", "l", ["use": "s"]),
        "when.face": ("openai", "anthropic", ["use": "s"]), "when.operation": ("chat", "embeddings", ["use": "s"]),
        "when.stream": ("false", "true", ["use": "s"]), "when.use": ("s", "t", ["stream": "true"]),
        "sticky.by": ("[user]", "[prefix]", [:]), "tests.last_served_by": ("m", "n", [:]),
        "request.header": ("{ a: b }", "{ a: c }", [:]),
        "routes.try": ("[m]", "[n]", [:]),
        "routes.fallback": ("[m]", "[n]", [:]), "defaults.fallback": ("[m]", "[n]", [:]),
        "breaker.counts": ("[timeout]", "[reset]", [:]), "breaker.opens_at_once": ("[timeout]", "[reset]", [:]),
        "fallback_on.context_overflow": ("[m]", "[n]", [:]), "fallback_on.content_filter": ("[m]", "[n]", [:]),
        "hedge.after": ("3s", "p95", [:]), "hedge.max_cost": ("1", "2", ["after": "3s"]), "select.tags": ("x", "\"!y\"", [:]),
        "select.provider": ("p", "q", [:]), "select.models": ("m", "n", [:]), "select.supports": ("[tools]", "[json]", [:]),
        "select.max_price": ("1", "2", [:]), "keys.secret": ("secret-one", "secret-two", [:]),
        "server.cors": ("\"*\"", "https://a.example", [:]), "server.hosts": ("a.lan", "b.lan", [:]),
        "server.spool": ("/a", "/b", [:]), "access.file": ("/a", "/b", [:]),
        "otlp.endpoint": ("http://a:4318", "https://a", [:]), "otlp.headers": ("{ a: b }", "{ a: c }", ["endpoint": "http://a"]),
        "otlp.sample": ("0.5", "0.01", ["endpoint": "http://a"]), "otlp.content": ("false", "true", ["endpoint": "http://a"]),
        "server.ollama_version": ("0.31.0", "0.32.1", [:]),
        "keys.sha256": (hex, String(hex.reversed()), ["secret": nil]), "keys.models": ("[m]", "[n]", [:]),
        "keys.client_certificate": (hex, String(hex.reversed()), [:]), "keys.endpoints": ("[chat]", "[models]", [:]),
        "keys.defaults.tags": ("a", "b", [:]),
        "keys.defaults.fallback_provider": ("p", "q", ["fallback_model": "z"]), "keys.defaults.fallback_model": ("m", "n", [:]),
        "tests.name": ("a", "b", [:]), "tests.key": ("k", "l", [:]), "tests.down": ("p", "q", [:]), "request.model": ("m", "n", [:]),
        "request.text": ("a", "b", [:]), "request.tags": ("a", "b", [:]), "request.fallback_provider": ("p", "q", ["fallback_model": "z"]),
        "request.fallback_model": ("m", "n", [:]), "request.body": ("{ a: 1 }", "{ a: 2 }", [:]), "expect.chosen": ("m", "n", [:]),
        "expect.order": ("[m]", "[n]", [:]), "expect.never": ("m", "n", [:]), "expect.refused": ("404", "403", ["chosen": nil]),
    ]

    /// What a difference calls an option, if not by its key.
    private static let shownAs = [
        "keys.sha256": "secret", "tests.name": "test b", "step.order": "try", "failover.400 to 599": "403", "when.use": "when",
        "listen.address": "listen",
    ]

    /// Options that have only one value, or whose value is other options.
    private static let exempt: Set = [".version", ".include", ".plugins", "step.select"]

    private static let sections = OptionReference(plugins: []).sections

    static let samples = places.flatMap { place in
        (sections.first { $0.name == place.section }?.rows ?? []).compactMap { row -> Sample? in
            let name = "\(place.section).\(row.key)"
            if exempt.contains(name) || isSection(row) { return nil }
            let (first, second, others) = values[name] ?? row.kind.flatMap(values).map { ($0, $1, [:]) } ?? ("", "", [:])
            let shown = shownAs[name] ?? (place.section == "request" ? "request" : place.section == "select" ? "try" : row.key)
            return Sample(
                path: place.path, key: row.key == "400 to 599" ? "403" : row.key, values: (first, second), others: others,
                shownAs: place.section == "max_price" ? "try" : shown)
        }
    }

    /// Whether the option is a section or a list of named things, which have options of their own.
    private static func isSection(_ row: OptionReference.Row) -> Bool {
        if case .other(let words)? = row.kind { words.hasPrefix("see ") || words.contains("; see \(row.key)") } else { false }
    }

    private static func values(of kind: FieldKind) -> (String, String)? {
        switch kind {
        case .bool: ("false", "true")
        case .word(let words): (words[0], words[1])
        case .integer(let range, _): ("\(range.lowerBound)", "\(range.lowerBound + 1)")
        case .number(let range, _): ("\(range.lowerBound)", "\(range.lowerBound + 0.5)")
        case .money: ("1", "2")
        case .duration(let range): range.contains(.seconds(1)) ? ("1s", "2s") : ("61s", "62s")
        case .size: ("1MiB", "2MiB")
        case .text, .texts, .words, .address, .other: nil
        }
    }

    @Test
    func `every option of every section has samples`() {
        #expect(Set(Self.places.map(\.section)) == Set(Self.sections.map(\.name)))
        #expect(Self.samples.filter { $0.values.0.isEmpty }.map(\.testDescription) == [])
        #expect(Self.samples.count > 220)
    }

    @Test(arguments: samples)
    func `a changed value changes the digest and shows in the difference`(sample: Sample) throws {
        let before = load(sample.policy(sample.values.0)), after = load(sample.policy(sample.values.1))
        let old = try #require(before.policy, "\(before.rendered())"), new = try #require(after.policy, "\(after.rendered())")
        #expect(old.digest != new.digest)
        let lines = PolicyDifference.words(from: old, to: new, draining: [:])
        #expect(lines.contains { $0.contains(sample.shownAs) }, "\(lines)")
        #expect(PolicyDifference.words(from: old, to: old, draining: [:]) == [])
    }

    @Test(arguments: samples)
    func `an option is read only at its place, and a misspelled one is reported`(sample: Sample) {
        guard sample.key != "403" else { return }
        let report = load(sample.policy(sample.values.0).replacing("\(sample.key):", with: "\(sample.key)x:"))
        #expect(report.issues.contains { $0.message.contains("unknown key '\(sample.key)x'") }, "\(report.rendered())")
    }

    /// Mappings by path, written as YAML. A path's numbers are places in a list.
    struct Tree {
        private var children: [(key: String, tree: Tree)] = []
        private var value: String?

        /// - Parameter lines: `a.b.c = value`.
        init(_ lines: String) {
            for line in lines.split(separator: "\n") {
                let parts = line.components(separatedBy: " = ")
                set(parts[0].split(separator: ".").map(String.init), parts[1])
            }
        }

        /// - Parameter value: nil removes the key.
        mutating func set(_ path: [String], _ value: String?) {
            guard let key = path.first else {
                self.value = value
                children = []
                return
            }
            let index = children.firstIndex { $0.key == key }
            if path.count == 1, value == nil {
                if let index { children.remove(at: index) }
                return
            }
            self.value = nil
            if index == nil { children.append((key, Tree(""))) }
            children[index ?? children.count - 1].tree.set(Array(path.dropFirst()), value)
        }

        var yaml: String { children.map { "\($0.key): \($0.tree.flow)" }.joined(separator: "\n") }

        private var flow: String {
            if let value { return value }
            if children.first?.key == "0" { return "[\(children.map(\.tree.flow).joined(separator: ", "))]" }
            return "{ \(children.map { "\($0.key): \($0.tree.flow)" }.joined(separator: ", ")) }"
        }
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        guard let range = firstRange(of: separator) else { return [self] }
        return [String(self[..<range.lowerBound]), String(self[range.upperBound...])]
    }
}
