import HTTPWire
package import ProviderKit
import Telemetry
import WireFormats

/// The endpoints of the router. No other code lists them.
enum EndpointTable {
    static let rows: [Endpoint] = [
        Endpoint(
            "chat", .post, prefixed("/chat/completions"), .operation(.call(.chat)), body: .buffered, members: .chat,
            about: "chat completions in OpenAI's format, streamed or not",
            serve: CallEndpoint.serve(.chat, OpenAIChat.format) { body throws(ProviderError) in .chat(try OpenAIChat.readRequest(body)) }),
        Endpoint(
            "messages", .post, prefixed("/messages"), .operation(.call(.chat)), face: .anthropic, body: .buffered, members: .anthropic,
            about: "messages in Anthropic's format, streamed or not",
            serve: CallEndpoint.serve(.chat, AnthropicMessages.format) { body throws(ProviderError) in
                .chat(try AnthropicMessages.readRequest(body))
            }),
        Endpoint(
            "count_tokens", .post, prefixed("/messages/count_tokens"), .operation(.call(.chat)), face: .anthropic, body: .buffered,
            members: .anthropic,
            about: "the number of tokens of a message",
            serve: CountTokensEndpoint.serve(
                AnthropicMessages.format,
                translate: { body throws(ProviderError) in .chat(try AnthropicMessages.readRequest(body)) }
            ) { writer, tokens in
                writer.object { $0.member("input_tokens", tokens) }
            }),
        Endpoint(
            "responses", .post, prefixed("/responses"), .operation(.call(.chat)), face: .openAIResponses, body: .buffered,
            members: .responses,
            about: "responses in OpenAI's format, streamed or not",
            serve: CallEndpoint.serve(.chat, OpenAIResponses.format) { body throws(ProviderError) in
                .chat(try OpenAIResponses.readRequest(body))
            }),
        Endpoint(
            "responses_compact", .post, prefixed("/responses/compact"), .operation(.call(.chat)), face: .openAIResponses, body: .buffered,
            members: .responses,
            about: "a shorter form of a conversation",
            serve: CallEndpoint.serve(.chat, OpenAIResponses.compaction) { _ throws(ProviderError) in throw .cannotExpress("a compaction") }
        ),
        Endpoint(
            "responses_input_tokens", .post, prefixed("/responses/input_tokens"), .operation(.call(.chat)), face: .openAIResponses,
            body: .buffered, members: .responses, about: "the number of tokens of a conversation",
            serve: CountTokensEndpoint.serve(
                OpenAIResponses.format,
                translate: { body throws(ProviderError) in .chat(try OpenAIResponses.readRequest(body)) }
            ) { writer, tokens in
                writer.object {
                    $0.member("object", "response.input_tokens")
                    $0.member("input_tokens", tokens)
                }
            }),
        Endpoint(
            "embeddings", .post, prefixed("/embeddings"), .operation(.call(.embeddings)), body: .buffered, members: .embeddings,
            about: "vectors for texts",
            serve: CallEndpoint.serve(.embeddings, OpenAIEmbeddings.format) { body throws(ProviderError) in
                .embeddings(try OpenAIEmbeddings.readRequest(body))
            }),
        ollama("chat", .chat, OllamaChat.format, "messages in Ollama's format, streamed or not", .ollamaChat, translate: ollamaChat),
        ollama(
            "generate", .chat, OllamaChat.generate, "the response to one prompt in Ollama's format", .ollamaPrompt, translate: ollamaPrompt),
        ollama("embed", .embeddings, OllamaEmbed.format, "vectors for texts in Ollama's format", .embeddings, translate: ollamaEmbed),
        ollama(
            "embeddings", .embeddings, OllamaEmbed.legacy, "one vector in Ollama's older format", .ollamaPrompt, translate: ollamaEmbeddings
        ),
        Endpoint(
            "ollama_tags", .get, ["/api/tags"], .operation(.models), face: .ollama, about: "the models and routes in Ollama's format",
            serve: ModelsEndpoint.list),
        Endpoint(
            "ollama_show", .post, ["/api/show"], .operation(.models), face: .ollama, body: .buffered, members: .ollamaShow,
            about: "one of them",
            serve: OllamaEndpoints.show),
        Endpoint(
            "ollama_ps", .get, ["/api/ps"], .operation(.models), face: .ollama, about: "the loaded models: none",
            serve: OllamaEndpoints.running),
        Endpoint(
            "ollama_version", .get, ["/api/version"], .operation(.models), face: .ollama, about: "the version for Ollama's clients",
            serve: OllamaEndpoints.version),
        Endpoint(
            "ollama_manage", .post, ["/api/pull", "/api/push", "/api/create", "/api/copy"], .operation(.models), face: .ollama,
            body: .unread, about: "refused, like push, create and copy", serve: OllamaEndpoints.manage),
        Endpoint(
            "ollama_manage", .headAndPost, ["/api/blobs/{id}"], .operation(.models), face: .ollama, body: .unread, about: "refused",
            serve: OllamaEndpoints.manage),
        Endpoint(
            "ollama_manage", .delete, ["/api/delete"], .operation(.models), face: .ollama, body: .unread, about: "refused",
            serve: OllamaEndpoints.manage),
        gemini(
            "generate_content", "generateContent", .chat, "a response in Gemini's format", .gemini,
            serve: CallEndpoint.serve(.chat, Gemini.format, translate: geminiChat)),
        gemini(
            "generate_content", "streamGenerateContent", .chat, "the same, streamed", .gemini,
            serve: CallEndpoint.serve(.chat, Gemini.format, isStream: true, translate: geminiChat)),
        gemini(
            "count_tokens", "countTokens", .chat, "the number of tokens of a request", .gemini,
            serve: CountTokensEndpoint.serve(Gemini.format, translate: geminiChat) { writer, tokens in
                writer.object { $0.member("totalTokens", tokens) }
            }),
        gemini(
            "embed_content", "embedContent", .embeddings, "a vector for a text", .geminiEmbedding,
            serve: CallEndpoint.serve(.embeddings, GeminiEmbeddings.single, translate: geminiEmbeddings)),
        gemini(
            "embed_content", "batchEmbedContents", .embeddings, "vectors for several texts", .geminiEmbeddings,
            serve: CallEndpoint.serve(.embeddings, GeminiEmbeddings.format, translate: geminiEmbeddings)),
        passed("completions", "/completions", .completion, OpenAIObjects.completions, "legacy completions, streamed or not", .completion),
        passed("moderations", "/moderations", .moderation, OpenAIObjects.moderations, "whether a text breaks the rules", .moderation),
        passed("images", "/images/generations", .imageGeneration, OpenAIObjects.images, "images for a description", .image),
        passed("image_edits", "/images/edits", .imageEdit, OpenAIObjects.imageEdits, "changes of given images", .imageEdit),
        passed(
            "transcriptions", "/audio/transcriptions", .transcription, OpenAIAudio.transcriptions, "the text of a recording", .recording),
        passed(
            "translations", "/audio/translations", .translation, OpenAIAudio.translations, "the text of a recording, in English", .recording
        ),
        passed("speech", "/audio/speech", .speech, OpenAIAudio.speech, "a text, spoken", .speech),
        passed("rerank", "/rerank", .rerank, OpenAIObjects.rerank, "documents in the order of their relevance", .rerank),
        Endpoint(
            "models", .get, prefixed("/models"), .operation(.models), face: nil, about: "the models and routes", serve: ModelsEndpoint.list),
        Endpoint("models", .get, prefixed("/models/{id}"), .operation(.models), face: nil, about: "one of them", serve: ModelsEndpoint.one),
        Endpoint(
            "models", .get, ["/v1beta/models"], .operation(.models), face: .gemini, about: "the models and routes, in Gemini's format",
            serve: ModelsEndpoint.list),
        Endpoint(
            "models", .get, ["/v1beta/models/{id}"], .operation(.models), face: .gemini, about: "one of them", serve: ModelsEndpoint.one),
        Endpoint("health", .get, prefixed("/health"), .open, about: "the state of the router and its policy", serve: HealthEndpoint.health),
        Endpoint("livez", .get, ["/livez"], .open, about: "whether the process lives", serve: HealthEndpoint.health),
        Endpoint("readyz", .get, ["/readyz"], .open, about: "whether it accepts requests", serve: HealthEndpoint.readiness),
        Endpoint(
            "metrics", .get, ["/metrics"], .admin, types: ["text/plain"], about: "metrics for Prometheus", serve: MetricsEndpoint.text),
        admin("state", .get, "/state", "what each model is ready for, and why not", serve: StateEndpoint.all),
        admin("state", .get, "/state/{id}", "the same for one of them", serve: StateEndpoint.one),
        admin("state_reset", .post, "/state/{id}/reset", "close its breaker and forget its statistics", serve: StateEndpoint.reset),
        admin(
            "requests", .get, "/requests", parameters: RequestsEndpoint.parameters,
            "the last requests", serve: RequestsEndpoint.list),
        admin("requests", .get, "/requests/{id}", "one of them", serve: RequestsEndpoint.one),
        admin(
            "events", .get, "/events", parameters: [EventFeed.parameter], types: ["text/event-stream"],
            "what happens from now on, as server-sent events", serve: EventFeed.serve),
        admin("history", .get, "/history", "figures of the last hour, for each minute", serve: HistoryEndpoint.serve),
        admin("metrics_json", .get, "/metrics", "the metrics as JSON", serve: MetricsEndpoint.json),
        admin("rate_limits", .get, "/rate-limits", "what is left of the limits", serve: RateLimitsEndpoint.serve),
        admin(
            "usage", .get, "/usage", parameters: UsageEndpoint.parameters, types: UsageSummary.Format.allCases.map(\.mediaType),
            "what keys have used and models have cost, and what is left of budgets", serve: UsageEndpoint.serve),
        admin("reloads", .get, "/reloads", "the last loads of the policy", serve: ReloadsEndpoint.serve),
        admin("routes", .get, "/routes", "the routes of the policy, part by part", serve: RoutesEndpoint.serve),
        admin("policy", .get, "/policy", "the policy's text without its secrets", serve: PolicyEndpoint.serve),
        admin("reload", .post, "/reload", "reload the policy file", serve: ReloadEndpoint.serve),
        admin(
            "explain", .post, "/explain", body: .buffered, parameters: ExplainEndpoint.parameters,
            types: ["application/json", "text/plain"], "the plan of a request", serve: ExplainEndpoint.serve),
        admin("check", .post, "/check", body: .buffered, "the mistakes in a policy file", serve: CheckEndpoint.serve),
        Endpoint(
            "generate_key", .get, ["/tools/generate_key", "/api/v1/tools/generate_key"], .admin,
            parameters: GenerateKeyEndpoint.parameters, types: ["application/json", "text/plain"],
            about: "a new key, with the lines of the policy that hold its hash", serve: GenerateKeyEndpoint.serve),
        Endpoint(
            "ui", .get, ["/ui", "/ui/{id}"], .open, types: DashboardEndpoint.types, about: "the dashboard; its data needs an admin key",
            serve: DashboardEndpoint.serve),
        Endpoint("openapi", .get, ["/openapi.json"], .open, about: "this list for programs, in OpenAPI", serve: OpenAPIEndpoint.serve),
        Endpoint(
            "root", .get, ["/", "/api/hello"], .open, types: ["text/plain", "text/html"], about: "this list", serve: RootEndpoint.serve),
    ]

