/// A service that a first policy can use, with a model or two of it.
package struct StarterProvider: Sendable {
    /// The name of the provider and of its plugin.
    package let name: String
    /// The variable that holds the key; nil if the service needs none.
    package let variable: String?
    let models: [StarterModel]

    /// In the order in which a route tries them.
    package static let all: [StarterProvider] = [
        StarterProvider(
            name: "openai", variable: "OPENAI_API_KEY",
            models: [
                StarterModel("gpt-4o-mini", type: "fast", supports: ["image", "tools", "json"], 128_000, 16_384, price: (0.15, 0.60)),
                StarterModel("gpt-4o", supports: ["image", "tools", "json"], 128_000, 16_384, price: (2.50, 10)),
            ]),
        StarterProvider(
            name: "anthropic", variable: "ANTHROPIC_API_KEY",
            models: [StarterModel("claude-sonnet-4-5", supports: ["image", "tools", "reasoning"], 200_000, 64_000, price: (3, 15))]),
        StarterProvider(
            name: "gemini", variable: "GEMINI_API_KEY",
            models: [
                StarterModel(
                    "gemini-2.5-flash", type: "fast", supports: ["image", "audio", "video", "tools", "json", "reasoning"], 1_048_576,
                    65_536,
                    price: (0.30, 2.50))
            ]),
        StarterProvider(
            name: "deepseek", variable: "DEEPSEEK_API_KEY",
            models: [StarterModel("deepseek-chat", supports: ["tools", "json"], 64_000, 8192, price: (0.27, 1.10))]),
        StarterProvider(
            name: "openrouter", variable: "OPENROUTER_API_KEY",
            models: [
                StarterModel(
                    "openrouter/*", about: "Every model of OpenRouter: openrouter/NAME is its model NAME. Only a request can name one.")
            ]),
        StarterProvider(
            name: "ollama", variable: nil,
            models: [
                StarterModel(
                    "llama3.2", type: "fast", supports: ["tools"], 32_768, price: (0, 0), about: "First run: ollama pull llama3.2")
            ]),
        StarterProvider(
            name: "demo", variable: nil,
            models: [
                StarterModel(
                    "demo", type: "fast", supports: ["tools", "json"], 8192, price: (0, 0),
                    about: "Responds from inside the process, without a key and a network.")
            ]),
    ]
}

/// A model of a first policy.
struct StarterModel: Sendable {
    let name: String
    let type: String?
    let supports: [String]
    let context: Int?
    let maxOutput: Int?
    /// Of input and output, in US dollars per million tokens.
    let price: (input: Double, output: Double)?
    let about: String?

    init(
        _ name: String, type: String? = nil, supports: [String] = [], _ context: Int? = nil, _ maxOutput: Int? = nil,
        price: (input: Double, output: Double)? = nil, about: String? = nil
    ) {
        (self.name, self.type, self.supports) = (name, type, supports)
        (self.context, self.maxOutput, self.price, self.about) = (context, maxOutput, price, about)
    }

    /// Only a request can name one of a wildcard's models, so a route can't.
    var isWildcard: Bool { name.hasSuffix("*") }
}

/// The first policy of a new user.
package enum StarterPolicy {
    /// - Parameters:
    ///   - providers: at least one.
    ///   - listen: an address as `listen:` takes it.
    ///   - key: the only client's, by name; nil for none, which only a local address allows.
    package static func draft(_ providers: [StarterProvider], listen: String, key: (name: String, secret: ClientKey)?) -> PolicyDraft {
        var draft = PolicyDraft()
        draft.header = [
            "The policy of llm-router: which models may serve a request, and in which order.",
            "Check it with 'llm-router check', serve it with 'llm-router serve', and send SIGHUP after a change.",
            "'llm-router help config' explains every option.",
        ]
        draft.listen = listen
        for provider in providers {
            var entry = DraftEntry(provider.name)
            entry.set("plugin", .text(provider.name))
            entry.set("api_key", provider.variable.map(DraftValue.variable))
            draft.providers.append(entry)
            for model in provider.models { draft.models.append(Self.entry(model, of: provider)) }
        }
        let steps = providers.flatMap(\.models).filter { !$0.isWildcard }.map(\.name)
        if !steps.isEmpty {
            var auto = DraftEntry("auto")
            auto.comments = ["Requests that name no model, or 'auto': the first of these that works."]
            auto.set("try", .texts(steps))
            draft.routes.append(auto)
        }
        if let key {
            var entry = DraftEntry(key.name)
            entry.comments = ["The hash of the key that 'llm-router init' printed; 'llm-router key new NAME' makes more."]
            entry.set("sha256", .text(key.secret.digest))
            draft.keys.append(entry)
        }
        return draft
    }

    private static func entry(_ model: StarterModel, of provider: StarterProvider) -> DraftEntry {
        var entry = DraftEntry(model.name)
        entry.comments = model.about.map { [$0] } ?? []
        entry.set("provider", .text(provider.name))
        entry.set("type", model.type.map(DraftValue.text))
        entry.set("supports", .texts(model.supports))
        entry.set("context", model.context.map(DraftValue.int))
        entry.set("max_output", model.maxOutput.map(DraftValue.int))
        entry.set("price", "input", model.price.map { .number($0.input) })
        entry.set("price", "output", model.price.map { .number($0.output) })
        return entry
    }
}
