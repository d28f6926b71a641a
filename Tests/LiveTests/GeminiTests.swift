import Glibc
import TestSupport
import Testing

/// Gemini's API, from providers of its own format and of another.
@Suite struct GeminiTests {
    /// A router with a provider of Gemini's format, which has the model `a`, and one of OpenAI's, which has `b`.
    private struct Setup {
        let router: RouterProcess
        let upstream: ScriptedUpstream
        let other: ScriptedUpstream
    }

    private static func setup(
        _ gemini: @escaping ScriptedUpstream.Script, _ openAI: @escaping ScriptedUpstream.Script = ScriptedUpstream.responding("from b"),
        server: String = "", keys: [String] = [], credential: String = "api_key: sk-provider"
    ) throws -> Setup {
        let upstream = try ScriptedUpstream(gemini), other = try ScriptedUpstream(openAI)
        let policy = PolicyText(["b": other], server: server, routes: ["  r: { try: a, fallback: [b] }"], keys: keys).with {
            $0.moreProviders = ["  p-a: { plugin: gemini, base_url: \"http://127.0.0.1:\(upstream.port)\", \(credential) }"]
            $0.moreModels = ["  a: { provider: p-a, upstream: up-a, serves: [chat, embeddings] }"]
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

    @Test func `bytes pass through between a client and a provider of the format`() throws {
        let chunks = [GeminiReplies.object("alpha ", finish: nil), #"{"new": 1.50}"#, GeminiReplies.object("Привет")]
        let body = GeminiReplies.object("alpha").replacing("{\"candidates\"", with: "{ \"new_member\" : 1.50,\"candidates\"")
        let setup = try Self.setup { exchange in
            if exchange.wantsContentStream {
                try Self.play(chunks.map(GeminiReplies.event), then: { try $0.finishChunks() })(exchange)
            } else {
                try exchange.respond(200, body)
            }
        }
        let extra = #""safetySettings": [ ],"n":1e2"#
        let response = try setup.router.content("models/a", extra: extra)
        #expect(response.text == body)
        #expect(response.head["x-router-model"] == "a")
        let request = try setup.upstream.waitForRequest(0)
        #expect(request.head.target == "/v1beta/models/up-a:generateContent")
        #expect(String(decoding: request.body, as: UTF8.self) == RouterProcess.contentBody(extra: extra))
        #expect(request.head["x-goog-api-key"] == "sk-provider")

        let events = try setup.router.openContentStream("a").readStream()
        #expect(events.data == chunks)
        #expect(try setup.upstream.waitForRequest(1).head.target == "/v1beta/models/up-a:streamGenerateContent?alt=sse")
        let array = try setup.router.content("a", verb: "streamGenerateContent")
        #expect(array.head["content-type"] == "application/json; charset=utf-8")
        #expect(array.text == "[" + chunks.joined(separator: ",\n") + "\n]")
    }

    @Test func `a failure before the first content is replaced, whatever the formats are`() throws {
        let setup = try Self.setup { try $0.respond(503, GeminiReplies.error("overloaded", code: 503, status: "UNAVAILABLE")) }
        let response = try setup.router.content("r")
        #expect(response.json?.contentText == "from b")
        #expect(response.head["x-router-fallback"] == "true")
        let stream = try setup.router.openContentStream("r").readStream()
        #expect(stream.contentText == "from b" && stream.contentEnds == ["STOP"])
        #expect(try setup.router.content("r", verb: "streamGenerateContent").json?.array?.last?["usageMetadata"] != nil)
    }

    @Test func `a refusal that the request caused passes through, and other errors have Google's form`() throws {
        let refusal = GeminiReplies.error("contents is wrong; key sk-provider", code: 400, status: "INVALID_ARGUMENT")
        let setup = try Self.setup(
            { try $0.respond(400, refusal) },
            { try $0.respond(429, #"{"error":{"message":"slow down"}}"#, fields: ["retry-after: 7"]) })
        let response = try setup.router.content("a")
        #expect(response.status == 400)
        #expect(response.text == refusal.replacing("sk-provider", with: "<secret>"))
        let limit = try setup.router.content("b")
        #expect(limit.status == 429)
        let error = limit.json?["error"]
        #expect(error?["code"]?.int == 429 && error?["status"]?.string == "RESOURCE_EXHAUSTED")
        #expect(error?["details"]?.array?.last?["retryDelay"]?.string == "7s")
        for (path, code) in [("nobody:generateContent", "NOT_FOUND"), ("a:tuneModel", "NOT_FOUND")] {
            #expect(try setup.router.call("POST", "/v1beta/models/\(path)", body: "{}").json?["error"]?["status"]?.string == code)
        }
        #expect(
            try setup.router.call("POST", "/v1beta/models/a:generateContent", body: "[").json?["error"]?["status"]?.string
                == "INVALID_ARGUMENT")
    }

    @Test func `silence is broken by blank lines, and an error after the first content is the last element`() throws {
        let setup = try Self.setup(
            Self.play(
                [GeminiReplies.event(GeminiReplies.object("Once", finish: nil))],
                then: { exchange in
                    try exchange.pause(.milliseconds(300))
                    try exchange.chunk(GeminiReplies.event(GeminiReplies.error("out of memory", code: 503, status: "UNAVAILABLE")))
                    exchange.hold()
                }), server: "keepalive: 100ms")
        let client = try setup.router.openContentStream("a")
        let head = try client.readHead()
        let text = String(decoding: try client.readBody(of: head), as: UTF8.self)
        #expect(text.contains("\n\n\n\n") && !text.contains(":\n") && !text.contains("\n:"))
        let events = text.split(separator: "\n\n").map { JSON(String($0.dropFirst("data: ".count))) }
        #expect(events.count == 2 && events[0]?.contentText == "Once" && events[1]?["error"]?["message"]?.string == "out of memory")
        let array = try setup.router.content("a", verb: "streamGenerateContent")
        #expect(array.json?.array?.count == 2 && array.json?.array?.last?["error"]?["code"]?.int == 503)
        #expect(array.text.contains("}\n"))
    }

    @Test func `tokens are counted by the provider in any format, or estimated`() throws {
        let setup = try Self.setup { exchange in
            if exchange.lastContent == "fail" { return try exchange.respond(500, GeminiReplies.error("it failed")) }
            try exchange.respond(200, #"{"totalTokens":42}"#)
        }
        #expect(try setup.router.content("a", verb: "countTokens").text == #"{"totalTokens":42}"#)
        #expect(try (setup.router.content("b", verb: "countTokens").json?["totalTokens"]?.int ?? 0) > 0)
        #expect(try (setup.router.content("r", "fail", verb: "countTokens").json?["totalTokens"]?.int ?? 42) != 42)
        let translated = try setup.router.call("POST", "/v1/messages/count_tokens", body: RouterProcess.messageBody("a"))
        #expect(translated.text == #"{"input_tokens":42}"#)
        let unsupported = #""tools":[{"type":"web_search_20260318","name":"web_search"}]"#
        let estimated = try setup.router.call("POST", "/v1/messages/count_tokens", body: RouterProcess.messageBody("a", extra: unsupported))
        #expect(estimated.status == 200 && estimated.json?["input_tokens"]?.int != 42)
        #expect(try setup.router.metric("llm_router_tokens_total") == 0)
    }

    @Test func `vectors pass through, and are translated in both directions`() throws {
        let setup = try Self.setup(
            { exchange in
                let isSingle = exchange.head.target.hasSuffix(":embedContent")
                try exchange.respond(
                    200, isSingle ? #"{"embedding": {"values":[1]}}"# : #"{"embeddings":[{"values":[1]},{"values":[0.5]}]}"#)
            },
            { try $0.respond(200, #"{"data":[{"index":0,"embedding":[2]}],"usage":{"prompt_tokens":1,"total_tokens":1}}"#) })
        let one = #"{"content":{"parts":[{"text":"x"}]}}"#
        func embed(_ model: String, _ verb: String, _ body: String) throws -> String {
            try setup.router.call("POST", "/v1beta/models/\(model):\(verb)", body: body).text
        }
        #expect(try embed("a", "embedContent", one) == #"{"embedding": {"values":[1]}}"#)
        #expect(try embed("a", "batchEmbedContents", #"{"requests":[\#(one)]}"#).contains(#""embeddings""#))
        #expect(try JSON(setup.upstream.waitForRequest(1).body)?["requests"]?[0]?["model"]?.string == "models/up-a")
        let openAI = try setup.router.call("POST", "/v1/embeddings", body: #"{"model":"a","input":["x","y"]}"#)
        #expect(openAI.json?["data"]?[1]?["embedding"]?[0]?.double == 0.5)
    }

    @Test func `the list has the form of Gemini's, in pages`() throws {
        let setup = try Self.setup { try $0.respond(200, "{}") }
        let page = try setup.router.get("/v1beta/models?pageSize=2").json
        #expect(page?["models"]?.array?.count == 2)
        let first = page?["models"]?[0]
        #expect(first?["name"]?.string?.hasPrefix("models/") == true)
        #expect(first?["supportedGenerationMethods"]?.array?.isEmpty == false)
        let token = try #require(page?["nextPageToken"]?.string)
        let rest = try setup.router.get("/v1beta/models?pageSize=2&pageToken=\(token)").json
        #expect(rest?["models"]?.array?.isEmpty == false && rest?["nextPageToken"] == nil)
        #expect(try setup.router.get("/v1beta/models/a").json?["name"]?.string == "models/a")
        let shared = try setup.router.call("GET", "/v1/models", fields: ["x-goog-api-key: unused"])
        #expect(shared.json?["models"]?[0]?["name"]?.string?.hasPrefix("models/") == true && shared.json?["data"] == nil)
        #expect(try setup.router.get("/v1beta/models/nobody").json?["error"]?["status"]?.string == "NOT_FOUND")
        #expect(try setup.router.get("/v1beta/models?pageSize=x").status == 400)
    }

    @Test func `a key in a header field or in the query is accepted here alone, and goes nowhere`() throws {
        let secret = "sk-client-0123456789"
        let setup = try Self.setup(
            { try $0.respond(200, GeminiReplies.object("hi")) }, keys: ["  k: { secret: \(secret) }"])
        let header = ["x-goog-api-key: \(secret)"]
        #expect(try setup.router.content("a", fields: header).status == 200)
        let path = "/v1beta/models/a:generateContent?key="
        func status(_ path: String, _ fields: [String] = []) throws -> Int {
            try setup.router.call("POST", path, body: RouterProcess.contentBody(), fields: fields).status
        }
        #expect(try status(path + secret) == 200)
        #expect(try status(path + "sk%2Dclient-0123456789") == 200)
        #expect(try status(path + "other", header) == 401)
        #expect(try status(path) == 401)
        #expect(try status(path + "wrong") == 401)
        #expect(
            try setup.router.call("POST", "/v1/chat/completions?key=\(secret)", body: RouterProcess.chatBody("a"), fields: header).status
                == 401)
        for request in setup.upstream.requests {
            #expect(!request.head.target.contains("key=") && request.head["x-goog-api-key"] == "sk-provider")
        }
        _ = try setup.router.waitForRecords(6, endpoint: "generate_content")
        #expect(!setup.router.standardError.contains(secret) && !setup.router.standardOutput.contains(secret))
    }

    @Test func `the token of a provider comes from a file, and is renewed`() throws {
        let folder = try TemporaryFolder()
        try folder.write("token", Array("token-0123456789\n".utf8))
        let setup = try Self.setup(
            { try $0.respond(401, GeminiReplies.error("bad token token-0123456789", code: 401, status: "UNAUTHENTICATED")) },
            credential: "project: p, token_file: \(folder.path)/token")
        let refused = try setup.router.content("a")
        #expect(refused.status == 502 && !refused.text.contains("token-0123456789"))
        let request = try setup.upstream.waitForRequest(0)
        #expect(request.head["authorization"] == "Bearer token-0123456789")
        #expect(request.head.target == "/v1beta1/projects/p/locations/global/publishers/google/models/up-a:generateContent")
    }

    @Test func `a signature reaches the next request of a client that has no field for it`() throws {
        let call =
            #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"c2ln"}],"role":"model"},"#
            + #""finishReason":"STOP","index":0}],"responseId":"r1"}"#
        let setup = try Self.setup { try $0.respond(200, call) }
        let tools = #""tools":[{"type":"function","function":{"name":"f"}}]"#
        let message = try setup.router.chat("a", extra: tools).json?["choices"]?[0]?["message"]
        let id = try #require(message?["tool_calls"]?[0]?["id"]?.string)
        let assistant = #"{"role":"assistant","tool_calls":[{"id":"\#(id)","type":"function","function":{"name":"f","arguments":"{}"}}]}"#
        let body =
            #"{"model":"a","messages":[{"role":"user","content":"x"},\#(assistant),{"role":"tool","tool_call_id":"\#(id)","content":"y"}]}"#
        for round in 1...8 {
            // Each new connection may be served by another event loop.
            #expect(try setup.router.call("POST", "/v1/chat/completions", body: body).status == 200)
            let contents = try JSON(setup.upstream.waitForRequest(round).body)?["contents"]
            #expect(contents?[1]?["parts"]?[0]?["thoughtSignature"]?.string == "c2ln")
        }
    }

    @Test func `an event may have up to 16 MiB`() throws {
        let setup = try Self.setup { exchange in
            let long = String(repeating: "x", count: Int(exchange.lastContent) ?? 0)
            try Self.play(GeminiReplies.stream(["a", long, "b"]), then: { try $0.finishChunks() })(exchange)
        }
        for size in [(64 << 10) - 1, (64 << 10) + 1, 1 << 20, 10 << 20] {
            let stream = try setup.router.openContentStream("a", "\(size)").readStream(within: .seconds(30))
            #expect(stream.contentText.utf8.count == size + 2 && stream.contentEnds == ["STOP"])
        }
        let tooLong = try setup.router.openContentStream("a", "\(16 << 20)").readStream(within: .seconds(30))
        #expect(tooLong.contentText == "a" && tooLong.contentEnds.isEmpty && tooLong.chunks.last?["error"] != nil)
    }

    @Test(arguments: [false, true])
    func `usage that is zero stays zero, and usage that is missing is estimated`(isStream: Bool) throws {
        let text = "one two three four five six"
        let setup = try Self.setup { exchange in
            let usage = #""promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8"#
            let whole = GeminiReplies.object(text)
            let body =
                exchange.lastContent == "zero"
                ? whole.replacing(usage, with: #""promptTokenCount":0,"candidatesTokenCount":0,"totalTokenCount":0"#)
                : whole.replacing(",\"usageMetadata\":{\(usage)}", with: "")
            if exchange.wantsContentStream {
                try Self.play([GeminiReplies.event(body)], then: { try $0.finishChunks() })(exchange)
            } else {
                try exchange.respond(200, body)
            }
        }
        var records: [JSON] = []
        for prompt in ["zero", "missing"] {
            if isStream {
                _ = try setup.router.openContentStream("a", prompt).readStream()
            } else {
                _ = try setup.router.content("a", prompt)
            }
            // Each has a connection of its own, so the records have no order by themselves.
            records = try setup.router.waitForRecords(records.count + 1, endpoint: "generate_content")
        }
        #expect(records.map { $0["usage_source"]?.string } == ["reported", "estimated"])
        #expect(records[0]["prompt_tokens"]?.int == 0 && records[0]["completion_tokens"]?.int == 0)
        #expect((records[1]["prompt_tokens"]?.int ?? 0) > 0 && (records[1]["completion_tokens"]?.int ?? 0) > 0)
    }

    // MARK: Cut off and left at any point

    enum Face: CaseIterable {
        case gemini, chat
    }

    @Test(arguments: Face.allCases)
    func `a stream cut off at any byte is complete, replaced or marked as broken`(face: Face) throws {
        let stream = CutStream(GeminiReplies.stream(CutStream.contents))
        let setup = try Self.setup(stream.script(\.lastContent), ScriptedUpstream.responding("instead"))
        try stream.check(setup.router) { prompt in
            guard face == .gemini else { return try setup.router.stream("r", prompt).chatReading }
            let response = try setup.router.openContentStream("r", prompt).readStream()
            return CutStream.Reading(
                status: response.status, text: response.contentText, ends: response.contentEnds.count,
                errors: response.chunks.count { $0["error"] != nil })
        }
    }

    @Test(arguments: Face.allCases)
    func `the upstream is closed at once when the client leaves`(face: Face) throws {
        let chunk = GeminiReplies.event(GeminiReplies.object("x", finish: nil))
        let moments = [[], [GeminiReplies.event(#"{"usageMetadata":{"promptTokenCount":1}}"#)], [chunk], [chunk, chunk]]
        let setup = try Self.setup(LeftStream.script(moments, half: "data: {\"cand"))
        try LeftStream.check(setup.router, at: setup.upstream, endpoint: face == .gemini ? "generate_content" : "chat") {
            try face == .gemini ? setup.router.openContentStream("a") : setup.router.openStream("a")
        }
    }
}
