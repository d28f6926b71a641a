import Glibc
import TestSupport
import Testing

/// What a collector of traces and the providers get.
@Suite struct TracesTests {
    private static let accepting: ScriptedUpstream.Script = { try $0.respond(200, "{}") }
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "traceparent: 00-\(trace)-00f067aa0ba902b7-01"

    private static func telemetry(_ collector: ScriptedUpstream, _ more: String = "") -> String {
        "telemetry: { otlp: { endpoint: \"http://127.0.0.1:\(collector.port)\"\(more.isEmpty ? "" : ", \(more)") } }\n"
    }

    /// The spans of all exports so far.
    private static func spans(_ collector: ScriptedUpstream) -> [JSON] {
        collector.requests.flatMap { $0.json?["resourceSpans"]?[0]?["scopeSpans"]?[0]?["spans"]?.array ?? [] }
    }

    private static func spans(_ collector: ScriptedUpstream, count: Int) throws -> [JSON] {
        try eventually("\(count) spans have arrived") { spans(collector).count >= count }
        return spans(collector)
    }

    private static func attributes(_ node: JSON) -> [String: String] {
        Dictionary(
            (node["attributes"]?.array ?? []).compactMap { attribute in
                guard let key = attribute["key"]?.string, let value = attribute["value"] else { return nil }
                let text =
                    value["stringValue"]?.string ?? value["intValue"]?.string ?? value["boolValue"]?.bool.map { "\($0)" }
                    ?? (value["doubleValue"] == nil ? nil : "number")
                return text.map { (key, $0) }
            }, uniquingKeysWith: { first, _ in first })
    }

