import TestSupport
import Testing

/// Ollama's API, from providers of its own format and of another.
@Suite struct OllamaTests {
    /// A router with a provider of Ollama's format, which has the model `a`, and one of OpenAI's, which has `b`.
    private struct Setup {
        let router: RouterProcess
        let upstream: ScriptedUpstream
        let other: ScriptedUpstream
    }

    private static func setup(
        _ ollama: @escaping ScriptedUpstream.Script, _ openAI: @escaping ScriptedUpstream.Script = ScriptedUpstream.responding("from b"),
        server: String = ""
    ) throws -> Setup {
        let upstream = try ScriptedUpstream(ollama), other = try ScriptedUpstream(openAI)
        let policy = PolicyText(["b": other], server: server, routes: ["  r: { try: a, fallback: [b] }"]).with {
            $0.moreProviders = ["  p-a: { plugin: ollama, base_url: \"http://127.0.0.1:\(upstream.port)\" }"]
            $0.moreModels = [
                "  a: { provider: p-a, upstream: \"up-a:8b\", context: 8192, supports: [tools, image, reasoning, json] }",
                "  \"t:latest\": { provider: p-b, upstream: up-t }", "  v: { provider: p-a, upstream: up-v, serves: embeddings }",
                "  w: { provider: p-b, upstream: up-w, serves: transcription }",
                "  x: { provider: p-b, upstream: up-x, serves: embeddings }",
            ]
        }
        return Setup(router: try RouterProcess(policy), upstream: upstream, other: other)
    }

    private static func play(_ lines: [String], then end: @escaping @Sendable (UpstreamExchange) throws -> Void) -> ScriptedUpstream.Script
    {
        { exchange in
            try exchange.startLines()
            for line in lines { try exchange.chunk(line) }
            try end(exchange)
        }
    }

    // MARK: Chat