    /// An endpoint whose requests and responses only pass through, to providers that have the same endpoint.
    private static func passed(
        _ name: String, _ path: String, _ operation: ProviderKit.Operation, _ format: WireFormat, _ about: String,
        _ members: [RequestMember]
    ) -> Endpoint {
        Endpoint(
            name, .post, prefixed(path), .operation(.call(operation)), body: operation.takesForms ? .form : .buffered,
            members: members, about: about,
            serve: CallEndpoint.serve(operation, format) { _ throws(ProviderError) in throw .cannotExpress("this request") })
    }

    /// An endpoint of Ollama's API that sends requests to models.
    private static func ollama(
        _ name: String, _ operation: ProviderKit.Operation, _ format: WireFormat, _ about: String, _ members: [RequestMember],
        translate: @escaping CallEndpoint.Translation
    ) -> Endpoint {
        let serve = CallEndpoint.serve(operation, format, translate: translate)
        return Endpoint(
            "ollama_\(name)", .post, ["/api/\(name)"], .operation(.call(operation)), face: .ollama, body: .buffered,
            members: members, about: about,
            serve: { if !OllamaEndpoints.loads($0, format) { serve($0) } })
    }

    /// An endpoint of Gemini's API, whose path names the model. Its SDKs' base URL has no version.
    private static func gemini(
        _ name: String, _ verb: String, _ operation: ProviderKit.Operation, _ about: String, _ members: [RequestMember],
        serve: @escaping @Sendable (Exchange) -> Void
    ) -> Endpoint {
        Endpoint(
            name, .post, ["/v1beta", "/v1"].map { "\($0)/models/\(placeholder):\(verb)" }, .operation(.call(operation)), face: .gemini,
            body: .buffered, members: members, about: about, serve: serve)
    }

