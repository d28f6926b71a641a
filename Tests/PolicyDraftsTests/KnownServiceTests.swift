import RoutingPolicy
import Testing

@testable import PolicyDrafts

/// What to write for a service that has no plugin of its name.
struct KnownServiceTests {
    @Test(
        arguments: [
            ("groq", "write 'plugin: openai-compatible' and 'base_url: https://api.groq.com/openai/v1'"),
            ("Mistral", "write 'plugin: openai-compatible' and 'base_url: https://api.mistral.ai/v1'"),
            ("together", "write 'plugin: openai-compatible' and 'base_url: https://api.together.xyz/v1'"),
            ("together_ai", "write 'plugin: openai-compatible' and 'base_url: https://api.together.xyz/v1'"),
            ("vllm", "write 'plugin: openai-compatible' and 'base_url: http://HOST:PORT/v1'"),
            ("lm-studio", "write 'plugin: openai-compatible' and 'base_url: http://HOST:PORT/v1'"),
            ("llama.cpp", "write 'plugin: openai-compatible' and 'base_url: http://HOST:PORT/v1'"),
            ("azure", "write 'plugin: azure-openai' and 'base_url: https://NAME.openai.azure.com'"),
            ("claude", "write 'plugin: anthropic'"), ("google", "write 'plugin: gemini'"), ("vertex", "write 'plugin: gemini'"),
            ("aws", "write 'plugin: bedrock'"), ("mainframe", nil), ("", nil),
        ] as [(String, String?)])
    func `a service leads to the plugin and the address that reach it`(name: String, words: String?) {
        #expect(KnownService.advice(for: name) == words)
    }

    @Test func `every plugin of a known service exists`() {
        #expect(KnownService.byPrefix.values.allSatisfy { service in builtins.contains { $0.name == service.plugin } })
    }

    @Test func `a report on an unknown plugin has the advice`() {
        let text = "version: 1\nproviders: { p: { plugin: groq, api_key: \"${KEY}\" } }\nmodels: { m: { provider: p } }\n"
        let report = PolicyLoader(plugins: builtins, source: OneFile(text: text), pluginAdvice: KnownService.advice(for:)).load(
            path: "routes.yaml")
        #expect(report.rendered().contains("write 'plugin: openai-compatible' and 'base_url: https://api.groq.com/openai/v1'"))
    }
}
