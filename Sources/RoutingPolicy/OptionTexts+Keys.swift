/// `keys` and `tests`.
extension OptionTexts {
    static let keys = Section(
        name: "keys", place: "who may call, by name",
        lines: [
            Line("secret", "what the client shows, best as a variable; or 'sha256'"),
            Line("sha256", "the secret's SHA-256 in hexadecimal: printf %s \"$SECRET\" | sha256sum"),
            Line("admin", "/metrics and /admin too", .value("false")),
            Line("models", "what it may reach; a route that is named grants what it leads to", .absent("everything")),
            Line("endpoints", "what it may call", .absent("all")),
            Line("limits", "of all its requests together", .absent("no limit")),
            Line("defaults", "what its requests wish where they don't say otherwise"),
            Line("metadata", "'_router' in bodies, where the request doesn't say otherwise", .value("true")),
        ])

    static let keyDefaults = Section(
        name: "keys.defaults", place: "the router's own fields of a request, with the names, units and bounds that they have there",
        lines: own)

    static let tests = Section(
        name: "tests", place: "a list of what routing must do; no upstream is asked",
        lines: [
            Line("name", "what the report calls it", .required),
            Line("key", "the name of the key that sends it", .absent("one that may reach everything")),
            Line("down", "providers and models that response nothing", .absent("none")),
            Line("request", "what is asked", .absent("a request that names no model")),
            Line("expect", "what must come of it: at least one of its keys", .required),
        ])

    static let request = Section(
        name: "request", place: "of a test",
        lines: [
            Line("model", "as a request gives it: a route, a model, 'PROVIDER/NAME', or a list of these", .absent("none named")),
            Line("text", "of the one message", .absent("Hello")),
            Line("image", "the message has one", .value("false")),
            Line("audio", "the message has some", .value("false")),
            Line("file", "the message has one", .value("false")),
            Line("tools", "the request has one", .value("false")),
            Line("json", "the response is to be JSON", .value("false")),
            Line("max_tokens", "as a request gives it", .absent("none")),
        ] + own + [
            Line("tokens", "of the prompt, in place of the estimate", .absent("estimated")),
            Line("body", "a whole chat request, in place of all others but 'tokens'", .absent("made from the others")),
        ])

    static let expect = Section(
        name: "expect", place: "of a test",
        lines: [
            Line("chosen", "one of these models answers: it gets the first attempt that is not at something down", .absent("whichever")),
            Line("order", "the models asked, from the first on, as if none answered; as far as they are listed", .absent("any")),
            Line("never", "none of these models is asked, whatever fails", .absent("none")),
            Line("refused", "the client gets this status, and no response", .absent("not judged")),
        ])

    private static let own = [
        Line("tags", "an expression that every candidate must fulfil"),
        Line("type", "the candidates' type"),
        Line("min_context_size", "tokens in that every candidate must take"),
        Line("min_max_output_tokens", "tokens out that every candidate must give"),
        Line("supports_image", "only candidates that take images"),
        Line("supports_video", "only candidates that take video"),
        Line("supports_audio", "only candidates that take audio"),
        Line("supports_file", "only candidates that take files"),
        Line("supports_tools", "only candidates that call tools"),
        Line("prefer_fast", "models of the type 'fast' before the others"),
        Line("min_success_rate", "only candidates that succeeded at least so often of late"),
        Line("selection_mode", "the order, in place of the route's: 'weighted', 'best' or 'top3'"),
        Line("max_model_switches", "one less than the models that may be asked"),
        Line("max_same_model_retries", "further tries of the same model"),
        Line("retry_delay", "before the first of them; a bare number, as in a request"),
        Line("timeout_secs", "for everything; a bare number, as in a request"),
        Line("fallback_provider", "whose model is asked last; 'fallback_model' says which"),
        Line("fallback_model", "the model that is asked last"),
    ]
}
