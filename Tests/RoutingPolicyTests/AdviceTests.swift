import ConfigTree
import Testing

@testable import RoutingPolicy

/// What reports advise about the names of other programs.
struct AdviceTests {
    private static let reference = OptionReference(plugins: [FakePlugin.self, EchoPlugin.self])
    private static let vocabulary = Vocabulary(reference)

    private func options(of section: String) -> Set<String> {
        Set(Self.reference.sections.filter { $0.name == section || $0.name.hasPrefix("\(section).") }.flatMap { $0.rows.map(\.key) })
    }

    /// The option that an advice tells to write without naming another place; nil if it tells none.
    private func optionHere(_ advice: String) -> String? {
        guard !advice.contains("' under "), !advice.contains("' at the top"), !advice.contains("' beside "), !advice.contains("' in a step")
        else { return nil }
        for start in ["did you mean '", "write '"] where advice.hasPrefix(start) {
            return String(advice.dropFirst(start.count).prefix { $0 != "'" && $0 != ":" })
        }
        return nil
    }

    @Test(arguments: ["", "defaults", "providers", "models", "routes", "keys", "step", "server", "limits", "retry"])
    func `an advice that names no other place names an option of the section`(section: String) {
        let known = options(of: section)
        for form in ForeignName.table.keys.sorted() {
            let advice = Self.vocabulary.advice(for: form, in: section, known: known.sorted())
            guard let advice, let option = optionHere(advice) else { continue }
            #expect(known.contains(option), "'\(form)' in '\(section)': \(advice)")
            #expect(advice.last != " ", "'\(form)' in '\(section)': \(advice)")
        }
    }

    @Test(
        arguments: [
            ("timeout", "server", "total"), ("timeout", "routes", "total"), ("stream", "models", "the client decides"),
            ("stream", "providers", "the client decides"), ("stream", "defaults", "the client decides"),
            ("key", "models", "'api_key' here"),
            ("max_tokens", "defaults", "max_output"), ("max_tokens", "models", "max_output"), ("max_model", "defaults", "max_models"),
            ("timeout", "failover", nil),
        ] as [(String, String, String?)])
    func `a word of another program comes before a distant misspelling, and before the words of conditions and failures`(
        key: String, section: String, words: String?
    ) {
        let known = options(of: section).sorted()
        let advice = known.contains(key) ? nil : Self.vocabulary.advice(for: key, in: section, known: known)
        #expect(words.map { advice?.contains($0) == true } ?? (advice == nil), "\(advice ?? "none")")
    }

    @Test(arguments: [
        ("secret", "", "it belongs under its key"), ("api_key", "", "it belongs under a provider with 'plugin: fake'"),
        ("endpoints", "", "it belongs under its key"), ("endpoints", "models", "it belongs under its key"),
        ("metadata", "models", "it belongs under its key"), ("context_window", "fallback_on", "did you mean 'context_overflow'?"),
        ("context", "fallback_on", "did you mean 'context_overflow'?"), ("host", "listen", "write 'address: HOST:PORT'"),
        ("port", "listen", "write 'address: HOST:PORT'"), ("url", "state", "did you mean 'redis'?"),
        ("rate_limit", "failover", "did you mean 'rate_limited'?"), ("delay", "hedge", "did you mean 'after'?"),
        ("max_budget", "keys", "write 'budget: { usd: …, per: month }'"), ("duration", "keys", "did you mean 'expires'?"),
    ])
    func `a word of the section comes first, then a name of the language, then other programs' words`(
        key: String, section: String, words: String
    ) {
        #expect(Self.vocabulary.advice(for: key, in: section, known: options(of: section).sorted()) == words)
    }