    @Test func `bytes pass through between a client and a provider of the format`() throws {
        let lines = [OllamaReplies.line("alpha "), #"{ "new_member" : 1.50 , "message":{"content":"Привет"} }"# + "\n", OllamaReplies.end]
        let body = OllamaReplies.message("alpha").replacing("{\"model\"", with: "{ \"new_member\" : 1.50,\"model\"")
        let setup = try Self.setup { exchange in
            if exchange.json?["stream"]?.bool == false { return try exchange.respond(200, body) }
            try Self.play(lines, then: { try $0.finishChunks() })(exchange)
        }
        let response = try setup.router.ollamaChat("a", extra: #""keep_alive": "5m","n":1e2"#)
        #expect(response.text == body)
        #expect(response.head["x-router-model"] == "a" && response.head["x-router-attempts"] == "1")
        let request = try setup.upstream.waitForRequest(0)
        #expect(request.head.target == "/api/chat")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"model":"up-a:8b","messages":[{"role":"user","content":"Hello"}],"stream":false,"keep_alive": "5m","n":1e2,"#
                + #""truncate":false,"shift":false,"options":{"num_ctx":8192}}"#)
        let streamed = try setup.router.openOllamaStream("a").readLines()
        #expect(streamed.text == lines.joined())
        #expect(streamed.head["content-type"] == "application/x-ndjson")
        #expect(streamed.head["x-router-model"] == "a")
    }

    @Test func `a response of another format becomes lines, or one object`() throws {
        let setup = try Self.setup(Self.play([], then: { $0.close() })) { exchange in
            if exchange.wantsStream { return try exchange.stream(["from ", "b"]) }
            try exchange.respond(200, OpenAIReplies.buffered("from b"))
        }
        let streamed = try setup.router.openOllamaStream("b").readLines()
        #expect(streamed.content == "from b" && streamed.ends == 1 && streamed.isWellFormed)
        let end = try #require(streamed.lines.last)
        #expect(end["done_reason"]?.string == "stop" && end["prompt_eval_count"]?.int == 3 && end["eval_count"]?.int == 5)
        #expect((end["total_duration"]?.int ?? 0) >= (end["eval_duration"]?.int ?? -1) && (end["eval_duration"]?.int ?? -1) >= 0)
        let whole = try setup.router.ollamaChat("b")
        #expect(whole.json?["message"]?["content"]?.string == "from b" && whole.json?["done"]?.bool == true)
        let generated = try setup.router.call("POST", "/api/generate", body: #"{"model":"b","prompt":"Hi","system":"s","stream":false}"#)
        #expect(generated.json?["response"]?.string == "from b" && generated.json?["message"] == nil)
        let prompt = try setup.other.waitForRequest(2).json?["messages"]
        #expect(prompt?[0]?["role"]?.string == "system" && prompt?[1]?["content"]?.string == "Hi")
    }

    @Test func `a failure before the first content is replaced, whatever the formats are`() throws {
        let setup = try Self.setup { exchange in
            if exchange.prompt == "line" {
                return try Self.play([OllamaReplies.error("it broke") + "\n"], then: { try $0.finishChunks() })(exchange)
            }
            try exchange.respond(503, OllamaReplies.error("server busy, please try again. maximum pending requests exceeded"))
        }
        #expect(try setup.router.ollamaChat("r").json?["message"]?["content"]?.string == "from b")
        for prompt in ["Hello", "line"] {
            let stream = try setup.router.openOllamaStream("r", prompt).readLines()
            #expect(stream.content == "from b" && stream.ends == 1 && stream.errors == [])
            #expect(stream.head["x-router-fallback"] == "true")
        }
        #expect(try setup.router.chat("r").content == "from b")
    }

    @Test func `an error is a text with its true status, and one that the request caused keeps its words`() throws {
        let refusal = #"{"error":"invalid options: temperature", "more": 1}"#
        let setup = try Self.setup { try $0.respond(400, refusal) }
        let response = try setup.router.ollamaChat("a")
        #expect(response.status == 400 && response.text == refusal)
        #expect(try setup.router.chat("a").json?["error"]?["message"]?.string == "invalid options: temperature")
        let unknown = try setup.router.ollamaChat("nothing")
        #expect(unknown.status == 404 && unknown.text == #"{"error":"model 'nothing' not found"}"#)
        #expect(unknown.head["content-type"] == "application/json")
        let bad = try setup.router.call("POST", "/api/chat", body: "{")
        #expect(bad.status == 400 && bad.json?["error"]?.string?.contains("JSON") == true)
        let think = try setup.router.ollamaChat("b", extra: #""think":"very""#)
        #expect(think.status == 400 && think.json?["error"]?.string?.contains("'think'") == true)
        let method = try setup.router.get("/api/chat")
        #expect(method.status == 405 && method.json?["error"]?.string != nil)
    }

    @Test func `silence is broken by lines without content, and an error after the first content is the last line`() throws {
        let setup = try Self.setup(
            Self.play(
                [OllamaReplies.line("Once")],
                then: { exchange in
                    try exchange.pause(.milliseconds(300))
                    try exchange.chunk(OllamaReplies.error("out of memory") + "\n")
                    exchange.hold()
                }), server: "keepalive: 100ms")
        let stream = try setup.router.openOllamaStream("a").readLines()
        #expect(stream.content == "Once" && stream.isWellFormed)
        #expect(stream.lines.count { $0["message"]?["content"]?.string == "" && $0["done"]?.bool == false } >= 2)
        #expect(stream.lines.last?["error"]?.string == "out of memory" && stream.ends == 0)
    }

    @Test func `a failure after signs of life, but before any content, is a line with the error`() throws {
        let setup = try Self.setup(
            { exchange in
                try exchange.pause(.milliseconds(300))
                try exchange.respond(500, OllamaReplies.error("it broke"))
            }, server: "keepalive: 100ms")
        let stream = try setup.router.openOllamaStream("a").readLines()
        #expect(stream.status == 200 && stream.isWellFormed && stream.lines.count >= 2 && stream.ends == 0)
        #expect(stream.lines.first?["model"]?.string == "a")
        #expect(stream.errors.count == 1 && stream.errors[0].contains("it broke"))
    }

    @Test func `a stream ends with its last line, and whatever comes in the place of a stream is read or fails`() throws {
        let setup = try Self.setup { exchange in
            switch exchange.prompt {
            case "open": try Self.play([OllamaReplies.line("a"), OllamaReplies.end], then: { $0.hold() })(exchange)
            case "after": try Self.play([OllamaReplies.line("a"), OllamaReplies.end, "more\n"], then: { try $0.finishChunks() })(exchange)
            case "object": try exchange.respond(200, OllamaReplies.message("a"))
            case "page": try exchange.respond(200, "<!doctype html><title>a</title>", type: "text/html")
            default: try exchange.respond(200, "a", type: "text/plain")
            }
        }
        for prompt in ["open", "after", "object"] {
            let stream = try setup.router.openOllamaStream("a", prompt).readLines(within: .seconds(5))
            #expect(stream.content == "a" && stream.ends == 1 && stream.isWellFormed, "\(prompt)")
            #expect(try setup.router.stream("a", prompt).isDone, "\(prompt)")
        }
        for prompt in ["page", "text"] {
            let refused = try setup.router.openOllamaStream("a", prompt).readLines()
            #expect(refused.status == 502 && refused.errors.count == 1, "\(prompt)")
            #expect(try setup.router.openOllamaStream("r", prompt).readLines().content == "from b", "\(prompt)")
        }
    }

    @Test func `a tool call with arguments that are no object is an error`() throws {
        let call = #"{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"[1]"}}]}"#
        let setup = try Self.setup(Self.play([], then: { $0.close() })) { exchange in
            guard exchange.wantsStream else {
                let message = call.replacing("{\"tool_calls\"", with: "{\"role\":\"assistant\",\"content\":null,\"tool_calls\"")
                return try exchange.respond(200, #"{"choices":[{"index":0,"message":\#(message),"finish_reason":"tool_calls"}]}"#)
            }
            try exchange.startStream()
            try exchange.event(OpenAIReplies.chunk(call))
            try exchange.event(OpenAIReplies.chunk("{}", finish: "tool_calls"))
            try exchange.event(OpenAIReplies.doneEvent)
            try exchange.finishChunks()
        }
        let stream = try setup.router.openOllamaStream("b").readLines()
        #expect(stream.errors.count == 1 && stream.ends == 0)
        let whole = try setup.router.ollamaChat("b")
        #expect(whole.status == 502 && whole.json?["error"]?.string?.contains("'f'") == true)
    }

    @Test func `a request without messages or a prompt loads a model, and no upstream is asked`() throws {
        let setup = try Self.setup { $0.hold() }
        let loaded = try setup.router.call("POST", "/api/chat", body: #"{"model":"a","messages":[]}"#)
        #expect(loaded.json?["done_reason"]?.string == "load" && loaded.json?["done"]?.bool == true)
        for time in ["0", "0.0", #""0""#, #""0s""#, #""0h0m0s""#, "300", #""5m""#, #""10s""#, "-1", "null", #""""#] {
            let response = try setup.router.call("POST", "/api/generate", body: #"{"model":"b:latest","keep_alive":\#(time)}"#)
            let reason = time.contains("0") && !time.contains(/[1-9]/) ? "unload" : "load"
            #expect(response.json?["done_reason"]?.string == reason && response.json?["response"]?.string == "", "\(time)")
        }
        #expect(try setup.router.call("POST", "/api/generate", body: #"{"model":"nothing"}"#).status == 404)
        #expect(setup.upstream.requests.isEmpty && setup.other.requests.isEmpty)
    }

    @Test func `routing overrides come in header fields, and those in a body go upstream`() throws {
        let setup = try Self.setup { try $0.respond(500, OllamaReplies.error("no")) }
        let response = try setup.router.ollamaChat(
            "a", fields: ["x-router-fallback-provider: p-b", "x-router-fallback-model: up-b"])
        #expect(response.json?["message"]?["content"]?.string == "from b")
        let other = try setup.router.ollamaChat("a", extra: #""fallback_model":"up-b""#)
        #expect(other.status == 500 && other.json?["error"]?.string != nil)
        #expect(setup.upstream.requests.last?.json?["fallback_model"]?.string == "up-b")
    }

    // MARK: Names and models

    @Test func `a name is found with and without the default tag`() throws {
        let setup = try Self.setup { try $0.respond(200, OllamaReplies.message("from a")) }
        for name in ["a", "a:latest", "p-a/a:latest", "t", "t:latest", "r:latest"] {
            #expect(try setup.router.ollamaChat(name).status == 200, "\(name)")
        }
        #expect(try setup.router.ollamaChat("a:8b").status == 404)
        #expect(try setup.router.chat("a:latest").status == 404, "other faces have no tags")
    }

    @Test func `the list has what VS Code, Open WebUI and LangChain read`() throws {
        let setup = try Self.setup { $0.hold() }
        let models = try #require(try setup.router.get("/api/tags").json?["models"]?.array)
        #expect(models.compactMap { $0["model"]?.string } == ["b", "a", "t:latest", "v", "x", "r"])
        for model in models {
            #expect(model["name"] == model["model"] && model["size"]?.int == 0 && model["digest"]?.string?.count == 64)
            #expect(model["modified_at"]?.string?.hasSuffix("Z") == true && model["details"]?["families"]?.array?.isEmpty == false)
            let show = try setup.router.call("POST", "/api/show", body: #"{"model":\#(JSON.quote(model["model"]?.string ?? ""))}"#).json
            let info = show?["model_info"], architecture = info?["general.architecture"]?.string ?? ""
            #expect(info?["general.basename"]?.string == model["name"]?.string && !architecture.isEmpty)
            #expect(show?["capabilities"] == model["capabilities"] && show?["capabilities"]?.array?.isEmpty == false)
            if model["name"]?.string == "a" {
                #expect(info?["\(architecture).context_length"]?.int == 8192)
                #expect(show?["parameters"]?.string == "num_ctx 8192" && show?["template"]?.string?.isEmpty == false)
                let capabilities = show?["capabilities"]?.array?.compactMap(\.string)
                #expect(capabilities == ["completion", "tools", "vision", "thinking"])
            }
        }
        // Continue gives the name as `name`.
        #expect(try setup.router.call("POST", "/api/show", body: #"{"name":"b:latest"}"#).status == 200)
        let unknown = try setup.router.call("POST", "/api/show", body: #"{"model":"nothing"}"#)
        #expect(unknown.status == 404 && unknown.text == #"{"error":"model 'nothing' not found"}"#)
        for body in ["{}", "[]", "x", #"{"model":5}"#] {
            let bad = try setup.router.call("POST", "/api/show", body: body)
            #expect(bad.status == 400 && bad.json?["error"]?.string != nil, "\(body)")
        }
    }

    @Test func `the version is the policy's, no model is running, and nothing can be managed`() throws {
        let setup = try Self.setup({ $0.hold() }, server: "ollama_version: 0.99.1")
        #expect(try setup.router.get("/api/version").text == #"{"version":"0.99.1"}"#)
        #expect(try setup.router.get("/api/ps").text == #"{"models":[]}"#)
        #expect(try setup.router.get("/").text.hasPrefix("Ollama is running\n"))
        let head = try setup.router.client()
        head.send(RouterProcess.request("HEAD", "/"))
        #expect(try head.readHead().status == 200)
        for (method, path) in [
            ("POST", "/api/pull"), ("POST", "/api/push"), ("POST", "/api/create"), ("POST", "/api/copy"), ("DELETE", "/api/delete"),
            ("POST", "/api/blobs/sha256:29fdb92e57cf0827ded04ae6461b5931d01fa595843f55d36f5b275a52087dd2"),
        ] {
            let response = try setup.router.call(method, path, body: #"{"model":"a"}"#)
            #expect(response.status == 501 && response.json?["error"]?.string?.contains("policy file") == true, "\(path)")
        }
        for path in ["/api/status", "/api/nothing"] {
            let response = try setup.router.get(path)
            #expect(response.status == 404 && response.json?["error"]?.string?.contains(path) == true, "\(response.text)")
        }
        #expect(try setup.router.get("/api/v1/nothing").json?["error"]?["message"] != nil, "OpenAI's paths")
        let blob = try setup.router.client()
        blob.send(RouterProcess.request("HEAD", "/api/blobs/sha256:1"))
        #expect(try blob.readHead().status == 501)
        // A blob is refused before it is sent.
        let client = try setup.router.client()
        client.send("POST /api/blobs/sha256:1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999999999\r\n\r\n")
        #expect(try client.readResponse().status == 501)
    }

    // MARK: Embeddings

    @Test func `vectors come from a provider of any format`() throws {
        let setup = try Self.setup({ exchange in
            let isLegacy = exchange.head.target == "/api/embeddings"
            try exchange.respond(
                200, isLegacy ? #"{"embedding":[ 0.5,1]}"# : #"{"model":"m","embeddings":[[0.5, 1]],"prompt_eval_count":4}"#)
        }) { exchange in
            try exchange.respond(
                200, #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.25,-1]}],"usage":{"prompt_tokens":4}}"#)
        }
        func post(_ path: String, _ body: String) throws -> Response { try setup.router.call("POST", path, body: body) }
        #expect(
            try post("/api/embed", #"{"model":"v","input":["a"]}"#).text == #"{"model":"m","embeddings":[[0.5, 1]],"prompt_eval_count":4}"#)
        #expect(try post("/api/embeddings", #"{"model":"v","prompt":"a"}"#).text == #"{"embedding":[ 0.5,1]}"#)
        #expect(try post("/v1/embeddings", #"{"model":"v","input":"a"}"#).json?["data"]?[0]?["embedding"]?[1]?.int == 1)
        let translated = try post("/api/embed", #"{"model":"x:latest","input":"a"}"#)
        #expect(translated.json?["embeddings"]?[0]?[1]?.int == -1 && translated.json?["prompt_eval_count"]?.int == 4)
        #expect(try post("/api/embeddings", #"{"model":"x","prompt":"a"}"#).json?["embedding"]?[1]?.int == -1)
        #expect(try post("/api/embed", #"{"model":"x","input":[]}"#).status == 400)
    }

    // MARK: Cut off and left at any point

    enum Face: CaseIterable {
        case ollama, chat
    }

    @Test(arguments: Face.allCases)
    func `a stream cut off at any byte is complete, replaced or marked as broken`(face: Face) throws {
        let stream = CutStream(OllamaReplies.stream(CutStream.contents), type: "application/x-ndjson")
        let setup = try Self.setup(stream.script(\.prompt), ScriptedUpstream.responding("instead"))
        try stream.check(setup.router) { prompt in
            guard face == .ollama else { return try setup.router.stream("r", prompt).chatReading }
            let response = try setup.router.openOllamaStream("r", prompt).readLines()
            return CutStream.Reading(
                status: response.status, text: response.content, ends: response.ends, errors: response.errors.count,
                fault: response.isWellFormed ? nil : "lines '\(response.text)'")
        }
    }

    @Test(arguments: Face.allCases)
    func `the upstream is closed at once when the client leaves`(face: Face) throws {
        let moments = [[], [OllamaReplies.line("")], [OllamaReplies.line("x")], [OllamaReplies.line("x"), OllamaReplies.line("y")]]
        let setup = try Self.setup(LeftStream.script(moments, half: "{\"model\"") { try $0.startLines() })
        try LeftStream.check(setup.router, at: setup.upstream, endpoint: face == .ollama ? "ollama_chat" : "chat") {
            try face == .ollama ? setup.router.openOllamaStream("a") : setup.router.openStream("a")
        }
    }

    @Test func `a line may reach 16 MiB, and a longer one is an error`() throws {
        let setup = try Self.setup { exchange in
            let count = Int(exchange.prompt) ?? 0
            try exchange.startLines()
            try exchange.chunk(OllamaReplies.line("x"))
            try exchange.chunk(OllamaReplies.line(String(repeating: "a", count: count)))
            try exchange.chunk(OllamaReplies.end)
            try exchange.finishChunks()
        }
        for count in [(64 << 10) - 1, (64 << 10) + 1, 1 << 20, 15 << 20] {
            let response = try setup.router.openOllamaStream("a", "\(count)").readLines(within: .seconds(60))
            #expect(response.content.utf8.count == count + 1 && response.ends == 1)
        }
        let response = try setup.router.openOllamaStream("a", "\((16 << 20) + 1)").readLines(within: .seconds(60))
        #expect(response.content == "x" && response.errors.count == 1 && response.ends == 0)
    }

    @Test func `usage is what the provider reports, and zero stays zero`() throws {
        let setup = try Self.setup { exchange in
            let counts =
                exchange.prompt == "zero"
                ? #""prompt_eval_count":0,"eval_count":0"#
                : exchange.prompt == "none" ? #""x":1"# : #""prompt_eval_count":7,"eval_count":2"#
            try exchange.respond(
                200, #"{"model":"m","message":{"role":"assistant","content":"Hi"},"done":true,"done_reason":"stop",\#(counts)}"#)
        }
        func metadata(_ prompt: String) throws -> JSON? { try setup.router.chat("a", prompt).json }
        let known = try metadata("known")
        #expect(known?["usage"]?["prompt_tokens"]?.int == 7 && known?["usage"]?["completion_tokens"]?.int == 2)
        #expect(known?["_router"]?["usage_source"]?.string == "reported")
        #expect(try metadata("zero")?["usage"]?["prompt_tokens"]?.int == 0)
        #expect(try metadata("none")?["_router"]?["usage_source"]?.string == "estimated")
    }
}