    private static let ollamaChat: CallEndpoint.Translation = { body throws(ProviderError) in .chat(try OllamaChat.readRequest(body)) }
    private static let ollamaPrompt: CallEndpoint.Translation = { body throws(ProviderError) in
        .chat(try OllamaChat.readGenerateRequest(body))
    }
    private static let ollamaEmbed: CallEndpoint.Translation = { body throws(ProviderError) in
        .embeddings(try OllamaEmbed.readRequest(body))
    }
    private static let ollamaEmbeddings: CallEndpoint.Translation = { body throws(ProviderError) in
        .embeddings(try OllamaEmbed.readLegacyRequest(body))
    }
    private static let geminiChat: CallEndpoint.Translation = { body throws(ProviderError) in .chat(try Gemini.readRequest(body)) }
    private static let geminiEmbeddings: CallEndpoint.Translation = { body throws(ProviderError) in
        .embeddings(try GeminiEmbeddings.readRequest(body))
    }

    /// An endpoint for operators. The second path is that of an earlier router.
    private static func admin(
        _ name: String, _ method: Endpoint.Method, _ path: String, body: Endpoint.Body = .ignored, parameters: [RequestMember] = [],
        types: [String]? = nil, _ about: String, serve: @escaping @Sendable (Exchange) -> Void
    ) -> Endpoint {
        Endpoint(
            name, method, ["/admin\(path)", "/api/v1/admin\(path)"], .admin, body: body, parameters: parameters, types: types, about: about,
            serve: serve)
    }

