import TestSupport
import Testing

/// OpenAI's Responses, from providers of this format and of another.
@Suite struct ResponsesTests {
    /// A router with a provider of this format, which has the model `a`, and one of chat completions, which has `b`.
    /// The model `x` of the first provider has only this format, so that chats are translated.
    private struct Setup {
        let router: RouterProcess
        let upstream: ScriptedUpstream
        let other: ScriptedUpstream
    }

    private static func setup(
        _ responses: @escaping ScriptedUpstream.Script, _ chat: @escaping ScriptedUpstream.Script = ScriptedUpstream.responding("from b"),
        server: String = "", keys: [String] = [], models: [String] = []
    ) throws -> Setup {
        let upstream = try ScriptedUpstream(responses), other = try ScriptedUpstream(chat)
        let routes = ["  auto: { try: a }", "  r: { try: a, fallback: [b] }", "  rx: { try: x, fallback: [b] }"]
        let policy = PolicyText(["b": other], server: server, routes: routes, keys: keys).with {
            let url = "base_url: \"http://127.0.0.1:\(upstream.port)/v1\", api_key: sk-provider"
            $0.moreProviders = ["  p-a: { plugin: openai, \(url) }", "  p-x: { plugin: openai-compatible, \(url) }"]
            $0.moreModels =
                [
                    "  a: { provider: p-a, upstream: up-a }", "  x: { provider: p-x, upstream: up-x, formats: [openai-responses] }",
                    "  c: { provider: p-a, formats: [openai-responses] }",
                ] + models
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

    @Test func `bytes pass through between a client and a provider of the format, apart from _router`() throws {
        let middle = [ResponsesReplies.text("alpha ", 4), ResponsesReplies.event("response.new", 5, #""x": 1.50"#)]
        let events = ResponsesReplies.start + middle + ResponsesReplies.end("alpha ", 6)
        let body = ResponsesReplies.response("alpha").replacing("{\"id\"", with: "{ \"new_member\" : 1.50,\"id\"")
        let setup = try Self.setup { exchange in
            if exchange.wantsStream {
                try Self.play(events, then: { try $0.finishChunks() })(exchange)
            } else {
                try exchange.respond(200, body, fields: ["x-codex-limit: 5", "openai-model: m", "openai-organization: org"])
            }
        }
        let extra = #""store": true,"new": [ 1e2 ]"#
        let response = try setup.router.response("a", extra: extra, fields: ["OpenAI-Beta: responses=v1", "x-codex-turn-state: 7"])
        #expect(response.text.hasPrefix(body.dropLast() + #","_router":{"#) && response.json?["_router"]?["model_name"]?.string == "a")
        #expect(response.head["x-codex-limit"] == "5" && response.head["openai-model"] == "m")
        #expect(response.head["openai-organization"] == nil && response.head["x-router-model"] == "a")
        let request = try setup.upstream.waitForRequest(0)
        #expect(request.head.target == "/v1/responses")
        #expect(String(decoding: request.body, as: UTF8.self) == #"{"model":"up-a","input":"Hello",\#(extra)}"#)
        #expect(request.head["openai-beta"] == "responses=v1" && request.head["x-codex-turn-state"] == "7")

        let plain = try setup.router.response("a", fields: ["x-router-metadata: off"])
        #expect(plain.text == body)
        let client = try setup.router.openResponseStream("a")
        let head = try client.readHead(), streamed = String(decoding: try client.readBody(of: head), as: UTF8.self)
        let last = try #require(events.last?.dropLast(4))
        #expect(streamed.hasPrefix(events.dropLast().joined() + last + #","_router":{"#))
        #expect(streamed.hasSuffix("}}}\n\n"))
    }

    @Test func `another router's _router doesn't reach the client`() throws {
        let reply = ResponsesReplies.response("alpha", extra: #","_router":{"provider":"hidden"}"#)
        let setup = try Self.setup(
            { exchange in
                guard exchange.wantsStream else { return try exchange.respond(200, reply) }
                let last = ResponsesReplies.event("response.completed", 5, #""response":\#(reply)"#)
                try Self.play(ResponsesReplies.start + [ResponsesReplies.text("alpha", 4), last], then: { try $0.finishChunks() })(exchange)
            }, keys: ["  k: { secret: sk-client-0123456789, metadata: false }"])
        let response = try setup.router.response("a", key: "sk-client-0123456789")
        #expect(response.text == ResponsesReplies.response("alpha"))
        let client = try setup.router.client()
        client.send(
            RouterProcess.request(
                "POST", "/v1/responses", body: RouterProcess.responsesBody("a", stream: true), key: "sk-client-0123456789"))
        let stream = try client.readStream()
        #expect(stream.responseText == "alpha" && !stream.data.joined().contains("hidden"))
    }

    @Test func `a failure before the first content is replaced, whatever the formats are`() throws {
        let setup = try Self.setup { exchange in
            switch exchange.inputText {
            case "status": try exchange.respond(500, OpenAIReplies.error("overloaded"))
            case "html": try exchange.respond(200, "<html>Hello</html>", type: "text/html")
            case "error":
                try Self.play(
                    [ResponsesReplies.event("error", 0, #""code":"server_error","message":"overloaded","param":null"#)],
                    then: { try $0.finishChunks() })(exchange)
            default: try Self.play(ResponsesReplies.start + [ResponsesReplies.failed("overloaded", 4)], then: { $0.hold() })(exchange)
            }
        }
        for failure in ["status", "html", "error", "failed"] {
            let stream = try setup.router.openResponseStream("r", failure).readStream()
            #expect(stream.responseText == "from b", "\(failure)")
            #expect(stream.eventTypes.first == "response.created" && stream.eventTypes.last == "response.completed", "\(failure)")
            #expect(stream.sequenceNumbers == Array(0..<stream.chunks.count), "\(failure)")
            #expect(stream.chunks.last?["response"]?["_router"]?["fallback_used"]?.bool == true, "\(failure)")
            #expect(try setup.router.stream("rx", failure).content == "from b", "\(failure)")
        }
        let response = try setup.router.response("r", "status")
        #expect(response.json?["output"]?[0]?["content"]?[0]?["text"]?.string == "from b")
        #expect(response.json?["status"]?.string == "completed" && response.json?["usage"]?["total_tokens"]?.int == 8)
    }

    @Test func `a response that comes in the other form is converted`() throws {
        let setup = try Self.setup { exchange in
            if exchange.wantsStream {
                try exchange.respond(200, ResponsesReplies.response("whole"))
            } else {
                try Self.play(ResponsesReplies.stream(["in ", "parts"]), then: { try $0.finishChunks() })(exchange)
            }
        }
        let stream = try setup.router.openResponseStream("a").readStream()
        #expect(stream.responseText == "whole" && stream.eventTypes.last == "response.completed")
        #expect(try setup.router.response("a").json?["output"]?[0]?["content"]?[0]?["text"]?.string == "in parts")
        #expect(try setup.router.stream("x").content == "whole")
        #expect(try setup.router.chat("x").json?["choices"]?[0]?["message"]?["content"]?.string == "in parts")
    }

    @Test func `a stream ends with its last event, and otherwise fails`() throws {
        let complete = ResponsesReplies.stream(["alpha ", "beta"]), cut = Array(complete.dropLast())
        let ends: [(name: String, events: [String], end: @Sendable (UpstreamExchange) throws -> Void, isComplete: Bool)] = [
            ("ended", complete, { try $0.finishChunks() }, true),
            ("held open", complete, { $0.hold() }, true),
            ("more data", complete + ["data: [DONE]\n\n", ResponsesReplies.text("more", 9)], { try $0.finishChunks() }, true),
            ("no blank line", cut + [String(complete.last?.dropLast() ?? "")], { try $0.finishChunks() }, true),
            ("cut", cut, { try $0.finishChunks() }, false),
            ("half an event", cut + [String(complete.last?.prefix(60) ?? "")], { try $0.finishChunks() }, false),
            ("[DONE] instead", cut + ["data: [DONE]\n\n"], { try $0.finishChunks() }, false),
            (
                "reset", cut,
                {
                    try $0.pause(.milliseconds(50)); $0.reset()
                }, false
            ),
        ]
        let setup = try Self.setup { exchange in
            guard let end = ends.first(where: { $0.name == exchange.inputText }) else { return exchange.close() }
            try Self.play(end.events, then: end.end)(exchange)
        }
        for end in ends {
            let stream = try setup.router.openResponseStream("a", end.name).readStream(within: .seconds(20))
            #expect(stream.responseText == "alpha beta", "\(end.name)")
            #expect(stream.eventTypes.last == (end.isComplete ? "response.completed" : "response.failed"), "\(end.name)")
            #expect(stream.sequenceNumbers == Array(0..<stream.chunks.count), "\(end.name)")
            #expect(Set(stream.chunks.compactMap { $0["response"]?["id"]?.string }) == ["resp_up"], "\(end.name)")
            let chat = try setup.router.stream("x", end.name, within: .seconds(20))
            #expect(chat.content == "alpha beta" && chat.isDone == end.isComplete, "\(end.name)")
        }
    }

    @Test func `silence is broken by comments, and an error after the first content is the last event`() throws {
        let setup = try Self.setup(
            Self.play(
                ResponsesReplies.start + [ResponsesReplies.text("Once", 4)],
                then: { exchange in
                    try exchange.pause(.milliseconds(300))
                    try exchange.chunk(ResponsesReplies.failed("slow down", code: "rate_limit_exceeded", 5))
                    exchange.hold()
                }), server: "keepalive: 100ms")
        let stream = try setup.router.openResponseStream("a").readStream()
        #expect(stream.responseText == "Once" && stream.comments >= 2)
        let last = try #require(stream.chunks.last)
        #expect(last["type"]?.string == "response.failed" && last["response"]?["error"]?["code"]?.string == "rate_limit_exceeded")
        #expect(last["response"]?["error"]?["message"]?.string == "slow down" && last["response"]?["_router"] != nil)
    }

    @Test func `an event may have up to 16 MiB`() throws {
        let setup = try Self.setup { exchange in
            let size = Int(exchange.inputText) ?? 0
            try Self.play(
                ResponsesReplies.start + [ResponsesReplies.text("a", 4), ResponsesReplies.text(String(repeating: "x", count: size), 5)]
                    + ResponsesReplies.end("a", 6), then: { try $0.finishChunks() })(exchange)
        }
        for size in [(64 << 10) - 1, (64 << 10) + 1, 1 << 20, 10 << 20] {
            let stream = try setup.router.openResponseStream("a", "\(size)").readStream(within: .seconds(30))
            #expect(stream.responseText.utf8.count == size + 1 && stream.eventTypes.last == "response.completed")
        }
        let tooLong = try setup.router.openResponseStream("a", "\(16 << 20)").readStream(within: .seconds(30))
        #expect(tooLong.responseText == "a" && tooLong.eventTypes.last == "response.failed")
    }

    @Test func `usage that is zero stays zero, and usage that is missing is estimated`() throws {
        let zero = ResponsesReplies.usage.replacing("3", with: "0").replacing("5", with: "0").replacing("8", with: "0")
        let setup = try Self.setup { exchange in
            let usage: String? = exchange.inputText == "zero" ? zero : exchange.inputText == "missing" ? nil : ResponsesReplies.usage
            if exchange.wantsStream {
                try Self.play(ResponsesReplies.stream(["a"], usage: usage), then: { try $0.finishChunks() })(exchange)
            } else {
                try exchange.respond(200, ResponsesReplies.response("a", usage: usage))
            }
        }
        for (input, source) in [("zero", "reported"), ("missing", "estimated"), ("all", "reported")] {
            let stream = try setup.router.openResponseStream("a", input).readStream()
            #expect(stream.chunks.last?["response"]?["_router"]?["usage_source"]?.string == source, "\(input)")
            #expect(try setup.router.response("a", input).json?["_router"]?["usage_source"]?.string == source, "\(input)")
            let chat = try setup.router.chat("x", input)
            #expect(chat.json?["_router"]?["usage_source"]?.string == source, "\(input)")
            if input != "missing" { #expect(chat.json?["usage"]?["total_tokens"]?.int == (input == "zero" ? 0 : 8)) }
        }
    }

    @Test func `what needs a store of responses is refused by name, and a request without a model is for auto`() throws {
        let setup = try Self.setup(ScriptedUpstreamReplies.plain)
        let fields = [
            ("previous_response_id", #""resp_1""#), ("conversation", #"{"id":"conv_1"}"#), ("conversation", #""conv_1""#),
            ("background", "true"),
        ]
        for (name, value) in fields {
            let refused = try setup.router.response("a", extra: #""\#(name)":\#(value)"#)
            #expect(refused.status == 400 && refused.json?["error"]?["param"]?.string == name)
        }
        #expect(try setup.router.response("a", extra: #""background":false,"previous_response_id":null"#).status == 200)
        #expect(try setup.router.response(nil).head["x-router-model"] == "a")
        for path in ["/v1/responses/resp_1", "/responses/resp_1/input_items"] {
            let unknown = try setup.router.get(path)
            #expect(unknown.status == 404 && unknown.text.contains("stores no responses"))
        }
        #expect(setup.upstream.requests.count == 2)
    }

    @Test func `WebSocket is refused, so that clients fall back to HTTP, and so is a compressed body`() throws {
        let setup = try Self.setup(ScriptedUpstreamReplies.plain)
        let upgrade = try setup.router.call(
            "GET", "/v1/responses", fields: ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"])
        #expect(upgrade.status == 426 && upgrade.head["upgrade"] == "HTTP/1.1" && upgrade.errorCode == "upgrade_not_supported")
        let compressed = try setup.router.call("POST", "/v1/responses", body: "(\u{1}", fields: ["Content-Encoding: zstd"])
        #expect(compressed.status == 415 && compressed.text.contains("'zstd'"))
    }

    @Test func `a conversation is compacted and counted by providers that can`() throws {
        let setup = try Self.setup { exchange in
            if exchange.head.target.hasSuffix("/compact") {
                try exchange.respond(200, #"{"id":"resp_c","object":"response.compaction","output":[],"usage":\#(ResponsesReplies.usage)}"#)
            } else {
                try exchange.respond(200, #"{"object":"response.input_tokens","input_tokens":42}"#)
            }
        }
        func call(_ path: String, _ model: String) throws -> Response {
            try setup.router.call(
                "POST", "/v1/responses/\(path)", body: RouterProcess.responsesBody(model), fields: ["x-router-metadata: off"])
        }
        #expect(try call("compact", "a").json?["object"]?.string == "response.compaction")
        // Compaction belongs to the one format that the model has.
        #expect(try call("compact", "c").json?["object"]?.string == "response.compaction")
        let refused = try call("compact", "b")
        #expect(refused.status == 400 && refused.text.contains("compaction"))
        #expect(try call("input_tokens", "a").text == #"{"object":"response.input_tokens","input_tokens":42}"#)
        #expect(try call("input_tokens", "x").json?["input_tokens"]?.int == 42)
        let estimate = try call("input_tokens", "b").json
        #expect(estimate?["object"]?.string == "response.input_tokens" && estimate?["input_tokens"]?.int ?? 0 > 0)
        #expect(setup.upstream.requests.map(\.head.target).filter { $0.hasSuffix("/input_tokens") }.count == 2)
    }

    @Test(
        arguments: [
            ("/v1/responses", "top_logprobs", "3"), ("/v1/chat/completions", "logprobs", "true"),
            ("/v1/chat/completions", "logit_bias", #"{"1":2}"#),
        ])
    func `what can't be translated is a 400 that names the field`(path: String, field: String, value: String) throws {
        let setup = try Self.setup(ScriptedUpstreamReplies.plain)
        let model = path == "/v1/responses" ? "b" : "x"
        let body = #"{"model":"\#(model)","\#(field)":\#(value),"input":"a","messages":[{"role":"user","content":"a"}]}"#
        let refused = try setup.router.call("POST", path, body: body)
        #expect(refused.status == 400 && refused.json?["error"]?["param"]?.string == field, "\(refused.text)")
        #expect(setup.upstream.requests.isEmpty && setup.other.requests.isEmpty)
    }

    @Test func `Codex gets its catalog if the policy has one`() throws {
        let plain = try Self.setup(ScriptedUpstreamReplies.plain)
        #expect(try plain.router.get("/v1/models?client_version=0.99.0").status == 404)
        #expect(try plain.router.get("/v1/models?limit=3").status == 200)
        let setup = try Self.setup(ScriptedUpstreamReplies.plain, server: "codex_catalog: true", models: ["  \"far/*\": { provider: p-a }"])
        let catalog = try #require(try setup.router.get("/v1/models?client_version=0.99.0").json)
        let models = try #require(catalog["models"]?.array)
        #expect(Set(models.compactMap { $0["slug"]?.string }) == ["a", "b", "c", "x", "auto", "r", "rx"])
        #expect(models.allSatisfy { $0["base_instructions"]?.string?.isEmpty == false && catalog["data"] == nil })
        #expect(try setup.router.get("/v1/models?client_version=99.0.0").status == 404)
        #expect(try setup.router.get("/v1/models?client_version=x").status == 404)
        #expect(try setup.router.get("/v1/models").json?["data"] != nil)
    }

    @Test func `a translated stream is resumed by another model, and one that passes through is not`() throws {
        let passing = try ScriptedUpstream(
            Self.play(ResponsesReplies.start + [ResponsesReplies.text("Once ", 4)], then: { try $0.finishChunks() }))
        let chat = try ScriptedUpstream { exchange in
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("Once "))
            try exchange.finishChunks()
        }
        let able = try ScriptedUpstream(ScriptedUpstream.responding("upon"))
        let routes = ["  translated: { try: [c, d], resume: true }", "  passed: { try: [a, d], resume: true }"]
        let router = try RouterProcess(
            PolicyText(["c": chat], routes: routes).with {
                $0.moreProviders = [
                    "  p-a: { plugin: openai, base_url: \"http://127.0.0.1:\(passing.port)/v1\", api_key: sk-provider }",
                    "  p-d: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(able.port)/v1\", continues: prefill }",
                ]
                $0.moreModels = ["  a: { provider: p-a }", "  d: { provider: p-d }"]
            })
        let resumed = try router.openResponseStream("translated").readStream()
        #expect(resumed.responseText == "Once upon" && resumed.eventTypes.last == "response.completed")
        #expect(resumed.sequenceNumbers == Array(0..<resumed.chunks.count))
        #expect(resumed.chunks.last?["response"]?["output"]?.array?.count == 1)
        #expect(resumed.chunks.last?["response"]?["_router"]?["resumed"]?[0]?["model_name"]?.string == "c")
        let broken = try router.openResponseStream("passed").readStream()
        #expect(broken.responseText == "Once " && broken.eventTypes.last == "response.failed")
        #expect(able.requests.count == 1)
    }

    // MARK: Cut off and left at any point

    enum Face: CaseIterable {
        case responses, chat
    }

    @Test(arguments: Face.allCases)
    func `a stream cut off at any byte is complete, replaced or marked as broken`(face: Face) throws {
        let stream = CutStream(ResponsesReplies.stream(CutStream.contents))
        let setup = try Self.setup(stream.script(\.inputText), ScriptedUpstream.responding("instead"))
        try stream.check(setup.router, step: 5) { prompt in
            guard face == .responses else { return try setup.router.stream("rx", prompt).chatReading }
            return try Self.reading(setup.router.openResponseStream("r", prompt).readStream())
        }
    }

    private static func reading(_ response: StreamedResponse) -> CutStream.Reading {
        let types = response.eventTypes, numbers = response.sequenceNumbers
        var reading = CutStream.Reading(
            status: response.status, text: response.responseText, ends: types.count { $0 == "response.completed" },
            errors: types.count { $0 == "response.failed" })
        if numbers != Array(0..<response.chunks.count) { reading.fault = "numbers \(numbers)" }
        if types.first != "response.created" || types.count(where: { $0 == "response.created" }) != 1 {
            reading.fault = "not one response.created"
        }
        return reading
    }

    @Test(arguments: Face.allCases)
    func `the upstream is closed at once when the client leaves`(face: Face) throws {
        let moments = [
            [], Array(ResponsesReplies.start.prefix(1)), ResponsesReplies.start, ResponsesReplies.start + [ResponsesReplies.text("x", 4)],
        ]
        let setup = try Self.setup(LeftStream.script(moments, half: "event: response"))
        try LeftStream.check(setup.router, at: setup.upstream, endpoint: face == .responses ? "responses" : "chat") {
            try face == .responses ? setup.router.openResponseStream("a") : setup.router.openStream("x")
        }
    }
}

private enum ScriptedUpstreamReplies {
    static let plain: ScriptedUpstream.Script = { try $0.respond(200, ResponsesReplies.response("alpha")) }
}
