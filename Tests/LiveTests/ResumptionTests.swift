import TestSupport
import Testing

/// `resume: true`: another model continues a stream that broke after its first content.
@Suite struct ResumptionTests {
    private static let firstTexts = ["Once \"upon\" ", "a "]

    /// Each response is reset when its gate opens, after the client has read the texts, because a reset discards data
    /// that the router has not read yet.
    private static func breaking(at gates: [Gate]) throws -> ScriptedUpstream {
        try ScriptedUpstream { exchange in
            try exchange.startStream()
            try exchange.event(OpenAIReplies.roleChunk)
            for text in firstTexts { try exchange.event(OpenAIReplies.contentChunk(text)) }
            try gates[exchange.number].wait()
            exchange.reset()
        }
    }

    /// Reads the texts before the break, opens the gate, and returns the rest of the stream.
    private static func rest(
        _ router: RouterProcess, _ model: String, _ text: String = "Hello", extra: String = "", breakingAt gate: Gate
    ) throws -> StreamedResponse {
        let client = try router.openStream(model, text, extra: extra)
        let head = try client.readHead()
        for text in firstTexts { #expect(try client.nextContent() == text) }
        gate.open()
        return try client.readRest(of: head)
    }

    private static func router(_ a: ScriptedUpstream, _ b: ScriptedUpstream) throws -> RouterProcess {
        var policy = PolicyText(["a": a], routes: ["  r: { try: [a, b], resume: true }", "  plain: { try: [a, b] }"])
        policy.moreProviders = ["  p-b: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(b.port)/v1\", continues: prefill }"]
        policy.moreModels = ["  b: { provider: p-b }"] + ["a", "b"].map { "  able-\($0): { provider: p-\($0), supports: [tools, json] }" }
        policy.routes.append("  able: { try: [able-a, able-b], resume: true }")
        return try RouterProcess(policy)
    }

    @Test func `another model continues at the break, and _router shows the resume point`() throws {
        let gate = Gate()
        let (a, b) = (try Self.breaking(at: [gate]), try ScriptedUpstream(ScriptedUpstream.responding("time", ".")))
        let response = try Self.rest(Self.router(a, b), "r", "Tell me a story", breakingAt: gate)
        #expect(response.content == "time.")
        #expect(response.isDone && response.errors.isEmpty && response.doneCount == 1)
        #expect(response.metadata?["model_name"]?.string == "b")
        #expect(response.metadata?["resumed"]?[0]?["model_name"]?.string == "a")
        #expect(response.metadata?["resumed"]?[0]?["text_bytes"]?.int == 14)
        let sent = try #require(b.requests.first?.json?["messages"]?.array)
        #expect(sent.last?["role"]?.string == "assistant")
        #expect(sent.last?["content"]?.string == "Once \"upon\" a ")
        #expect(sent.first?["content"]?.string == "Tell me a story")
    }

    @Test func `a broken stream counts at its model, also if another one continues it`() throws {
        let gates = [Gate(), Gate()]
        let a = try Self.breaking(at: gates)
        let b = try ScriptedUpstream(each: [ScriptedUpstream.responding("time."), ScriptedUpstream.failing(500)])
        let router = try Self.router(a, b)
        #expect(try Self.rest(router, "r", breakingAt: gates[0]).isDone)
        #expect(try !Self.rest(router, "r", breakingAt: gates[1]).isDone)
        let ledgers = try router.waitForRecords(2)
        let failed = try #require(ledgers[0]["failed"]?[0]), point = try #require(ledgers[0]["resumed"]?[0])
        func time(_ node: JSON, _ name: String) -> Double { node[name]?.double ?? -1 }
        let times = [
            time(failed, "start_ms"), time(failed, "first_content_ms"), time(ledgers[0], "upstream_start_ms"), time(point, "at_ms"),
            time(ledgers[0], "duration_ms"),
        ]
        #expect(times == times.sorted() && times[0] >= 0 && time(failed, "first_content_ms") == time(ledgers[0], "first_content_ms"))
        let metrics = try router.get("/metrics").text
        for sample in [
            #"streams_total{provider="p-a",model="a",outcome="broken"} 2"#,
            #"streams_total{provider="p-b",model="b",outcome="completed"} 1"#,
            #"streams_total{provider="p-b",model="b",outcome="broken"} 0"#,
            #"time_to_first_token_seconds_count{provider="p-a",model="a"} 2"#,
            #"time_to_first_token_seconds_count{provider="p-b",model="b"} 0"#,
        ] {
            #expect(metrics.contains("llm_router_\(sample)\n"), "\(sample)")
        }
    }

    @Test(arguments: [[], [AnthropicReplies.text("a "), AnthropicReplies.event("content_block_stop", #""index":0"#)]])
    func `a stream of Messages that passed through goes on as one message`(more: [String]) throws {
        let gate = Gate()
        let a = try ScriptedUpstream { exchange in
            try exchange.startStream()
            for event in AnthropicReplies.start + [AnthropicReplies.text("Once ")] + more { try exchange.chunk(event) }
            try gate.wait()
            exchange.reset()
        }
        let b = try ScriptedUpstream(ScriptedUpstream.responding("upon ", "time"))
        var policy = PolicyText(routes: ["  r: { try: [a, b], resume: true }"])
        policy.moreProviders = [
            "  p-a: { plugin: anthropic, base_url: \"http://127.0.0.1:\(a.port)\", api_key: sk-provider }",
            "  p-b: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(b.port)/v1\", continues: prefill }",
        ]
        policy.moreModels = ["  a: { provider: p-a }", "  b: { provider: p-b }"]
        let router = try RouterProcess(policy)
        defer { router.process.kill() }
        let client = try router.openMessageStream("r")
        let head = try client.readHead()
        while let item = try client.nextItem(within: .seconds(10)) {
            if case .data(let text) = item, text.contains(more.isEmpty ? "Once" : "block_stop") { break }
        }
        gate.open()
        let rest = try client.readRest(of: head)
        #expect(rest.messageText == "upon time")
        let begins = more.isEmpty ? [] : ["content_block_start"]
        let deltas = ["content_block_delta", "content_block_delta", "content_block_stop", "message_delta", "message_stop"]
        #expect(rest.eventTypes.filter { $0 != "ping" } == begins + deltas)
        #expect(rest.chunks.compactMap { $0["index"]?.int } == Array(repeating: more.isEmpty ? 0 : 1, count: 3 + begins.count))
    }

    @Test func `without resume, and with tools, JSON or several choices, the break is an error`() throws {
        let extras = [#""n":2"#, #""tools":[{"type":"function","function":{"name":"f"}}]"#, #""response_format":{"type":"json_object"}"#]
        let gates = (0...extras.count).map { _ in Gate() }
        let (a, b) = (try Self.breaking(at: gates), try ScriptedUpstream(ScriptedUpstream.responding("never")))
        let router = try Self.router(a, b)
        var responses = [try Self.rest(router, "plain", breakingAt: gates[0])]
        for (extra, gate) in zip(extras, gates.dropFirst()) {
            responses.append(try Self.rest(router, "able", extra: extra, breakingAt: gate))
        }
        for response in responses {
            #expect(response.content == "" && !response.isDone)
            #expect(response.errors.count == 1)
        }
        #expect(b.requests.isEmpty)
    }
}
