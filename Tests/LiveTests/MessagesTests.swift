import TestSupport
import Testing

/// Anthropic's Messages API, from providers of its own format and of another.
@Suite struct MessagesTests {
    /// A router with a provider of Anthropic's format, which has the model `a`, and one of OpenAI's, which has `b`.
    private struct Setup {
        let router: RouterProcess
        let upstream: ScriptedUpstream
        let other: ScriptedUpstream
    }

    private static func setup(
        _ anthropic: @escaping ScriptedUpstream.Script, _ openAI: @escaping ScriptedUpstream.Script = ScriptedUpstream.responding("from b"),
        server: String = ""
    ) throws -> Setup {
        let upstream = try ScriptedUpstream(anthropic), other = try ScriptedUpstream(openAI)
        let policy = PolicyText(["b": other], server: server, routes: ["  r: { try: a, fallback: [b] }"]).with {
            $0.moreProviders = ["  p-a: { plugin: anthropic, base_url: \"http://127.0.0.1:\(upstream.port)\", api_key: sk-provider }"]
            $0.moreModels = ["  a: { provider: p-a, upstream: up-a }"]
        }
        return Setup(router: try RouterProcess(policy), upstream: upstream, other: other)
    }

    private static func play(_ events: [String], then end: @escaping @Sendable (UpstreamExchange) throws -> Void) -> ScriptedUpstream.Script
    {
        { exchange in
            try exchange.startStream()
            for event in events { try exchange.chunk(event) }
            try end(exchange)
        }
    }

