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

    @Test func `a model is found by its name, even with slashes`() throws {
        let router = try RouterProcess(Self.policy)
        for id in ["plain", "demo/name:free", "demo%2Fname:free", "demo%2fname%3Afree"] {
            let model = try router.get("/v1/models/\(id)")
            #expect(model.status == 200, "\(id)")
            #expect(model.json?["supportsVision"]?.bool == false)
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
        #expect(try router.call("GET", "/models", fields: ["If-None-Match: \(tag)"]).status == 304)
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
        #expect(try router.chat("unknown").status == 404)
        let tagged = try router.call("GET", "/health", fields: ["x-request-id: my-own-id"])
        #expect(tagged.head["x-request-id"] == "my-own-id")
    }
}
