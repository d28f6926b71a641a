import TestSupport
import Testing

/// Loaded plugins that break their contract: only their own requests fail.
@Suite(.serialized) struct MisbehavingPluginTests {
    private static let models = [
        "throw-decoder", "throw-decode", "throw-finish", "block-response", "block-decode", "flood", "ranges", "late", "count", "never",
        "gone-decoder", "gone-decode", "large", "counts", "never-text", "unfinished", "unfinished-end", "unfinished-tool", "served",
        "finishes",
    ]

    private static func start() throws -> RouterProcess {
        let models = Self.models.map { "  \($0): { provider: bad }" }.joined(separator: "\n")
        return try RouterProcess(
            """
            plugins: ['*.so']
            defaults: { retry: { retries: 0 }, breaker: { failures: 1000 }, timeouts: { total: 5s } }
            providers:
              bad: { plugin: misbehaving }
              server: { plugin: misbehaving, has_server: true }
              good: { plugin: demo }
            models:
              good: { provider: good }
              throw-request: { provider: server }
              beyond: { provider: server }
            \(models)

            """, binaries: ["bad.so": MisbehavingLibrary.bytes()])
    }

    @Test func `each of its requests fails with a reason of its own, and others are served`() throws {
        let router = try Self.start()
        let cases: [(model: String, message: String)] = [
            ("throw-request", "thrown in request"), ("throw-decoder", "thrown in decoder"), ("throw-decode", "thrown in decode"),
            ("throw-finish", "thrown in finish"), ("flood", "the plugin 'misbehaving' emits more than 64 MiB at once"),
            ("ranges", "the plugin 'misbehaving' emits bytes that it was not given"), ("count", "empty"), ("never", "timeout"),
            ("large", "the plugin 'misbehaving' emits more than 64 MiB at once"),
            ("gone-decoder", "the plugin 'misbehaving' fails with the class 'cancelled'"),
            ("gone-decode", "the plugin 'misbehaving' fails with the class 'cancelled'"),
            ("counts", "the plugin 'misbehaving' counts 9223372036854775807 bytes"),
            ("beyond", "the plugin 'misbehaving' sends the bytes"), ("finishes", "the plugin 'misbehaving' emits 100000 parts at once"),
        ]
        let client = try router.openStream("good", "a b c")
        for (model, message) in cases {
            let response = try router.call(
                "POST", "/v1/chat/completions", body: RouterProcess.chatBody(model, stream: true), within: .seconds(30))
            #expect(response.status >= 400, "\(model): \(response.text)")
            #expect(response.text.contains(message), "\(model): \(response.text)")
            #expect(try router.chat("good", "hi").content == "You said: hi")
        }
        #expect(try client.readStream(within: .seconds(10)).content == "You said: a b c")
        // The flood was dropped as it came, not collected.
        #expect(router.figures.rss < 600 << 10)
    }

    @Test(arguments: [("gone-decode", false), ("large", false), ("ranges", true)])
    func `the code of the failure is that of the plugin, if it is the only one`(model: String, isStream: Bool) throws {
        let response = try Self.start().call(
            "POST", "/v1/chat/completions", body: RouterProcess.chatBody(model, stream: isStream), within: .seconds(30))
        #expect(response.status == 502)
        #expect(response.json?["error"]?["code"]?.string == "plugin_misbehaves", "\(response.text)")
        #expect(response.json?["_router"]?["errors"]?[0]?["code"]?.string == "plugin_misbehaves", "\(response.text)")
    }

    @Test func `a response that never ends fails when its time is over, whatever has come of it`() throws {
        let router = try Self.start()
        let whole = try router.call("POST", "/v1/chat/completions", body: RouterProcess.chatBody("never-text"), within: .seconds(30))
        #expect(whole.status == 504, "\(whole.text)")
        let stream = try router.stream("never-text")
        #expect(stream.content == "text" && !stream.isDone)
    }

    @Test(arguments: ["unfinished", "unfinished-end", "served"], [true, false])
    func `a response without a reason for its end has one, and its text reaches the clients of every API`(
        model: String, isStream: Bool
    ) throws {
        let router = try Self.start()
        #expect(try isStream ? router.stream(model).content == "text" : router.chat(model, "hi").content == "text")
        func text(_ path: String, _ body: String) throws -> String {
            try router.call("POST", path, body: body, within: .seconds(30)).text.filter { $0 != " " }
        }
        let request = "\"model\":\"\(model)\",\"stream\":\(isStream)", user = #"{"role":"user","content":"hi"}"#
        let openAI = try text("/v1/chat/completions", "{\(request),\"messages\":[\(user)]}")
        #expect(openAI.contains(#""finish_reason":"stop""#), "\(openAI)")
        let responses = try text("/v1/responses", "{\(request),\"input\":\"hi\"}")
        let parts =
            [#""output_text""#, #""text":"text""#, #""status":"completed""#] + (isStream ? ["event:response.output_item.done"] : [])
        #expect(parts.allSatisfy(responses.contains), "\(responses)")
        let anthropic = try text("/v1/messages", "{\(request),\"max_tokens\":9,\"messages\":[\(user)]}")
        #expect(
            anthropic.contains(#""stop_reason":"end_turn""#) && (!isStream || anthropic.contains("event:content_block_stop")),
            "\(anthropic)")
        let gemini = try text(
            "/v1beta/models/\(model):\(isStream ? "streamGenerateContent?alt=sse" : "generateContent")",
            #"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#)
        #expect(gemini.contains(#""finishReason":"STOP""#), "\(gemini)")
        let ollama = try text("/api/chat", "{\(request),\"messages\":[\(user)]}")
        #expect(ollama.contains(#""done_reason":"stop""#), "\(ollama)")
    }

    @Test func `a tool call without a reason for its end is one`() throws {
        let router = try Self.start()
        for isStream in [true, false] {
            let response = try router.call(
                "POST", "/v1/chat/completions", body: RouterProcess.chatBody("unfinished-tool", stream: isStream), within: .seconds(30))
            #expect(response.text.filter { $0 != " " }.contains(#""finish_reason":"tool_calls""#), "\(response.text)")
        }
    }

    @Test func `what it adds after the end is left out`() throws {
        let response = try Self.start().stream("late")
        #expect(response.content == "before")
        #expect(response.isDone)
    }

    @Test(arguments: [("block-response", "response(to:body:)"), ("block-decode", "decode(_:into:)")])
    func `the log names a plugin that keeps an event loop, its provider and the method`(model: String, method: String) throws {
        let router = try Self.start()
        let client = try router.openStream(model)
        try router.waitForLog("a plugin keeps an event loop")
        try router.waitForLog("a plugin has kept an event loop")
        withExtendedLifetime(client) {}
        for part in ["plugin=misbehaving", "provider=bad", method] {
            #expect(router.standardError.contains(part), "\(router.standardError)")
        }
        #expect(try router.chat("good", "hi").content == "You said: hi")
    }
}