    @Test func `a record has the client's session, and the model of a provider's own fallback, whose price counts`() throws {
        let iterations = #""iterations":[{"type":"message","input_tokens":3},{"type":"fallback_message","model":"up-c","input_tokens":3}]"#
        let events =
            AnthropicReplies.start.map { $0.replacing(#"{"type":"text","text":""}"#, with: #"{"type":"fallback","to":{"model":"up-c"}}"#) }
            + [AnthropicReplies.text("alpha")]
            + AnthropicReplies.end.map { $0.replacing(#""output_tokens":5"#, with: #""output_tokens":5,\#(iterations)"#) }
        let body = AnthropicReplies.message("alpha").replacing(#""output_tokens":5"#, with: #""output_tokens":5,\#(iterations)"#)
        let upstream = try ScriptedUpstream { exchange in
            if exchange.wantsStream {
                try Self.play(events, then: { try $0.finishChunks() })(exchange)
            } else {
                try exchange.respond(200, body)
            }
        }
        let policy = PolicyText([:]).with {
            $0.moreProviders = ["  p-a: { plugin: anthropic, base_url: \"http://127.0.0.1:\(upstream.port)\", api_key: sk-provider }"]
            $0.moreModels = [
                "  a: { provider: p-a, upstream: up-a, price: { input: 1, output: 1 } }",
                "  c: { provider: p-a, upstream: up-c, price: { input: 1000000, output: 0 } }",
            ]
        }
        let router = try RouterProcess(policy)
        #expect(try router.message("a", fields: ["x-claude-code-session-id: s-1"]).status == 200)
        let client = try router.openMessageStream("a")
        _ = try client.readBody(of: client.readHead())
        let records = try router.waitForRecords(2, endpoint: "messages")
        #expect(records.map { $0["session"]?.string } == ["s-1", nil])
        for record in records {
            #expect(record["model"]?.string == "a" && record["upstream_model"]?.string == "up-c")
            #expect(record["cost_usd"]?.double == 3)
        }
    }

    @Test func `a temperature that a model refuses is the next model's, the client's, or the policy's to remove`() throws {
        let refusing: ScriptedUpstream.Script = { exchange in
            let isRefused = exchange.json?["temperature"] != nil
            try exchange.respond(
                isRefused ? 400 : 200,
                isRefused
                    ? AnthropicReplies.error("`temperature` is deprecated for this model.", type: "invalid_request_error")
                    : AnthropicReplies.message("from a"))
        }
        let upstream = try ScriptedUpstream(refusing), other = try ScriptedUpstream(ScriptedUpstream.responding("from b"))
        let router = try RouterProcess(
            PolicyText(["b": other], routes: ["  r: { try: a, fallback: [b] }"]).with {
                $0.moreProviders = ["  p-a: { plugin: anthropic, base_url: \"http://127.0.0.1:\(upstream.port)\", api_key: sk-provider }"]
                $0.moreModels = [
                    "  a: { provider: p-a, upstream: claude-opus-5 }",
                    "  bare: { provider: p-a, upstream: claude-opus-5, request_overrides: { temperature: null } }",
                ]
            })
        let temperature = #""temperature":0.7"#
        #expect(try router.chat("r", extra: temperature).text.contains("from b"))
        let refused = try router.chat("a", extra: temperature)
        #expect(refused.status == 400 && refused.json?["error"]?["message"]?.string?.contains("`temperature` is deprecated") == true)
        for model in ["a", "r"] { #expect(try router.chat(model, extra: #""temperature":1"#).text.contains("from a")) }
        #expect(try router.chat("bare", extra: temperature).text.contains("from a"))
        #expect(try router.message("bare", extra: temperature).text.contains("from a"))
    }

    @Test func `bytes pass through between a client and a provider of the format`() throws {
        let middle = [AnthropicReplies.text("alpha "), AnthropicReplies.event("new_event", #""x":1"#), AnthropicReplies.text("Привет")]
        let events = AnthropicReplies.start + middle + AnthropicReplies.end
        let body = AnthropicReplies.message("alpha").replacing("{\"id\"", with: "{ \"new_member\" : 1.50,\"id\"")
        let setup = try Self.setup { exchange in
            if exchange.wantsStream {
                try Self.play(events, then: { try $0.finishChunks() })(exchange)
            } else {
                try exchange.respond(200, body, fields: ["request-id: req_upstream", "anthropic-ratelimit-requests-limit: 5"])
            }
        }
        let extra = #""context_management": {"edits": [ ]},"n":1e2"#
        let response = try setup.router.message("a", extra: extra, fields: ["anthropic-beta: new-2026", "anthropic-beta: other-2026"])
        #expect(response.text == body)
        #expect(response.head["request-id"] == "req_upstream")
        #expect(response.head["anthropic-ratelimit-requests-limit"] == "5")
        #expect(response.head["x-router-model"] == "a")
        let request = try setup.upstream.waitForRequest(0)
        let text = String(decoding: request.body, as: UTF8.self)
        #expect(text.contains(extra))
        #expect(text.contains(#""max_tokens":99,"messages":[{"role":"user","content":"Hello"}]"#))
        #expect(request.head.all("anthropic-beta").joined(separator: ",") == "new-2026,other-2026")

        let client = try setup.router.openMessageStream("a")
        let head = try client.readHead()
        let streamed = try client.readBody(of: head)
        #expect(String(decoding: streamed, as: UTF8.self) == events.joined())
    }

    @Test func `a failure before the first content is replaced, whatever the formats are`() throws {
        let setup = try Self.setup { try $0.respond(529, AnthropicReplies.error("Overloaded", type: "overloaded_error")) }
        let response = try setup.router.message("r")
        #expect(response.json?["content"]?[0]?["text"]?.string == "from b")
        #expect(response.head["x-router-fallback"] == "true")
        let stream = try setup.router.openMessageStream("r").readStream()
        #expect(stream.messageText == "from b")
        #expect(stream.eventTypes.first == "message_start" && stream.eventTypes.last == "message_stop")
    }

    @Test func `a refusal that the request caused passes through, and one of the account doesn't`() throws {
        let refusal = AnthropicReplies.error("prompt is too long: 9 tokens > 8 maximum; key sk-provider", type: "invalid_request_error")
        let setup = try Self.setup { exchange in
            let isAccount = exchange.prompt == "account"
            try exchange.respond(
                isAccount ? 401 : 400, isAccount ? AnthropicReplies.error("invalid x-api-key", type: "authentication_error") : refusal,
                fields: ["request-id: req_upstream", "x-should-retry: true", "anthropic-organization-id: org_1"])
        }
        let response = try setup.router.message("a")
        #expect(response.status == 400)
        #expect(response.text == refusal.replacing("sk-provider", with: "<secret>"))
        #expect(response.head.all("request-id") == ["req_upstream"] && response.head["anthropic-organization-id"] == nil)
        let account = try setup.router.message("a", "account")
        #expect(account.status == 502)
        #expect(account.json?["type"]?.string == "error")
        #expect(account.json?["error"]?["type"]?.string == "api_error")
        // The router's own error has the router's own fields.
        #expect(account.head.all("x-should-retry") == ["false"])
        #expect(account.head.all("request-id") == account.head.all("x-request-id"))
    }

    @Test(arguments: [
        (413, "text/html", "<html><title>Too large</title></html>", "request_too_large"),
        (502, "text/html", "<html>bad gateway</html>", "api_error"),
        (400, "text/plain", "bad request", "invalid_request_error"), (400, "application/json", "", "invalid_request_error"),
        (500, "application/json", "", "api_error"), (400, "application/json", "[1]", "invalid_request_error"),
    ])
    func `a refusal in no format becomes an error of the face`(status: Int, type: String, body: String, errorType: String) throws {
        let setup = try Self.setup { try $0.respond(status, body, type: type, fields: ["request-id: req_upstream"]) }
        let response = try setup.router.message("a")
        #expect(response.status == status && response.json?["type"]?.string == "error")
        #expect(response.json?["error"]?["type"]?.string == errorType && response.json?["error"]?["message"]?.string?.isEmpty == false)
        #expect(response.head.all("request-id") == response.head.all("x-request-id"))
    }

    @Test func `silence is broken by pings, and an error after the first content is the last event`() throws {
        let setup = try Self.setup(
            Self.play(
                AnthropicReplies.start + [AnthropicReplies.text("Once")],
                then: { exchange in
                    try exchange.pause(.milliseconds(300))
                    try exchange.chunk("event: error\ndata: \(AnthropicReplies.error("out of memory", type: "overloaded_error"))\n\n")
                    exchange.hold()
                }), server: "keepalive: 100ms")
        let stream = try setup.router.openMessageStream("a").readStream()
        #expect(stream.messageText == "Once")
        #expect(stream.eventTypes.count { $0 == "ping" } >= 2)
        #expect(stream.chunks.last?["error"]?["message"]?.string == "out of memory")
        #expect(stream.chunks.last?["error"]?["type"]?.string == "overloaded_error")
        #expect(!stream.eventTypes.contains("message_stop"))
    }

    @Test func `tokens are counted by the provider, or estimated, and no failover follows`() throws {
        let setup = try Self.setup { exchange in
            switch exchange.prompt {
            case "fail": try exchange.respond(500, AnthropicReplies.error("it failed"))
            case "account": try exchange.respond(401, AnthropicReplies.error("invalid x-api-key", type: "authentication_error"))
            case "limit": try exchange.respond(429, AnthropicReplies.error("slow down", type: "rate_limit_error"))
            case "wrong": try exchange.respond(400, AnthropicReplies.error("messages: bad", type: "invalid_request_error"))
            default: try exchange.respond(200, #"{"input_tokens":42}"#)
            }
        }
        func count(_ model: String, _ text: String = "Hello") throws -> Response {
            try setup.router.call("POST", "/v1/messages/count_tokens", body: RouterProcess.messageBody(model, text))
        }
        #expect(try count("a").text == #"{"input_tokens":42}"#)
        #expect(try count("r").json?["input_tokens"]?.int == 42)
        #expect(try (count("b").json?["input_tokens"]?.int ?? 0) > 0)
        for failure in ["fail", "account", "limit"] { #expect(try (count("r", failure).json?["input_tokens"]?.int ?? 0) > 0) }
        #expect(try count("r", "wrong").status == 400)
        #expect(setup.upstream.requests.allSatisfy { $0.head.target == "/v1/messages/count_tokens" })
        #expect(try setup.router.metric("llm_router_tokens_total") == 0)
    }

    @Test func `a server without the counting of tokens is no failure, and counting uses up no limit`() throws {
        let upstream = try ScriptedUpstream { exchange in
            if !exchange.head.target.hasSuffix("count_tokens") { return try exchange.respond(200, AnthropicReplies.message("hello")) }
            let refusal =
                switch exchange.prompt {
                case "model": AnthropicReplies.error("model: a", type: "not_found_error")
                case "path": AnthropicReplies.error("Not Found", type: "not_found_error")
                default: #"{"detail":"Not Found"}"#
                }
            try exchange.respond(Int(exchange.prompt) ?? 404, refusal)
        }
        let policy = PolicyText().with {
            $0.moreProviders = ["  p-a: { plugin: anthropic, base_url: \"http://127.0.0.1:\(upstream.port)\", api_key: sk-provider }"]
            $0.moreModels = ["  a: { provider: p-a, limits: { requests_per_minute: 1 } }"]
        }
        let router = try RouterProcess(policy)
        func count(_ text: String = "Hello") throws -> Response {
            try router.call("POST", "/v1/messages/count_tokens", body: RouterProcess.messageBody("a", text))
        }
        for _ in 0..<3 { #expect(try (count().json?["input_tokens"]?.int ?? 0) > 0) }
        for other in ["path", "405", "501"] { #expect(try count(other).status == 200) }
        #expect(try count("model").status == 404)
        #expect(try router.message("a").status == 200)
        #expect(upstream.requests.count == 8)
    }

    @Test func `an overloaded upstream stays one, before the response and in it`() throws {
        let setup = try Self.setup(
            {
                try $0.startStream();
                try $0.chunk("event: error\ndata: \(AnthropicReplies.error("Overloaded", type: "overloaded_error"))\n\n"); $0.hold()
            },
            { try $0.respond(500, OpenAIReplies.error("it failed")) })
        let response = try setup.router.openMessageStream("a").readStream()
        #expect(response.status == 529)
        #expect(response.json?["error"]?["type"]?.string == "overloaded_error")
    }

    @Test func `usage that the upstream doesn't report is estimated`() throws {
        let text = "one two three four five six"
        let setup = try Self.setup(ScriptedUpstream.responding("never")) { exchange in
            if exchange.wantsStream {
                try exchange.stream([text], usage: nil)
            } else {
                try exchange.respond(200, OpenAIReplies.buffered(text, usage: nil))
            }
        }
        let usage = try setup.router.message("b").json?["usage"]
        #expect((usage?["input_tokens"]?.int ?? 0) > 0 && (usage?["output_tokens"]?.int ?? 0) > 0)
        let end = try setup.router.openMessageStream("b").readStream().chunks.last { $0["type"]?.string == "message_delta" }
        #expect(end?["usage"]?["input_tokens"]?.int == usage?["input_tokens"]?.int)
        #expect(end?["usage"]?["output_tokens"]?.int == usage?["output_tokens"]?.int)
    }

    @Test func `an event may have up to 16 MiB`() throws {
        let setup = try Self.setup { exchange in
            let long = String(repeating: "x", count: Int(exchange.prompt) ?? 0)
            try Self.play(AnthropicReplies.stream(["a", long]), then: { try $0.finishChunks() })(exchange)
        }
        for size in [(64 << 10) - 1, (64 << 10) + 1, 1 << 20, 10 << 20] {
            let stream = try setup.router.openMessageStream("a", "\(size)").readStream(within: .seconds(30))
            let text = stream.chunks.compactMap { $0["delta"]?["text"]?.string }.joined()
            #expect(text.utf8.count == size + 1 && stream.chunks.last?["type"]?.string == "message_stop")
        }
        let tooLong = try setup.router.openMessageStream("a", "\(16 << 20)").readStream(within: .seconds(30))
        #expect(tooLong.chunks.last?["type"]?.string == "error")
    }

    @Test func `translated responses have the request's id where Anthropic's clients look for it`() throws {
        let setup = try Self.setup(ScriptedUpstream.responding("never"))
        let response = try setup.router.message("b"), stream = try setup.router.openMessageStream("b").readStream()
        let error = try setup.router.message("unknown")
        for head in [response.head, stream.head, error.head] {
            #expect(head["request-id"] != nil && head.all("request-id") == head.all("x-request-id"))
        }
        #expect(try setup.router.chat("b").head["request-id"] == nil)
    }

    @Test(arguments: ["refusal", "tool_use", "end_turn"])
    func `a refusal and a tool call need not be JSON`(reason: String) throws {
        let message = AnthropicReplies.message("I can't.").replacing("end_turn", with: reason)
        let upstream = try ScriptedUpstream { try $0.respond(200, message) }
        let policy = PolicyText().with {
            $0.moreProviders = ["  p-a: { plugin: anthropic, base_url: \"http://127.0.0.1:\(upstream.port)\", api_key: sk-provider }"]
            $0.moreModels = ["  a: { provider: p-a, supports: [json], valid_json: true }"]
        }
        let format = #""output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}"#
        #expect(try RouterProcess(policy).message("a", extra: format).status == (reason == "end_turn" ? 502 : 200))
    }

    @Test func `a refusal that names one model closes no other model of the account`() throws {
        let upstream = try ScriptedUpstream { exchange in
            if exchange.json?["model"]?.string == "claude-9" {
                return try exchange.respond(
                    403, AnthropicReplies.error("Your organization has no access to claude-9.", type: "permission_error"))
            }
            try exchange.respond(200, AnthropicReplies.message("hello"))
        }
        let policy = PolicyText(defaults: "breaker: { failures: 5 }").with {
            $0.moreProviders = ["  p-a: { plugin: anthropic, base_url: \"http://127.0.0.1:\(upstream.port)\", api_key: sk-provider }"]
            $0.moreModels = ["  a: { provider: p-a, upstream: claude-9 }", "  b: { provider: p-a, upstream: claude-8 }"]
        }
        let router = try RouterProcess(policy)
        #expect(try router.message("a").status == 403)
        #expect(try router.message("b").status == 200)
    }

    // MARK: Cut off and left at any point

    enum Face: CaseIterable {
        case messages, chat
    }

    @Test(arguments: Face.allCases)
    func `a stream cut off at any byte is complete, replaced or marked as broken`(face: Face) throws {
        let stream = CutStream(AnthropicReplies.stream(CutStream.contents))
        let setup = try Self.setup(stream.script(\.lastText), ScriptedUpstream.responding("instead"))
        try stream.check(setup.router) { prompt in
            guard face == .messages else { return try setup.router.stream("r", prompt).chatReading }
            let response = try setup.router.openMessageStream("r", prompt).readStream(), types = response.eventTypes
            let hasOneStart = types.count { $0 == "message_start" } == 1
            return CutStream.Reading(
                status: response.status, text: response.messageText, ends: types.count { $0 == "message_stop" },
                errors: response.chunks.count { $0["error"] != nil }, fault: hasOneStart ? nil : "not one message_start")
        }
    }

    @Test(arguments: Face.allCases)
    func `the upstream is closed at once when the client leaves`(face: Face) throws {
        let moments = [
            [], Array(AnthropicReplies.start.prefix(1)), AnthropicReplies.start, AnthropicReplies.start + [AnthropicReplies.text("x")],
        ]
        let setup = try Self.setup(LeftStream.script(moments, half: "event: content"))
        try LeftStream.check(setup.router, at: setup.upstream, endpoint: face == .messages ? "messages" : "chat") {
            try face == .messages ? setup.router.openMessageStream("a") : setup.router.openStream("a")
        }
    }
}

extension UpstreamExchange {
    /// The last text of the request, which the router writes as a part if it translates.
    fileprivate var lastText: String { json?["messages"]?.array?.last?["content"]?[0]?["text"]?.string ?? prompt }
}
