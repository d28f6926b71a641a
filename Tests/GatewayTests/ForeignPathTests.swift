import Testing

@testable import Gateway

struct ForeignPathTests {
    @Test(arguments: [
        ("/v1/responses/resp_1", "stores no responses"), ("/api/v1/responses/resp_1/input_items", "stores no responses"),
        ("/v2/chat", "POST /v1/chat/completions"), ("/infill", "POST /v1/chat/completions"), ("/v1", "POST /v1/chat/completions"),
        ("/api/v1/", "POST /v1/chat/completions"),
        ("/v1/configs", "policy file"), ("/v1/feedback", "no such feature"), ("/v1/logs/exports", "GET /admin/requests"),
        ("/cache/ping", "no such feature"), ("/global/spend", "GET /metrics"), ("/v1/ocr", "provider itself"),
        ("/v1/search", "provider itself"), ("/v1/moderation", "POST /v1/moderations"),
        ("/v1beta/models/gemini-2.0-flash:predict", "provider itself"), ("/v1beta/cachedContents", "provider itself"),
        ("/ollama/api/tags", "only '/api/tags'"), ("/model/info", "GET /v1/models"),
        ("/v1/model/info", "GET /v1/models"), ("/health/liveliness", "GET /livez"), ("/healthz", "GET /livez"),
        ("/health/readiness", "GET /readyz"), ("/key/generate", "'keys:'"), ("/api/v1/auth/key", "'keys:'"), ("/user/new", "'keys:'"),
        ("/model/new", "policy file"), ("/docs", "GET /:"), ("/dashboard", "GET /"),
        ("/v2/embed", "POST /v1/embeddings"), ("/v1/files", "provider itself"),
        ("/v1/messages/batches", "provider itself"), ("/-/reload", "POST /admin/reload"), ("/prometheus", "GET /metrics"),
    ])
    func `a path of another gateway or vendor is told what to use instead`(path: String, advice: String) throws {
        #expect(EndpointTable.match(path: path)?.endpoint.method != .post)
        let error = APIError.unknownEndpoint(path)
        #expect(error.status == 404 && error.code == "not_found")
        #expect(error.message.contains("'\(path)'") && error.message.contains(advice), "\(error.message)")
    }

    @Test(arguments: [
        ("//v1/chat/completions", "/v1/chat/completions"), ("/v1//chat/completions", "/chat/completions"),
        ("/v1/v1/chat/completions", "/v1/chat/completions"), ("/v1/chat/completions/chat/completions", "/chat/completions"),
        ("/openai/v1/chat/completions", "/v1/chat/completions"), ("/anthropic/v1/messages", "/v1/messages"),
        ("/openai/v1/responses", "/v1/responses"),
        ("/openai/deployments/gpt-4/chat/completions/", "/chat/completions"),
        ("/compat/chat/completions", "/chat/completions"), ("/api/v0/models", "/models"),
        ("/v1beta/openai/chat/completions", "/chat/completions"),
        ("/v1/metrics", "/metrics"), ("/V1/models", "/models"),
        ("/models/gemini-2.0-flash:generateContent", "/v1beta/models/gemini-2.0-flash:generateContent"),
        ("/api/v1/models/m:streamGenerateContent", "/v1beta/models/m:streamGenerateContent"),
        ("/gemini/v1beta/models/m:generateContent", "/v1beta/models/m:generateContent"),
        ("/genai/v1beta/models/m:countTokens", "/v1beta/models/m:countTokens"),
        ("/v1beta1/projects/p/locations/l/publishers/google/models/m:embedContent", "/v1beta/models/m:embedContent"),
    ])
    func `a path with a wrong beginning is told its right end`(path: String, known: String) {
        #expect(APIError.unknownEndpoint(path).message.contains("only '\(known)'; correct the base URL"))
    }

    @Test(arguments: ["/nothing", "/v1/nothing", "/favicon.ico", "/models:x", "/*", "*", "/v1/chat/complet", "/v1/responsesx", "/%zz"])
    func `any other path is told where the endpoints are listed`(path: String) {
        #expect(APIError.unknownEndpoint(path).message.hasSuffix("POST /v1/chat/completions; GET / lists the endpoints"))
    }

    @Test(arguments: [("x:fooBar", "fooBar"), ("a/b:c:generateText", "generateText"), ("m:", "")])
    func `a method that models don't have is told which ones they have`(path: String, method: String) throws {
        let error = try #require(APIError.unknownMethod(path))
        #expect(error.status == 404 && error.message.hasPrefix("models have no method '\(method)' here"))
        #expect(
            error.message.hasSuffix(
                "they have generateContent, streamGenerateContent, countTokens, embedContent and batchEmbedContents"))
        #expect(APIError.unknownMethod("gemini-flash") == nil)
    }

    @Test
    func `the table names only endpoints that exist, and no path twice`() {
        for row in ForeignPath.table {
            if case .use(let path) = row.advice { #expect(EndpointTable.match(path: path) != nil, "\(path)") }
            #expect(row.pattern == row.pattern.lowercased())
        }
        #expect(Set(ForeignPath.table.map(\.pattern)).count == ForeignPath.table.count)
    }

    @Test(arguments: EndpointTable.rows.flatMap(\.paths))
    func `no endpoint of the router is foreign`(path: String) {
        #expect(ForeignPath.advice(for: path.replacing("{id}", with: "gpt-4o")) == nil)
    }
}

struct MediaRangesTests {
    @Test(arguments: [
        ("*/*", false), ("", false), ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true), ("text/html", true),
        ("text/plain, text/html;q=0.5", false), ("text/html;q=0, */*", false), ("TEXT/HTML; q=0.9, text/plain;q=0.1", true),
        ("text/*", false), ("application/json", false), ("text/html;q=x", false),
    ])
    func `the preferred type has the higher quality`(accept: String, isPage: Bool) {
        let ranges = MediaRanges(accept)
        #expect((ranges.quality(of: "text/html") > ranges.quality(of: "text/plain")) == isPage)
    }
}