    @Test(arguments: [
        ("mode", "routes", "it is 'order' here, and belongs beside 'select'"), ("mode", "models", "write 'serves: [OPERATION]'"),
        ("headers", "models", "it belongs under a provider with 'plugin: fake'"), ("headers", "when", "did you mean 'header'?"),
        ("headers", "telemetry", "it belongs under 'otlp'"), ("proxy_protocol", "server", "it belongs under 'listen'"),
        ("endpoint", "models", "it is 'base_url' here, and belongs under its provider"), ("route", "when", "did you mean 'use'?"),
        ("providers", "select", "did you mean 'provider'?"), ("tag", "select", "did you mean 'tags'?"),
        ("model", "keys", "did you mean 'models'?"), ("vendor", "select", "did you mean 'provider'?"),
        ("prompt", "max_price", "did you mean 'input'?"), ("completion", "max_price", "did you mean 'output'?"),
        ("host", "server", "write 'listen: HOST:PORT' at the top of the file"),
        ("duration", "budget", "did you mean 'per'?"), ("period", "budget", "did you mean 'per'?"),
        ("max", "budget", "did you mean 'usd'?"),
        ("model", "defaults", "write 'routes: { auto: { try: [MODEL] } }' at the top of the file"),
        ("model", "keys.defaults", "write 'routes: { auto: { try: [MODEL] } }' at the top of the file"),
        ("attempts", "retry", "did you mean 'retries'?"), ("threshold", "breaker", "did you mean 'failures'?"),
        ("log_level", "", "write 'log: { level: … }', which is info, notice, warning or error"),
        ("tokens_per_day", "keys", "write 'budget: { tokens: …, per: day }'"),
        ("engine", "models", "did you mean 'upstream'?"), ("ctx", "models", "did you mean 'context'?"),
        ("fake_stream_usage", "models", "it is 'stream_usage' here, and belongs under a provider with 'plugin: fake'"),
        ("fake_base_url", "providers", "did you mean 'base_url'?"),
    ])
    func `a name leads to the option that is meant where it stands`(key: String, section: String, words: String) {
        #expect(Self.vocabulary.advice(for: key, in: section, known: options(of: section).sorted()) == words)
    }

    @Test(arguments: [
        ("rate_limits", "", "limits: { requests_per_minute"), ("rate_limit", "fallback_on", "the next model of 'try'"),
        ("timeout", "fallback_on", "the next model of 'try'"), ("model", "when", "'use' names the other one"),
        ("on_status_codes", "retry", "failover: { 429: retry }"), ("weights", "routes", "order: weighted"),
        ("requests_per_day", "limits", "budget: { tokens: …, per: day }"), ("cache", "", "keeps no responses"),
        ("access_log", "", "log: { access:"), ("otel", "", "telemetry: { otlp:"), ("tracing", "", "telemetry: { otlp:"),
        ("prometheus", "telemetry", "GET /metrics"), ("quota", "providers", "budget:"), ("sort", "providers", "request_overrides"),
        ("resource_name", "providers", "base_url: https://NAME.openai.azure.com"),
    ])
    func `a name of another program without an option of its own gets the next step`(key: String, section: String, words: String) {
        let advice = Self.vocabulary.advice(for: key, in: section, known: options(of: section).sorted())
        #expect(advice?.contains(words) == true, "\(advice ?? "none")")
    }

    @Test(arguments: [
        ("state", "/tmp/x.db", "write 'state: { file: /tmp/x.db }'"),
        ("state", "redis", "write 'state: { file: /var/lib/llm-router/state.db }'"),
        ("access", "/var/log/x", "write 'access: { file: /var/log/x }'"), ("access", "json", "write 'access: { format: json }'"),
        ("timeouts", "/x", "write 'timeouts: { total: 60s }'"),
    ])
    func `a path in the place of a section is its file`(section: String, value: String, form: String) {
        #expect(Self.vocabulary.form(of: section, given: value) == form)
    }

    @Test func `an option of other plugins is told to belong to them, under a provider`() {
        func advice(in section: String) -> String? {
            Self.vocabulary.advice(for: "stream_usage", in: section, known: options(of: section).filter { $0 != "stream_usage" }.sorted())
        }
        #expect(advice(in: "providers") == "it belongs under a provider with 'plugin: fake'")
        #expect(
            Vocabulary(OptionReference(plugins: [EchoPlugin.self, TwinPlugin.self])).advice(
                for: "text", in: "providers", known: ["plugin"])
                == "it belongs under a provider with 'plugin: echo' or 'twin'")
    }
}
