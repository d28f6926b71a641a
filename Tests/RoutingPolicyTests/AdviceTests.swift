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
            ("max_tokens", "defaults", "max_output"), ("max_tokens", "models", "max_output"), ("max_model", "defaults", nil),
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