    /// The three paths of an endpoint: clients disagree on the base URL.
    private static func prefixed(_ path: String) -> [String] {
        ["/v1", "/api/v1", ""].map { $0 + path }
    }

    struct Match {
        let endpoint: Endpoint
        /// The part of the path in place of `{id}`, percent-decoded. It may contain slashes.
        var parameter: String?
    }

    /// The endpoint at a path, for any method. A slash at the end doesn't matter. nil if there is none, or if its
    /// parameter is empty or not valid percent-encoding.
    static func match(path: String) -> Match? {
        if let endpoint = endpoint(at: path) { return Match(endpoint: endpoint) }
        let path = path.hasSuffix("/") ? String(path.dropLast()) : path
        if let endpoint = endpoint(at: path) { return Match(endpoint: endpoint) }
        for pattern in patterns where path.hasPrefix(pattern.prefix) {
            guard let rest = String(percentEncoded: path.utf8.dropFirst(pattern.prefix.utf8.count)), rest.hasSuffix(pattern.suffix)
            else { continue }
            let parameter = String(rest.dropLast(pattern.suffix.count))
            return parameter.isEmpty ? nil : Match(endpoint: pattern.endpoint, parameter: parameter)
        }
        return nil
    }

    private static func endpoint(at path: String) -> Endpoint? {
        for entry in exact where entry.path == path { return entry.endpoint }
        return nil
    }

    /// Whether an endpoint has exactly this path. A slash at the end doesn't matter.
    static func hasEndpoint(at path: String) -> Bool {
        endpoint(at: path.hasSuffix("/") ? String(path.dropLast()) : path) != nil
    }

    /// The longest path of an endpoint with which a longer path ends. nil if there is none, or if the longer path is an
    /// endpoint's too.
    static func properSuffix(of path: String) -> String? {
        let path = path.hasSuffix("/") ? String(path.dropLast()) : path
        guard !hasEndpoint(at: path) else { return nil }
        return exact.map(\.path).filter { $0 != "/" && path.hasSuffix($0) }.max { $0.utf8.count < $1.utf8.count }
    }

    /// The endpoint name in metrics and in the access log for a path that is not an endpoint.
    static let otherName = "other"

    private static let placeholder = "{id}"

    /// The methods of models in Gemini's API, in the order of the rows.
    static let modelMethods = rows.flatMap(\.paths).compactMap { path in
        path.hasPrefix("/v1beta/models/\(placeholder):") ? path.split(separator: ":").last.map(String.init) : nil
    }

    /// In the order of the rows. The path of almost every request is the first, so a search finds it sooner than a hash
    /// would.
    private static let exact = rows.flatMap { row in
        row.paths.filter { !$0.contains(placeholder) }.map { (path: $0, endpoint: row) }
    }

    /// The paths with a placeholder, as what stands before it and behind it; the longest ends first.
    private static let patterns = rows.flatMap { row in
        row.paths.compactMap { path in
            path.firstRange(of: placeholder).map { place in
                (prefix: String(path[..<place.lowerBound]), suffix: String(path[place.upperBound...]), endpoint: row)
            }
        }
    }.sorted { $0.suffix.utf8.count > $1.suffix.utf8.count }
}

extension ProviderKit.Operation {
    /// The first path of the operation's endpoint.
    package var path: String { EndpointTable.rows.first { $0.access == .operation(.call(self)) }?.paths.first ?? "/" }
}
