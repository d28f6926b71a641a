import TestSupport
import Testing

/// `sticky`, `when` and wildcard models, with real requests.
@Suite struct StickyRoutesTests {
    private static func chat(_ router: RouterProcess, _ model: String, _ fields: [String] = [], stream: Bool = false) throws -> String? {
        let body = #"{"model":"\#(model)","stream":\#(stream),"messages":[{"role":"user","content":"Hello"}]}"#
        return try router.call("POST", "/v1/chat/completions", body: body, fields: fields).head["x-router-model"]
    }

    @Test func `a conversation stays with its model, also over a reload and after a failure`() throws {
        let a = try ScriptedUpstream(each: [
            { try $0.respond(200, OpenAIReplies.buffered("1")) }, { try $0.respond(500, OpenAIReplies.error("down")) },
            { try $0.respond(200, OpenAIReplies.buffered("2")) },
        ])
        let b = try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("b")) }
        let policy = PolicyText(["a": a, "b": b], routes: ["  r: { try: [a, b], sticky: { by: session, ttl: 1h } }"])
        let router = try RouterProcess(policy)
        let one = ["x-session-affinity: one"]
        #expect(try Self.chat(router, "r", one) == "a")
        #expect(try Self.chat(router, "r", one) == "b", "the first model fails, and the second takes the conversation over")
        #expect(try Self.chat(router, "r", one) == "b")
        #expect(try Self.chat(router, "r", ["session_id: two"]) == "a")
        #expect(try Self.chat(router, "r") == "a")
        try router.reload(policy.with { $0.routes.append("  s: { try: a }") }.text)
        #expect(try Self.chat(router, "r", one) == "b")
        let explained = try #require(try router.call("POST", "/admin/explain", body: #"{"model":"r"}"#, fields: one).json)
        #expect(explained["sticky"]?["goes_first"]?.bool == true && explained["sticky"]?["model"]?["model_name"]?.string == "b")
    }

    @Test(
        arguments: [
            ("/v1/chat/completions", #"{"model":"r","messages":[{"role":"user","content":"Hi"}]}"#),
            ("/v1/chat/completions", #"{"model":"r","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#),
            ("/api/chat", #"{"model":"r","stream":false,"messages":[{"role":"user","content":"Hi"}]}"#),
            ("/api/chat", #"{"model":"r","messages":[{"role":"user","content":"Hi"}]}"#),
            ("/v1beta/models/r:streamGenerateContent", #"{"contents":[{"parts":[{"text":"Hi"}]}]}"#),
        ])
    func `the next request asks first for the host behind the provider that served the last one`(path: String, body: String) throws {
        let upstream = try ScriptedUpstream { exchange in
            func named(_ json: String) -> String { json.replacing(#"{"id":"#, with: #"{"provider":"Acme","id":"#) }
            guard exchange.wantsStream else { return try exchange.respond(200, named(OpenAIReplies.buffered("hi"))) }
            try exchange.startStream()
            try exchange.event(named(OpenAIReplies.contentChunk("hi")))
            // The second stream breaks off, and its host has the prompt in its cache nevertheless.
            guard exchange.number != 1 else { return exchange.close() }
            for event in [OpenAIReplies.finishChunk, OpenAIReplies.doneEvent] { try exchange.event(event) }
            try exchange.finishChunks()
        }
        let router = try RouterProcess(
            PolicyText(routes: ["  r: { try: [x], sticky: { by: session } }"]).with {
                $0.moreProviders = [
                    "  far: { plugin: openrouter, base_url: \"http://127.0.0.1:\(upstream.port)/v1\", api_key: sk-provider }"
                ]
                $0.moreModels = ["  x: { provider: far }"]
            })
        for _ in 0..<3 { _ = try router.call("POST", path, body: body, fields: ["x-session-affinity: one"]) }
        _ = try router.call("POST", path, body: body, fields: ["x-session-affinity: two"])
        let hosts = upstream.requests.map { $0.json?["provider"]?["order"]?[0]?.string }
        #expect(hosts == [nil, "Acme", "Acme", nil])
    }

    @Test func `a condition sends a request to another route`() throws {
        let a = try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("a")) }
        let router = try RouterProcess(
            PolicyText(
                ["a": a, "b": a],
                routes: [
                    "  auto: { when: [{ header: { x-class: \"sub*\" }, use: small }, { face: anthropic, use: small }], try: a }",
                    "  small: { try: b }",
                ]))
        #expect(try Self.chat(router, "auto") == "a")
        #expect(try Self.chat(router, "auto", ["X-Class: subagent"]) == "b")
        let message = #"{"model":"auto","max_tokens":9,"messages":[{"role":"user","content":"Hello"}]}"#
        #expect(try router.call("POST", "/v1/messages", body: message).head["x-router-model"] == "b")
        #expect(try router.call("POST", "/v1/messages/count_tokens", body: message).status == 200)
    }

    @Test func `a wildcard serves any name, listed and counted as one`() throws {
        let upstream = try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("hi")) }
        let router = try RouterProcess(PolicyText(["a": upstream]).with { $0.moreModels = ["  far/*: { provider: p-a }"] })
        #expect(try Self.chat(router, "far/vendor/x:free") == "far/vendor/x:free")
        #expect(upstream.requests.last?.json?["model"]?.string == "vendor/x:free")
        let ids = try #require(try router.get("/models").json?["data"]?.array).compactMap { $0["id"]?.string }
        #expect(ids.contains("far/*") && !ids.contains("far/vendor/x:free"))
        #expect(try router.get("/models/far/vendor/y").json?["model"]?.string == "vendor/y")
        let metrics = try router.get("/metrics").text
        #expect(metrics.contains(#"llm_router_attempts_total{provider="p-a",model="far/*",outcome="ok"} 1"#), "\(metrics)")
        #expect(metrics.contains(#"llm_router_unpriced_requests_total{provider="p-a",model="far/*"} 1"#))
        #expect(!metrics.contains("vendor"))
        #expect(
            try router.call("POST", "/admin/explain", body: #"{"model":"far/vendor/z"}"#).json?["chosen"]?["model_name"]?.string
                == "far/vendor/z")
        #expect(try router.chat("far/").status == 404)
    }
}