    @Test func `a collector gets the spans of a failover byte for byte, with the client's span as the parent`() throws {
        let collector = try ScriptedUpstream(Self.accepting)
        let usage = #"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}"#
        let a = try ScriptedUpstream(ScriptedUpstream.failing(500, "the prompt was: Hello"))
        let b = try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("b", usage: usage), fields: ["X-Request-Id: up-2"]) }
        let policy = PolicyText(
            ["a": a, "b": b], defaults: "breaker: { failures: 1 }", routes: ["  r: { try: [a, b] }"],
            keys: ["  team: { secret: client-secret-of-team, metadata: { team: search, cost center: \"7\" } }"])
        let router = try RouterProcess(
            Self.telemetry(collector, "headers: { X-Token: \"${TOKEN}\" }") + policy.text, environment: ["TOKEN": "abc"])
        let response = try router.chat(
            "r", extra: #""max_tokens":7,"temperature":0.5"#, key: "client-secret-of-team",
            fields: [Self.parent, "tracestate: vendor=1, other=2", "x-request-id: one"])
        #expect(response.status == 200)
        let request = try collector.waitForRequest()
        #expect(request.head.raw.hasPrefix("POST /v1/traces HTTP/1.1\r\n"))
        #expect(request.head["x-token"] == "abc" && request.head["content-type"] == "application/json")
        let text = String(decoding: request.body, as: UTF8.self)
        #expect(!text.contains("Hello") && !text.contains("secret-of-"))
        let ids = try Self.spans(collector, count: 3).compactMap { $0["spanId"]?.string }
        // The providers' spans are children of the attempts'.
        #expect(a.requests[0].head["traceparent"] == "00-\(Self.trace)-\(ids[1])-01")
        #expect(b.requests[0].head["tracestate"] == "vendor=1,other=2")
        #expect(b.requests[0].head["traceparent"] == "00-\(Self.trace)-\(ids[2])-01")
        #expect(Self.normalized(text, ids: ids, ports: [a.port, b.port]) == Self.expected)
        #expect(try router.waitForRecords(1)[0]["trace_id"]?.string == Self.trace)
    }

    /// The text without what differs in each run: times, ids, ports, the name of the machine and the policy's digest.
    private static func normalized(_ text: String, ids: [String], ports: [UInt16]) -> String {
        var text = text
        for (index, id) in ids.enumerated() { text = text.replacing("\"\(id)\"", with: "\"SPAN\(index)\"") }
        for (index, port) in ports.enumerated() { text = text.replacing("\"intValue\":\"\(port)\"", with: "\"intValue\":\"PORT\(index)\"") }
        text = text.replacing(/UnixNano":"[0-9]{19}"/, with: "UnixNano\":\"TIME\"")
        for name in ["service.instance.id", "host.name", "llm_router.config_digest", "service.version"] {
            text = text.replacing(
                try! Regex("\"\(name)\",\"value\":\\{\"stringValue\":\"[^\"]*\""), with: "\"\(name)\",\"value\":{\"stringValue\":\"X\"")
        }
        return text.replacing(/"version":"[^"]*"/, with: "\"version\":\"X\"")
    }

    private static func attribute(_ name: String, _ value: String) -> String { "{\"key\":\"\(name)\",\"value\":{\(value)}}" }
    private static func string(_ name: String, _ value: String) -> String { attribute(name, "\"stringValue\":\"\(value)\"") }
    private static func int(_ name: String, _ value: String) -> String { attribute(name, "\"intValue\":\"\(value)\"") }
    private static func bool(_ name: String, _ value: Bool) -> String { attribute(name, "\"boolValue\":\(value)") }

    private static func head(_ span: Int, parent: String, _ name: String, kind: Int) -> String {
        "{\"traceId\":\"\(trace)\",\"spanId\":\"SPAN\(span)\",\"parentSpanId\":\"\(parent)\","
            + "\"traceState\":\"vendor=1,other=2\",\"name\":\"\(name)\",\"kind\":\(kind),"
            + "\"startTimeUnixNano\":\"TIME\",\"endTimeUnixNano\":\"TIME\",\"attributes\":["
    }

    private static func attempt(_ index: Int, _ more: [String]) -> String {
        let name = ["a", "b"][index]
        return
            ([
                string("gen_ai.operation.name", "chat"), string("gen_ai.provider.name", "openai-compatible"),
                string("gen_ai.request.model", "up-\(name)"), bool("gen_ai.request.stream", false), int("gen_ai.request.max_tokens", "7"),
                attribute("gen_ai.request.temperature", "\"doubleValue\":0.5"), string("server.address", "127.0.0.1"),
                int("server.port", "PORT\(index)"), string("llm_router.provider", "p-\(name)"),
                string("llm_router.model", name), int("llm_router.attempt.number", "\(index + 1)"),
            ] + more).joined(separator: ",") + "]"
    }

    private static let expected: String = {
        let resource = [
            string("service.name", "llm-router"), string("service.version", "X"), string("service.instance.id", "X"),
            string("host.name", "X"),
        ].joined(separator: ",")
        let server = [
            string("http.request.method", "POST"), string("http.route", "/v1/chat/completions"), int("http.response.status_code", "200"),
            string("url.path", "/v1/chat/completions"), string("url.scheme", "http"), string("client.address", "127.0.0.1"),
            string("llm_router.request_id", "one"),
            string("llm_router.endpoint", "chat"), string("llm_router.key", "team"),
            string("llm_router.key.metadata.team", "search"), string("llm_router.key.metadata.cost center", "7"),
            string("llm_router.requested_model", "r"), string("llm_router.route", "r"), int("llm_router.attempts", "2"),
            bool("llm_router.fallback", false),
            bool("llm_router.hedged", false), bool("llm_router.resumed", false), string("llm_router.usage_source", "reported"),
            string("llm_router.config_digest", "X"),
        ].joined(separator: ",")
        let retry = [
            string("llm_router.provider", "p-a"), string("llm_router.model", "a"), string("llm_router.attempt.class", "upstream_error"),
            string("llm_router.attempt.reason", "upstream_error"), int("http.response.status_code", "500"),
        ].joined(separator: ",")
        let opened = [string("llm_router.provider", "p-a"), string("llm_router.model", "a")].joined(separator: ",")
        let failed = attempt(
            0,
            [
                string("error.type", "upstream_error"), string("llm_router.attempt.class", "upstream_error"),
                string("llm_router.attempt.reason", "upstream_error"), int("http.response.status_code", "500"),
            ])
        let served = attempt(
            1,
            [
                string("gen_ai.response.model", "up-model"), string("gen_ai.response.id", "chatcmpl-1"),
                attribute("gen_ai.response.finish_reasons", "\"arrayValue\":{\"values\":[{\"stringValue\":\"stop\"}]}"),
                string("llm_router.upstream_request_id", "up-2"), int("gen_ai.usage.input_tokens", "10"),
                int("gen_ai.usage.output_tokens", "5"), int("gen_ai.usage.cache_read.input_tokens", "4"),
            ])
        return "{\"resourceSpans\":[{\"resource\":{\"attributes\":[\(resource)]},\"scopeSpans\":[{"
            + "\"scope\":{\"name\":\"llm-router\",\"version\":\"X\"},\"spans\":["
            + head(0, parent: "00f067aa0ba902b7", "POST /v1/chat/completions", kind: 2) + server + "],\"events\":["
            + "{\"timeUnixNano\":\"TIME\",\"name\":\"llm_router.retry\",\"attributes\":[\(retry)]},"
            + "{\"timeUnixNano\":\"TIME\",\"name\":\"llm_router.breaker_opened\",\"attributes\":[\(opened)]}]},"
            + head(1, parent: "SPAN0", "chat up-a", kind: 3) + failed + ",\"status\":{\"code\":2}},"
            + head(2, parent: "SPAN0", "chat up-b", kind: 3) + served + "}]}]}]}"
    }()

    @Test func `a stream has its first content as an event, and its times are in order`() throws {
        let collector = try ScriptedUpstream(Self.accepting)
        let router = try RouterProcess(
            Self.telemetry(collector) + "providers: { p: { plugin: demo } }\nmodels: { demo: { provider: p } }\n")
        #expect(try router.stream("demo").isDone)
        let spans = try Self.spans(collector, count: 2)
        func time(_ node: JSON?, _ name: String) -> Int { node?[name]?.string.flatMap { Int($0) } ?? 0 }
        let event = try #require(spans[0]["events"]?[0])
        #expect(event["name"]?.string == "llm_router.first_content" && spans[0]["parentSpanId"] == nil)
        let times = [
            time(spans[0], "startTimeUnixNano"), time(spans[1], "startTimeUnixNano"), time(event, "timeUnixNano"),
            time(spans[1], "endTimeUnixNano"), time(spans[0], "endTimeUnixNano"),
        ]
        #expect(times == times.sorted() && times[0] > 1_700_000_000_000_000_000, "\(times)")
        let attributes = Self.attributes(spans[1])
        #expect(attributes["gen_ai.response.time_to_first_chunk"] == "number" && attributes["gen_ai.request.stream"] == "true")
        #expect(attributes["gen_ai.input.messages"] == nil)
        #expect(
            spans[1]["attributes"]?.array?.first { $0["key"]?.string == "gen_ai.response.finish_reasons" }?["value"]
                == JSON(#"{"arrayValue":{"values":[{"stringValue":"stop"}]}}"#))
        // The server has exemplars of what it has exported.
        let metrics = try router.call("GET", "/metrics", fields: ["Accept: application/openmetrics-text"]).text
        let mark = "# {trace_id=\"\(spans[0]["traceId"]?.string ?? "-")\"} "
        for family in ["request_duration_seconds", "time_to_first_token_seconds", "overhead_seconds"] {
            #expect(metrics.split(separator: "\n").contains { $0.hasPrefix("llm_router_\(family)_bucket") && $0.contains(mark) })
        }
        #expect(!(try router.get("/metrics").text).contains("trace_id"))
    }

    @Test func `a code of an upstream is in no span, because it may be any text`() throws {
        let collector = try ScriptedUpstream(Self.accepting)
        let bodies = [
            #"{"error":{"message":"bad","code":"bad input: THEPROMPT"}}"#, #"{"error":{"message":"bad","type":"THEPROMPT"}}"#,
            #"{"error":{"message":"THEPROMPT","code":503}}"#,
        ]
        let a = try ScriptedUpstream(each: bodies.map { body in { try $0.respond(400, body) } })
        let router = try RouterProcess(Self.telemetry(collector) + PolicyText(["a": a]).text)
        for _ in bodies { #expect(try router.chat("a", "THEPROMPT").status == 400) }
        #expect(try router.chat("a", extra: #""temperature":"x""#).status == 400)
        let spans = try Self.spans(collector, count: 7)
        #expect(!"\(spans)".contains("THEPROMPT"))
        let types = spans.filter { $0["kind"]?.int == 2 }.map { Self.attributes($0)["error.type"] }
        #expect(types.prefix(3) == ["client_error", "client_error", "client_error"] && types.count == 4, "\(types)")
    }

    @Test func `each attempt of a resumed stream has the span of its own model, with its own time to the first content`() throws {
        let collector = try ScriptedUpstream(Self.accepting), gate = Gate()
        let a = try ScriptedUpstream { exchange in
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("a "))
            try gate.wait()
            exchange.reset()
        }
        let b = try ScriptedUpstream(ScriptedUpstream.responding("b"))
        var policy = PolicyText(["a": a], routes: ["  r: { try: [a, b], resume: true }"])
        policy.moreProviders = ["  p-b: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(b.port)/v1\", continues: prefill }"]
        policy.moreModels = ["  b: { provider: p-b, upstream: up-b }"]
        let router = try RouterProcess(Self.telemetry(collector) + policy.text)
        let client = try router.openStream("r")
        let head = try client.readHead()
        #expect(try client.nextContent() == "a ")
        gate.open()
        #expect(try client.readRest(of: head).isDone)
        let attempts = try Self.spans(collector, count: 3).dropFirst().map(Self.attributes)
        #expect(attempts.map { $0["llm_router.model"] } == ["a", "b"])
        #expect(attempts.map { $0["server.port"] } == [a.port, b.port].map { "\($0)" })
        #expect(attempts.allSatisfy { $0["gen_ai.response.time_to_first_chunk"] == "number" })
        #expect(attempts[0]["error.type"] != nil && attempts[1]["error.type"] == nil)
    }

    @Test(arguments: ["session_id", "conversation_id", "x-session-affinity", "x-claude-code-session-id"])
    func `a span has the client's session as its conversation`(field: String) throws {
        let collector = try ScriptedUpstream(Self.accepting)
        let router = try RouterProcess(
            Self.telemetry(collector) + "providers: { p: { plugin: demo } }\nmodels: { demo: { provider: p } }\n")
        #expect(try router.chat("demo", fields: ["\(field): s-1"]).status == 200)
        #expect(Self.attributes(try Self.spans(collector, count: 2)[0])["gen_ai.conversation.id"] == "s-1")
        #expect(try router.waitForRecords(1)[0]["session"]?.string == "s-1")
    }

    @Test func `prompts and responses are exported only if the policy says so, without its secrets`() throws {
        let collector = try ScriptedUpstream(Self.accepting)
        let anthropic = try ScriptedUpstream { try $0.respond(200, AnthropicReplies.message("Hello from sk-provider-key")) }
        let policy = """
            providers:
              demo: { plugin: demo }
              a: { plugin: anthropic, base_url: "http://127.0.0.1:\(anthropic.port)", api_key: sk-provider-key }
            models:
              demo: { provider: demo }
              claude: { provider: a }

            """
        let router = try RouterProcess(Self.telemetry(collector, "content: true") + policy)
        // A stream that passes through, and responses that are translated.
        #expect(try router.stream("demo", "A prompt with sk-provider-key").isDone)
        #expect(try router.chat("claude", "Second prompt").status == 200)
        let body = RouterProcess.messageBody("demo", "Third prompt", stream: true)
        #expect(try router.call("POST", "/v1/messages", body: body, fields: ["Accept-Encoding: identity"]).status == 200)
        let spans = try Self.spans(collector, count: 6)
        #expect(!"\(spans)".contains("sk-provider-key"))
        let prompts = ["A prompt with <secret>", "Second prompt", "Third prompt"]
        // In the order in which they began: each event loop exports its own.
        let attempts = spans.filter { Self.attributes($0)["gen_ai.input.messages"] != nil }.sorted {
            ($0["startTimeUnixNano"]?.string ?? "") < ($1["startTimeUnixNano"]?.string ?? "")
        }
        try #require(attempts.count == prompts.count)
        for (index, prompt) in prompts.enumerated() {
            let attributes = Self.attributes(attempts[index])
            let input = try #require(JSON(attributes["gen_ai.input.messages"] ?? "")),
                output = JSON(attributes["gen_ai.output.messages"] ?? "")
            #expect(input[0]?["role"]?.string == "user" && input[0]?["parts"]?[0]?["content"]?.string == prompt)
            let message = try #require(output?[0]), text = message["parts"]?[0]?["content"]?.string ?? ""
            #expect(
                message["role"]?.string == "assistant" && (index == 1 ? text == "Hello from <secret>" : text.contains(prompt)), "\(text)")
            #expect(["stop", "end_turn"].contains(message["finish_reason"]?.string ?? ""))
            #expect(Self.attributes(spans[2 * index])["gen_ai.input.messages"] == nil)
        }
    }

    @Test func `of a sample of none, only failed requests are exported, and providers learn that they are not sampled`() throws {
        let collector = try ScriptedUpstream(Self.accepting)
        let a = try ScriptedUpstream(ScriptedUpstream.responding("a"))
        let router = try RouterProcess(Self.telemetry(collector, "sample: 0") + PolicyText(["a": a]).text)
        #expect(try router.chat("a").status == 200)
        #expect(try router.chat("gpt-9").status == 404)
        let spans = try Self.spans(collector, count: 1)
        #expect(spans.count == 1 && Self.attributes(spans[0])["error.type"] == "model_not_found")
        #expect(a.requests[0].head["traceparent"]?.hasSuffix("-00") == true)
        // Operators' requests are not traced.
        #expect(try router.metric("llm_router_spans_total", #"outcome="exported""#) == 1)
    }

    @Test func `a busy collector gets the same spans again, and its token is shown nowhere`() throws {
        let token = "Bearer token-of-the-collector"
        let collector = try ScriptedUpstream(each: [
            { try $0.respond(503, "no room for token-of-the-collector", fields: ["Retry-After: 0"]) }, Self.accepting,
        ])
        let router = try RouterProcess(
            Self.telemetry(collector, "headers: { Authorization: \"${OTLP}\" }")
                + "providers: { p: { plugin: demo } }\nmodels: { demo: { provider: p } }\n", environment: ["OTLP": token])
        _ = try router.chat("demo", "echo token-of-the-collector")
        try collector.waitForRequest(1)
        #expect(collector.requests[0].body == collector.requests[1].body && collector.requests[1].head["authorization"] == token)
        try router.waitForLog("notice the collector takes spans again")
        #expect(router.standardError.contains("warning the collector doesn't take spans; some will be dropped"))
        let shown = [
            try router.get("/admin/policy").text, try router.get("/admin/requests").text, try router.get("/metrics").text,
            router.standardError, router.standardOutput,
        ]
        #expect(shown.allSatisfy { !$0.contains("token-of-the") })
    }

    @Test func `a reload moves the traces to another collector, and turns them off`() throws {
        let (one, two) = (try ScriptedUpstream(Self.accepting), try ScriptedUpstream(Self.accepting))
        let a = try ScriptedUpstream(ScriptedUpstream.responding("a"))
        let policy = PolicyText(["a": a]).text
        let router = try RouterProcess(Self.telemetry(one) + policy)
        _ = try router.chat("a")
        _ = try Self.spans(one, count: 2)
        try router.reload(Self.telemetry(two) + policy)
        _ = try router.chat("a")
        _ = try Self.spans(two, count: 2)
        #expect(Self.spans(one).count == 2)
        try router.reload(policy)
        #expect(try router.chat("a", fields: [Self.parent]).status == 200)
        #expect(a.requests[2].head["traceparent"] == nil)
        #expect(try router.waitForRecords(3)[2]["trace_id"] == nil)
    }

    @Test func `what waits is exported at a shutdown, and a collector that is down delays neither requests nor the exit`() throws {
        let collector = try ScriptedUpstream(Self.accepting)
        let model = "providers: { p: { plugin: demo } }\nmodels: { demo: { provider: p } }\n"
        let router = try RouterProcess(Self.telemetry(collector) + model)
        _ = try router.chat("demo")
        router.process.signal(SIGTERM)
        #expect(try router.process.waitForExit(within: .seconds(10)) == .code(0))
        #expect(Self.spans(collector).count == 2)
        collector.stop()
        let other = try RouterProcess(Self.telemetry(collector) + model)
        #expect(try other.chat("demo").status == 200)
        other.process.signal(SIGTERM)
        #expect(try other.process.waitForExit(within: .seconds(10)) == .code(0))
    }
}
