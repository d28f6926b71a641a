/// `providers`, `models` and `routes`.
extension OptionTexts {
    static let providers = Section(
        name: "providers", place: "accounts at one place each, by name; what more a provider takes depends on its plugin",
        lines: [
            Line("plugin", "what drives it", .required),
            Line("timeouts", "over those of 'defaults'"),
            Line("retry", "over that of 'defaults'"),
            Line("failover", "over that of 'defaults'"),
            Line("limits", "of the provider as a whole", .absent("no limit")),
            Line("breaker", "of each of its models, over that of 'defaults'"),
        ])

    static let models = Section(
        name: "models", place: "the names that clients use; 'PROVIDER/NAME' where several providers share one",
        lines: [
            Line("provider", "who serves it", .required),
            Line("type", "what it is best at; a tag too", .absent("none")),
            Line(
                "tags", "what selectors and keys pick it by; 'vision' implies 'supports: [image]', and the other way round", .absent("none")
            ),
            Line("supports", "what it can do; a request that needs more isn't sent to it", .absent("streaming")),
            Line("upstream", "the provider's own name of it", .absent("its name here")),
            Line("context", "tokens in; longer prompts aren't sent to it", .absent("unknown")),
            Line("max_output", "tokens out; requests for more aren't sent to it", .absent("unknown")),
            Line("price", "what it costs; 0 is a price", .absent("unknown")),
            Line("hidden", "left out of lists; routes and clients may still name it", .value("false")),
            Line("request_defaults", "put into a request where the client gives none", .absent("none")),
            Line("request_overrides", "put into a request whatever the client gives", .absent("none")),
            Line("timeouts", "over its provider's"),
            Line("weight", "its share in the order 'weighted'; 0 is drawn when no other is left", .value("1")),
            Line("limits", "its own, over those of 'defaults'"),
            Line("retry", "over its provider's"),
            Line("breaker", "its own, over its provider's"),
        ])

    static let price = Section(
        name: "price", place: "of a model, in US dollars for a million tokens",
        lines: [
            Line("input", "of the prompt", .required),
            Line("output", "of the response", .required),
            Line("cached_input", "of what the provider read from its cache", .absent("as input")),
            Line("reasoning", "of what the model thought", .absent("as output")),
        ])

    static let routes = Section(
        name: "routes", place: "names that stand for several models",
        lines: [
            Line("try", "the models that response, in order", .required),
            Line("fallback", "the chain for when everything in 'try' has failed", .absent("none")),
            Line("fallback_on", "chains of their own for one kind of failure"),
            Line("max_models", "how many models of 'try' one request may be sent to", .absent("as 'defaults'")),
            Line("max_attempts", "over retries, models, fallbacks and hedges together", .absent("as 'defaults'")),
            Line("timeouts", "over each model's"),
            Line("retry", "over each model's"),
            Line("failover", "over each provider's"),
            Line("hedge", "a second model asked beside a slow first one; the first content wins", .absent("none")),
            Line("resume", "a stream that breaks after its first content may go on at another model that can continue it", .value("false")),
        ])

    static let step = Section(
        name: "step", place: "of 'try' and of the fallbacks: a model, 'PROVIDER/NAME', a route, or a mapping",
        lines: [
            Line("select", "conditions; the models that fulfil all of them are kept, hidden ones too; '{}' keeps every model", .required),
            Line("order", "how they are ranked", .value("listed")),
        ])

    static let select = Section(
        name: "select", place: "of a step; what a request needs (images, tools, JSON, length) is looked at besides",
        lines: [
            Line("tags", "an expression: \"llama & !paid, gemini\"", .absent("any")),
            Line("type", "the model's type", .absent("any")),
            Line("provider", "one of these", .absent("any")),
            Line("supports", "all of these", .absent("anything")),
            Line("min_context", "tokens in; a model whose 'context' isn't given is left out", .absent("any")),
            Line("min_output", "tokens out; a model whose 'max_output' isn't given is left out", .absent("any")),
            Line("max_price", "for a million tokens, input and output each; a model without a price is left out", .absent("any")),
            Line("min_success_rate", "over 'statistics.window'; a model that wasn't asked in it is kept", .absent("any")),
            Line("models", "names and globs over names and 'PROVIDER/NAME'", .absent("all")),
        ])

    static let maxPrice = Section(
        name: "max_price", place: "of a selector, in US dollars for a million tokens",
        lines: [
            Line("input", "of the prompt, at most", .absent("any")),
            Line("output", "of the response, at most", .absent("any")),
        ])

    static let fallbackOn = Section(
        name: "fallback_on", place: "of a route",
        lines: [
            Line("context_overflow", "when the prompt is too long for the model", .absent("the next candidate with a larger 'context'")),
            Line("content_filter", "when the content filter refused", .absent("the client gets the refusal")),
        ])

    static let hedge = Section(
        name: "hedge", place: "of a route",
        lines: [
            Line("after", "without content by then, the next model is asked too; p95 is what 95 of 100 requests needed so far", .required),
            Line("max_cost", "what the second attempt may cost at most; a model without a price is never asked so", .absent("no cap")),
        ])
}
