import TestSupport
import Testing

/// The list of models at `/models`.
@Suite struct ModelsTests {
    private static let policy = PolicyText().with {
        $0.moreProviders = ["  demo: { plugin: demo }", "  off: { plugin: openai, api_key: \"${SURELY_NOT_SET}\" }"]
        $0.moreModels = [
            "  plain: { provider: demo }",
            "  seeing: { provider: demo, tags: [vision], type: fast, context: 1000, max_output: 100, price: { input: 1, output: 2 } }",
            "  imaging: { provider: demo, supports: [image, tools, json] }", "  demo/name:free: { provider: demo }",
            "  secret: { provider: demo, hidden: true }",
            "  absent: { provider: \"off\" }",
        ]
        $0.routes = ["  r: { try: [plain, seeing] }"]
    }

    @Test func `every entry has a boolean supportsVision`() throws {
        let router = try RouterProcess(Self.policy)
        for path in ["/models", "/v1/models", "/api/v1/models"] {
            let list = try #require(try router.get(path).json)
            #expect(list["object"]?.string == "list")
            let entries = try #require(list["data"]?.array)
            #expect(
                entries.allSatisfy { $0["supportsVision"]?.bool != nil && $0["object"]?.string == "model" && $0["created"]?.int != nil })
            let seeing = Set(entries.filter { $0["supportsVision"]?.bool == true }.compactMap { $0["id"]?.string })
            #expect(seeing.isSuperset(of: ["seeing", "imaging"]) && !seeing.contains("plain"))
            // Codex takes `models` below /v1 for its own catalog.
            #expect(path == "/v1/models" ? list["models"] == nil : list["models"] == list["data"])
            let ids = entries.compactMap { $0["id"]?.string }
            #expect(ids.last == "r")
        }
    }

    @Test func `hidden models are not listed, and models of a provider that is off are not available`() throws {
        let router = try RouterProcess(Self.policy)
        let entries = try #require(try router.get("/models").json?["data"]?.array)
        let ids = entries.compactMap { $0["id"]?.string }
        #expect(Set(ids).isSuperset(of: ["plain", "seeing", "imaging", "demo/name:free", "absent", "r"]))
        #expect(!ids.contains("secret"))
        #expect(entries.first { $0["id"]?.string == "absent" }?["available"]?.bool == false)
        #expect(entries.first { $0["id"]?.string == "plain" }?["available"]?.bool == true)
        let route = try #require(entries.first { $0["id"]?.string == "r" })
        #expect(route["owned_by"]?.string == "router")
        #expect(route["supportsVision"]?.bool == true)
        let refused = try router.chat("absent")
        #expect(refused.status == 503)
        #expect(refused.errorCode == "no_model_available")
        #expect(refused.text.contains("SURELY_NOT_SET"))
    }

    @Test func `every entry has the same members, and routes come last`() throws {
        let router = try RouterProcess(Self.policy)
        let entries = try #require(try router.get("/models").json?["data"]?.array)
        for entry in entries {
            for name in ["name", "provider", "model", "owned_by"] { #expect(entry[name]?.string != nil, "\(name) of \(entry)") }
            for name in ["type", "weight", "contextSize", "maxOutputTokens", "tags"] { #expect(entry[name] != nil, "\(name) of \(entry)") }
            for name in ["Vision", "Image", "Video", "Audio", "File", "Tools"] { #expect(entry["supports\(name)"]?.bool != nil, "\(name)") }
            #expect(entry["weight"]?.double != nil && entry["tags"]?.array != nil)
        }
        let isRoute = entries.map { $0["owned_by"]?.string == "router" }
        #expect(isRoute == isRoute.sorted { !$0 && $1 } && isRoute.contains(true))
        #expect(entries.last?["provider"]?.string == "router" && entries.last?["model"]?.string == "r")
    }

    @Test func `a route has the capabilities and limits of those of its models that can be used now`() throws {
        let policy = PolicyText(defaults: "breaker: { failures: 1, cooldown: 1h, max_cooldown: 1h }").with {
            $0.moreProviders = ["  demo: { plugin: demo }", "  broken: { plugin: demo, fail: 500 }"]
            $0.moreModels = [
                "  plain: { provider: demo, context: 1000, max_output: 10 }",
                "  seeing: { provider: broken, supports: [image], context: 9000, max_output: 90 }",
            ]
            $0.routes = ["  both: { try: [plain, seeing] }", "  one: { try: seeing }"]
        }
        let router = try RouterProcess(policy)
        func entry(_ name: String) throws -> JSON { try #require(try router.get("/models/\(name)").json) }
        func expectSeeing(_ name: String, _ isSeeing: Bool, available: Bool, context: Int?, maxOutput: Int?) throws {
            let entry = try entry(name)
            #expect(entry["available"]?.bool == available, "\(name)")
            #expect(entry["supportsVision"]?.bool == isSeeing && entry["supportsImage"]?.bool == isSeeing, "\(name)")
            #expect(entry["contextSize"]?.int == context && entry["maxOutputTokens"]?.int == maxOutput, "\(name)")
        }
        try expectSeeing("both", true, available: true, context: 9000, maxOutput: 90)
        try expectSeeing("one", true, available: true, context: 9000, maxOutput: 90)
        let tag = try router.get("/models").head["etag"]
        #expect(try router.chat("seeing").status == 500)
        try expectSeeing("both", false, available: true, context: 1000, maxOutput: 10)
        try expectSeeing("one", false, available: false, context: nil, maxOutput: nil)
        try expectSeeing("seeing", true, available: false, context: 9000, maxOutput: 90)
        #expect(try router.get("/models").head["etag"] != tag)
        #expect(try router.call("GET", "/models", fields: ["If-None-Match: \(try #require(tag))"]).status == 200)
    }

    @Test func `a model is found by its name, even with slashes`() throws {
        let router = try RouterProcess(Self.policy)
        for id in ["plain", "demo/name:free", "demo%2Fname:free", "demo%2fname%3Afree"] {
            let model = try router.get("/v1/models/\(id)")
            #expect(model.status == 200, "\(id)")
            #expect(model.json?["supportsVision"]?.bool == false)
        }
        // As requests may write it; see `RequestOutline.FieldTable`.
        for id in ["plain[1m]", "demo/name:free%5B1m%5D"] {
            #expect(try router.call("GET", "/v1/models/\(id)", fields: ["anthropic-version: 2023-06-01"]).status == 200)
            #expect(try router.get("/v1/models/\(id)").status == 404)
        }
        let unknown = try router.get("/v1/models/nothing")
        #expect(unknown.status == 404)
        #expect(unknown.errorCode == "model_not_found")
    }

    @Test func `the list can be filtered`() throws {
        let router = try RouterProcess(Self.policy)
        func ids(_ query: String) throws -> Set<String> {
            Set(try #require(try router.get("/models?\(query)").json?["data"]?.array).compactMap { $0["id"]?.string }).subtracting([
                "r", "auto",
            ])
        }
        #expect(try ids("supports=image") == ["seeing", "imaging"])
        #expect(try ids("tags=vision") == ["seeing", "imaging"])
        #expect(try ids("type=fast") == ["seeing"])
    }

    @Test func `the list's ETag changes with the policy`() throws {
        let router = try RouterProcess(Self.policy)
        let first = try router.get("/models")
        let tag = try #require(first.head["etag"])
        #expect(try router.get("/models").head["etag"] == tag)
        for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
            #expect(try router.call("GET", "/models", fields: ["If-None-Match: \(known)"]).status == 304, "\(known)")
        }
        try router.reload(Self.policy.with { $0.routes.append("  s: { try: plain }") }.text)
        #expect(try router.get("/models").head["etag"] != tag)
    }

    @Test func `HEAD, OPTIONS and unknown paths get the responses that HTTP defines`() throws {
        let router = try RouterProcess(Self.policy)
        let client = try router.client()
        client.send(RouterProcess.request("HEAD", "/models") + RouterProcess.request("GET", "/health"))
        #expect(try client.readHead().status == 200)
        #expect(try client.readResponse().json?["status"]?.string == "ok")
        #expect([200, 204].contains(try router.call("OPTIONS", "/v1/chat/completions").status))
        let unknown = try router.get("/v1/nothing")
        #expect(unknown.status == 404)
        #expect(unknown.json?["error"]?["message"]?.string != nil)
        #expect(try router.get("/v1/chat/completions").status == 405)
        let foreign = try router.call("POST", "/v1/models/gemini-flash:predict", body: "{}")
        #expect(foreign.status == 404 && foreign.text.contains("send them to the provider itself"))
        for (path, fields) in [("/v1beta/models/m:fooBar", []), ("/v1/models/m:fooBar", ["x-goog-api-key: k"])] {
            let unknown = try router.call("POST", path, body: "{}", fields: fields)
            #expect(unknown.status == 404 && unknown.json?["error"]?["status"]?.string == "NOT_FOUND")
            #expect(unknown.text.contains("no method 'fooBar' here; they have generateContent, "))
        }
        #expect(try router.call("POST", "/v1/models/m:8b", body: "{}").status == 405)
        #expect(try router.call("POST", "/v1beta/models/m", body: "{}").status == 405)
        #expect(try router.call("POST", "/v1/chat/completions/", body: RouterProcess.chatBody("plain")).status == 200)
        #expect(try router.chat("unknown").status == 404)
        let tagged = try router.call("GET", "/health", fields: ["x-request-id: my-own-id"])
        #expect(tagged.head["x-request-id"] == "my-own-id")
    }

    @Test func `the root says what this is and where the API is, as a page to browsers and as text to others`() throws {
        let router = try RouterProcess(Self.policy.with { $0.keys = ["  k: { secret: the-clients-own-key }"] })
        let text = try router.get("/")
        #expect(text.status == 200 && text.head["content-type"]?.hasPrefix("text/plain") == true)
        for part in ["llm-router", "/v1", "POST /v1/chat/completions", "GET /v1/models", "Authorization: Bearer"] {
            #expect(text.text.contains(part), "\(part)")
        }
        let page = try router.call("GET", "/", fields: ["Accept: text/html,application/xhtml+xml,*/*;q=0.8"])
        #expect(page.head["content-type"]?.hasPrefix("text/html") == true && page.text.contains("POST /v1/chat/completions"))
        #expect(try router.call("OPTIONS", "/").status == 204)
    }
}
