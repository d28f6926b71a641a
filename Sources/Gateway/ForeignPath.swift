/// A path of another gateway or of a vendor's API, and what a client that asks for it here should do.
///
/// Sources: the API references of OpenAI, Anthropic, Gemini, Cohere, Bedrock, Azure, OpenRouter, Ollama, llama.cpp,
/// vLLM, Text Generation Inference and LM Studio; LiteLLM's list of routes; Prometheus' and Kubernetes' customs.
struct ForeignPath {
    /// In lower case. `*` stands for one part of a path or for the beginning of one, and a final `**` for one or more
    /// parts. It matches below `/v1`, below `/api/v1` and without a prefix.
    let pattern: String
    let advice: Advice

    enum Advice {
        /// The path of an endpoint of the router.
        case use(String)
        case note(String)
    }

    /// What to do instead, for a message; nil if the path is not known.
    static func advice(for path: String) -> String? {
        // A model's name may look like such a path, but not with one of the verbs that the router has.
        if case .post? = EndpointTable.match(path: path)?.endpoint.method { return nil }
        if let known = EndpointTable.properSuffix(of: path) {
            return "the path should be only '\(known)'; correct the base URL that the client is configured with"
        }
        if EndpointTable.hasEndpoint(at: path) { return nil }
        if let known = geminiPath(at: path) {
            return "the path should be only '\(known)'; correct the base URL that the client is configured with"
        }
        let parts = path.lowercased().split(separator: "/")
        let prefixes: [[Substring]] = [[], ["v1"], ["api", "v1"]].filter { parts.starts(with: $0) }
        guard !parts.isEmpty, let found = table.first(where: { row in prefixes.contains { row.matches(parts.dropFirst($0.count)) } })
        else { return nil }
        switch found.advice {
        case .use(let path): return EndpointTable.match(path: path).map { "use \($0.endpoint.method.name) \(path): \($0.endpoint.about)" }
        case .note(let text): return text
        }
    }

    private func matches(_ parts: ArraySlice<Substring>) -> Bool {
        let expected = pattern.split(separator: "/")
        guard let last = expected.last else { return parts.isEmpty }
        let matchesRest = last == "**"
        guard matchesRest ? parts.count >= expected.count : parts.count == expected.count else { return false }
        return zip(parts, expected).allSatisfy { part, expected in
            expected == "**" || (expected.first == "*" ? part.hasSuffix(expected.dropFirst()) : part == expected)
        }
    }

    static let table: [ForeignPath] =
        rows(
            .use("/v1/chat/completions"),
            "", "chat", "completion", "complete", "generate", "generate_stream",
            "infill", "converse", "invocations", "v2/chat", "model/*/converse",
            "model/*/converse-stream", "model/*/invoke", "model/*/invoke-with-response-stream", "openai/deployments/*/completions")
        + rows(
            .note("the router stores no responses: send the whole conversation with each request to POST /v1/responses"), "responses/**")
        + rows(.use("/v1/embeddings"), "embed", "embedding", "v2/embed")
        + rows(.use("/v1/rerank"), "rerankings", "v2/rerank")
        + rows(.use("/v1/moderations"), "moderation")
        + rows(
            .note("the router has no such feature; GET / lists its endpoints"),
            "cache/**", "feedback", "prompts", "prompts/**", "guardrails", "guardrails/**")
        + rows(.note("the access log has every request; GET /admin/requests has the last ones"), "logs", "logs/**", "requests")
        + rows(
            .use("/v1/models"),
            "engines", "model", "props", "info", "model_info", "get_model_info", "model/info",
            "model_group/info", "v2/models", "openai/deployments")
        + rows(
            .use("/livez"),
            "healthz", "live", "liveness", "health/live", "health/liveness", "health/liveliness", "ping", "up", "status", "api/status",
            "-/healthy", "server_info", "version")
        + rows(.use("/readyz"), "ready", "readiness", "health/ready", "health/readiness", "-/ready", "startupz")
        + rows(.use("/metrics"), "prometheus", "actuator/prometheus", "stats", "slots", "spend/**", "global/**", "usage", "analytics/**")
        + rows(.use("/admin/reload"), "-/reload", "reload", "config/reload")
        + rows(.use("/"), "docs", "redoc", "swagger", "swagger.json", "swagger/**", "help", "routes", "index.html")
        + rows(
            .note("models and providers are in the policy file: change it, then POST /admin/reload"),
            "model/new", "model/update", "model/delete", "config", "config/**", "configs", "configs/**", "providers", "providers/**",
            "api/providers",
            "virtual-keys", "virtual-keys/**", "integrations", "integrations/**")
        + rows(
            .note(
                "keys and their limits are in the policy file, under 'keys:'; GET /tools/generate_key makes a key, GET /admin/usage says what each has used"
            ),
            "key", "key/**", "keys", "keys/**", "user/**", "team/**", "customer/**", "budget/**", "organization/**", "auth/key", "credits",
            "generation", "api/token")
        + rows(
            .note("the dashboard is at /ui/; GET / lists the endpoints"),
            "dashboard", "dashboard/**", "admin", "login", "console")
        + rows(
            .note("the router doesn't serve such requests; GET / lists its endpoints; send them to the provider itself"),
            "messages/batches", "messages/batches/**", "images/variations", "videos", "videos/**", "score", "pooling",
            "classify", "ocr", "search", "search/**", "rag/**", "tokenize", "detokenize",
            "files", "files/**", "batches", "batches/**", "uploads", "uploads/**", "assistants", "assistants/**", "threads", "threads/**",
            "conversations", "conversations/**", "vector_stores", "vector_stores/**", "fine_tuning/**", "evals", "evals/**", "realtime",
            "realtime/**", "containers", "containers/**", "v1beta/files", "v1beta/files/**", "v1beta/cachedcontents",
            "v1beta/cachedcontents/**", "upload/v1beta/files",
            "models/*:batchgeneratecontent", "v1beta/models/*:batchgeneratecontent", "models/*:predict", "v1beta/models/*:predict",
            "utils/**", "mcp",
            "mcp/**")

    /// Where the router serves the method of a model of Gemini's API that a path with another beginning names, such as
    /// Vertex's `/v1beta1/projects/…/models/gemini-2.0-flash:generateContent`. nil if it names none.
    private static func geminiPath(at path: String) -> String? {
        guard let models = path.firstRange(of: "models/"), models.lowerBound == path.startIndex || path[..<models.lowerBound].last == "/"
        else { return nil }
        let known = "/v1beta/" + path[models.lowerBound...]
        return EndpointTable.match(path: known)?.endpoint.method == .post ? known : nil
    }

    private static func rows(_ advice: Advice, _ patterns: String...) -> [ForeignPath] {
        patterns.map { ForeignPath(pattern: $0, advice: advice) }
    }
}
