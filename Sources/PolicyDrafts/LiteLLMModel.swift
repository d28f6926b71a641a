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
        let supports = capabilities.filter { info.bool($0.0) == true }.map(\.1)
        model.set("supports", .texts(supports.filter { $0 != "streaming" }))
        let input = info.take("max_input_tokens", as: \.draftCount), both = info.take("max_tokens", as: \.draftCount)
        let output = info.take("max_output_tokens", as: \.draftCount)
        model.set("context", input)
        model.set("max_output", output ?? both)
        setPrice(&parameters, &info, of: &model)
        for (key, option) in limits {
            let own = parameters.take(key, as: \.draftCount), general = info.take(key, as: \.draftCount)
            model.set("limits", option, own ?? general)
        }
        model.set("timeouts", "total", parameters.take("timeout", as: \.draftSeconds))
        model.set("timeouts", "first_content", parameters.take("stream_timeout", as: \.draftSeconds))
        model.set("retry", "retries", parameters.take(["num_retries", "max_retries"]) { $0.int(in: 0...10) }.map(DraftValue.int))
        // The group of the model says what it is worth.
        _ = parameters.take("weight") { $0.foreignNumber.flatMap { $0 >= 0 ? $0 : nil } }
        for key in requestFields { model.set("request_defaults", key, parameters.take(key)?.draft) }
        for (key, value) in parameters.mapping("extra_body")?.rest ?? [] { model.set("request_overrides", key, value.draft) }
        // The names of the service, which say nothing more here.
        for key in ["id", "base_model", "db_model", "litellm_provider"] { _ = info.take(key) }
        if let words = ImportWords.leftOver(parameters.keys + info.keys) { model.comments.append(words) }
    }

    private static let limits = [
        ("rpm", "requests_per_minute"), ("tpm", "tokens_per_minute"), ("max_parallel_requests", "concurrent"),
    ]
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
    /// LiteLLM's prices are per token, per second and so on; here they are per million tokens and per minute.
    private static let prices: [(key: String, option: String, factor: Double)] = [
        ("input_cost_per_token", "input", 1_000_000), ("output_cost_per_token", "output", 1_000_000),
        ("cache_read_input_token_cost", "cached_input", 1_000_000), ("cache_creation_input_token_cost", "cache_write", 1_000_000),
        ("input_cost_per_second", "per_minute", 60), ("output_cost_per_image", "per_image", 1),
        ("input_cost_per_request", "per_request", 1),
    ]

    private static func setPrice(_ parameters: inout ForeignMapping, _ info: inout ForeignMapping, of model: inout DraftEntry) {
        let found = prices.compactMap { key, option, factor -> DraftField? in
            let own = parameters.number(key), general = info.number(key)
            return (own ?? general).map { DraftField(option, .number($0 * factor)) }
        }
        let options = found.map(\.key)
        guard options.contains(where: { $0.hasPrefix("per_") }) || options.contains("input") && options.contains("output") else {
            if !found.isEmpty { model.comments.append("Its price is not taken over: a price needs those of input and of output.") }
            return
        }
        for field in found { model.set("price", field.key, field.value) }
    }
}
