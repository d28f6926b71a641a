/// What LiteLLM's `litellm_params` and `model_info` say about a model, apart from where it is.
enum LiteLLMModel {
    static func read(
        _ parameters: inout ForeignMapping, _ info: inout ForeignMapping, of upstream: String, into model: inout DraftEntry
    ) {
        let mode = info.text("mode")
        let operation = mode.map { operations[$0] ?? $0 } ?? KnownService.operation(ofModel: upstream)
        if let operation, operation != "chat" {
            if served.contains(operation) {
                model.set("serves", .list([.text(operation)]))
            } else {
                model.comments.append("The mode '\(ImportWords.printable(operation))' has no counterpart.")
            }
        }
        model.set("tags", .texts(parameters.texts("tags").map { $0.replacing(" ", with: "-") }))
        let supports = capabilities.filter { info.bool($0.0) == true }.map(\.1)
        model.set("supports", .texts(supports.filter { $0 != "streaming" }))
        let input = info.int("max_input_tokens"), both = info.int("max_tokens"), output = info.int("max_output_tokens")
        model.set("context", positive(input))
        model.set("max_output", positive(output ?? both))
        setPrice(&parameters, &info, of: &model)
        model.set("limits", "requests_per_minute", positive(parameters.int("rpm") ?? info.int("rpm")))
        model.set("limits", "tokens_per_minute", positive(parameters.int("tpm") ?? info.int("tpm")))
        model.set("limits", "concurrent", positive(parameters.int("max_parallel_requests")))
        model.set("timeouts", "total", parameters.number("timeout").flatMap(DraftValue.seconds))
        model.set("timeouts", "first_content", parameters.number("stream_timeout").flatMap(DraftValue.seconds))
        let retries = parameters.take(["num_retries", "max_retries"])?.foreignText.flatMap { Int($0) }
        model.set("retry", "retries", retries.map { .int(min(max($0, 0), 10)) })
        model.set("weight", parameters.number("weight").flatMap { (0...1000).contains($0) ? .number($0) : nil })
        for key in requestFields { model.set("request_defaults", key, parameters.take(key)?.draft) }
        for (key, value) in parameters.mapping("extra_body")?.rest ?? [] { model.set("request_overrides", key, value.draft) }
        // The names of the service, which say nothing more here.
        for key in ["id", "base_model", "db_model", "litellm_provider"] { _ = info.take(key) }
        if let words = ImportWords.leftOver(parameters.keys + info.keys) { model.comments.append(words) }
    }

    /// LiteLLM's `mode`. Source: its documentation of model_info.
    private static let operations = [
        "embedding": "embeddings", "image_generation": "images", "image_edit": "image_edits", "audio_transcription": "transcription",
        "audio_speech": "speech", "responses": "chat",
    ]
    private static let served: Set = [
        "chat", "embeddings", "images", "image_edits", "moderation", "rerank", "completion", "transcription", "translation", "speech",
    ]
    private static let capabilities = [
        ("supports_vision", "image"), ("supports_audio_input", "audio"), ("supports_video_input", "video"), ("supports_pdf_input", "file"),
        ("supports_function_calling", "tools"), ("supports_response_schema", "json"), ("supports_reasoning", "reasoning"),
        ("supports_native_streaming", "streaming"),
    ]
    private static let requestFields = [
        "temperature", "top_p", "max_tokens", "max_completion_tokens", "presence_penalty", "frequency_penalty", "stop", "seed",
        "reasoning_effort", "response_format", "user", "logit_bias",
    ]
    /// Here, prices are per million tokens.
    private static let prices = [
        ("input_cost_per_token", "input"), ("output_cost_per_token", "output"), ("cache_read_input_token_cost", "cached_input"),
        ("cache_creation_input_token_cost", "cache_write"),
    ]

    private static func setPrice(_ parameters: inout ForeignMapping, _ info: inout ForeignMapping, of model: inout DraftEntry) {
        let found = prices.map { key, option in
            let own = parameters.number(key), general = info.number(key)
            return (option, own ?? general)
        }
        // A price needs both of these.
        guard found.allSatisfy({ !["input", "output"].contains($0.0) || $0.1 != nil }) else { return }
        for (option, dollars) in found { model.set("price", option, dollars.map { .number($0 * 1_000_000) }) }
    }

    private static func positive(_ number: Int?) -> DraftValue? {
        number.flatMap { $0 > 0 && $0 <= 1_000_000_000 ? .int($0) : nil }
    }
}
