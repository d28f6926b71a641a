import TestSupport

/// A policy file for a test. An upstream `x` becomes a provider `p-x` and a model `x`, whose upstream name is `up-x`.
struct PolicyText {
    var upstreams: [(name: String, port: UInt16)]
    /// Members of the flow mappings `server` and `defaults`, such as `keepalive: 200ms`.
    var server = ""
    var defaults = ""
    /// Members of the flow mapping of each upstream's provider, in addition to its address.
    var provider = "api_key: sk-provider"
    /// Lines under `routes:`, `keys:`, `providers:` and `models:`, each indented by two spaces.
    var routes: [String] = []
    var keys: [String] = []
    var moreProviders: [String] = []
    var moreModels: [String] = []

    init(
        _ upstreams: KeyValuePairs<String, ScriptedUpstream> = [:], server: String = "", defaults: String = "", routes: [String] = [],
        keys: [String] = []
    ) {
        self.upstreams = upstreams.map { ($0.key, $0.value.port) }
        (self.server, self.defaults, self.routes, self.keys) = (server, defaults, routes, keys)
    }

    var text: String {
        var lines = ["version: 1", "listen: 127.0.0.1:0"]
        if !server.isEmpty { lines.append("server: { \(server) }") }
        lines.append("defaults: { \(allDefaults) }")
        let providers =
            upstreams.map { "  p-\($0.name): { plugin: openai-compatible, base_url: \"http://127.0.0.1:\($0.port)/v1\", \(provider) }" }
            + moreProviders
        let models = upstreams.map { "  \($0.name): { provider: p-\($0.name), upstream: up-\($0.name) }" } + moreModels
        for (name, entries) in [("providers", providers), ("models", models), ("routes", routes), ("keys", keys)] where !entries.isEmpty {
            lines += ["\(name):"] + entries
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Unless a test sets them, there are no retries and no breaker opens, so that they don't affect the rule under
    /// test.
    private var allDefaults: String {
        var settings = defaults.isEmpty ? [] : [defaults]
        if !defaults.contains("retry:") { settings.append("retry: { retries: 0 }") }
        if !defaults.contains("breaker:") { settings.append("breaker: { failures: 1000 }") }
        return settings.joined(separator: ", ")
    }

    func with(_ change: (inout PolicyText) -> Void) -> PolicyText {
        var copy = self
        change(&copy)
        return copy
    }
}

extension RouterProcess {
    convenience init(_ policy: PolicyText, environment: [String: String] = [:], file: StaticString = #fileID, line: Int = #line) throws {
        try self.init(policy.text, environment: environment, file: file, line: line)
    }
}

/// Whether the tests run at full size and with exact times, as `make soak` does.
let isSoak = RouterBinary.environment("SOAK") == "1"

func scaled(_ size: Int, soak: Int) -> Int { isSoak ? soak : size }

/// An upper bound of a duration: exact with SOAK=1, otherwise ten times as long, because other processes share the
/// machine.
func ceiling(_ exact: Duration) -> Duration { isSoak ? exact : exact * 10 }

/// Runs `body` for each index on its own thread and returns the results in order.
func concurrently<Result: Sendable>(
    _ count: Int, within limit: Duration = .seconds(60), file: StaticString = #fileID, line: Int = #line,
    _ body: @escaping @Sendable (Int) throws -> Result
) throws -> [Result] {
    try Threads.run(count, within: limit, file: file, line: line, body)
}
