import TestSupport
import Testing

/// The failure table, seen from both sides: which models are called, and what the client gets.
@Suite struct FailuresTests {
    private static func router(
        _ a: @escaping ScriptedUpstream.Script, defaults: String = ""
    ) throws -> (RouterProcess, a: ScriptedUpstream, b: ScriptedUpstream) {
        let (a, b) = (try ScriptedUpstream(a), try ScriptedUpstream(ScriptedUpstream.responding("from b")))
        let router = try RouterProcess(
            PolicyText(["a": a, "b": b], defaults: defaults, routes: ["  r: { try: [a, b] }", "  alone: { try: a }"]))
        return (router, a, b)
    }

    @Test func `an error of the client is returned at once, and no other model is called`() throws {
        let (router, a, b) = try Self.router(ScriptedUpstream.failing(422, "no such parameter"))
        for stream in [false, true] {
            let response = try router.call("POST", "/v1/chat/completions", body: RouterProcess.chatBody("r", stream: stream))
            #expect(response.status == 422)
            #expect(response.json?["error"]?["message"]?.string == "no such parameter")
            #expect(response.head["content-type"]?.hasPrefix("application/json") == true)
        }
        #expect(a.requests.count == 2)
        #expect(b.requests.isEmpty)
    }

    @Test(
        arguments: [400, 403, 500, 503, 200],
        ["insufficient_quota: check your plan", "The model does not exist, or try again in 500 hours"])
    func `what an upstream repeats of one client's request keeps no other away`(status: Int, text: String) throws {
        let (router, a, b) = try Self.router { exchange in
            guard exchange.prompt != "plain" else { return try ScriptedUpstream.responding("from a")(exchange) }
            let message = "unprocessable: \(exchange.prompt); 'last read' was '\(exchange.prompt.prefix(30))…'"
            if status != 200 || !exchange.wantsStream {
                return try exchange.respond(status, #"{"error":{"message":\#(JSON.quote(message)),"code":\#(JSON.quote(text))}}"#)
            }
            try exchange.startStream()
            try exchange.event(#"{"error":{"message":\#(JSON.quote(message))}}"#)
            try exchange.finishChunks()
        }
        for stream in [false, true] {
            _ = try router.call("POST", "/v1/chat/completions", body: RouterProcess.chatBody("r", text, stream: stream))
            if status == 403 { continue }  // the status itself refuses the account
            #expect(try router.chat("r", "plain").content == "from a", "\(stream)")
        }
        #expect(a.requests.count == (status == 403 ? 1 : 4) && b.requests.count <= 2)
    }

    @Test func `after a failure of the provider the next model serves the request`() throws {
        let (router, a, b) = try Self.router(ScriptedUpstream.failing(529))
        for stream in [false, true] {
            let response = try router.call("POST", "/v1/chat/completions", body: RouterProcess.chatBody("r", stream: stream))
            #expect(response.status == 200)
            #expect(response.head["x-router-attempts"] == "2")
            #expect(response.head["x-router-model"] == "b")
        }
        #expect(a.requests.count == 2)
        #expect(b.requests.count == 2)
    }

    @Test func `the next request skips a model in cooldown`() throws {
        let (router, a, b) = try Self.router(ScriptedUpstream.failing(429, fields: ["Retry-After: 60"]))
        let first = try router.chat("r"), second = try router.chat("r")
        #expect(first.content == "from b" && second.content == "from b")
        #expect(first.head["x-router-attempts"] == "2")
        #expect(second.head["x-router-attempts"] == "1")
        #expect(a.requests.count == 1)
        #expect(b.requests.count == 2)
    }

    @Test func `a refused account stops all models of its provider, and the client and the log get the provider's own words`() throws {
        let words = "Your credit balance is too low to access the API"
        let refusing = try ScriptedUpstream(ScriptedUpstream.failing(400, "\(words) with sk-provider"))
        let other = try ScriptedUpstream(ScriptedUpstream.responding("from b"))
        var policy = PolicyText(
            ["a": refusing, "b": other], routes: ["  r: { try: a, fallback: [b] }", "  r2: { try: a2, fallback: [b] }"])
        policy.moreModels = ["  a2: { provider: p-a }"]
        let router = try RouterProcess(policy)
        #expect(try router.chat("r").content == "from b")
        #expect(try router.chat("r2").content == "from b")
        #expect(refusing.requests.count == 1)
        let alone = try router.chat("a")
        #expect(alone.status == 502)
        #expect(alone.text.contains(words) && !alone.text.contains("sk-provider"))
        try router.waitForLog(words)
        #expect(!router.standardError.contains("sk-provider"))
    }

    @Test func `after a refused connection the next model serves the request`() throws {
        let (router, a, b) = try Self.router(ScriptedUpstream.silent)
        a.stop()
        try eventually("the port refuses") { (try? RawClient(port: a.port)) == nil }
        #expect(try router.chat("r").content == "from b")
        #expect(b.requests.count == 1)
        let alone = try router.chat("alone")
        #expect(alone.status == 502)
        #expect(alone.errorCode == "all_models_failed")
        #expect(alone.head["x-should-retry"] == "false")
    }

    @Test func `a reset before the response is retried once, and then the next model is called`() throws {
        let (router, a, b) = try Self.router(ScriptedUpstream.resetting, defaults: "retry: { retries: 1, delay: 10ms }")
        let response = try router.chat("r")
        #expect(response.content == "from b")
        #expect(response.json?["_router"]?["attempts"]?.int == 3)
        #expect(a.requests.count == 2)
        #expect(b.requests.count == 1)
    }

    @Test func `a reused connection that is closed costs no attempt`() throws {
        let upstream = try ScriptedUpstream(each: [ScriptedUpstream.echoing, ScriptedUpstream.resetting, ScriptedUpstream.echoing])
        let router = try RouterProcess(PolicyText(["a": upstream], defaults: "retry: { retries: 1, delay: 1ms }"))
        _ = try router.chat("a", "one")
        // Each event loop has its own pool, so this request may use a new connection.
        let client = try router.client()
        client.send(RouterProcess.request("POST", "/v1/chat/completions", body: RouterProcess.chatBody("a", "two")))
        let response = try client.readResponse()
        #expect(response.content == "two")
        let requests = upstream.requests
        #expect(requests.count == 3)
        if requests[1].connection == requests[0].connection { #expect(response.json?["_router"]?["attempts"]?.int == 1) }
        #expect(requests[2].connection != requests[1].connection)
    }

    /// Sends two requests on one connection, so that both use the same pool of upstream connections.
    private static func twice(_ router: RouterProcess) throws -> Response {
        let client = try router.client()
        for text in ["one", "two"] {
            client.send(RouterProcess.request("POST", "/v1/chat/completions", body: RouterProcess.chatBody("a", text)))
            if text == "one" { _ = try client.readResponse() }
        }
        return try client.readResponse()
    }

    @Test(arguments: [true, false])
    func `a request that a kept connection swallows is sent once more, unless replay is off, and the replay is told`(isOn: Bool) throws {
        let upstream = try ScriptedUpstream(each: [ScriptedUpstream.echoing, { $0.close() }, ScriptedUpstream.echoing])
        let router = try RouterProcess(PolicyText(["a": upstream], defaults: "retry: { retries: 0, replay: \(isOn ? "on" : "off") }"))
        let response = try Self.twice(router)
        #expect(response.status == (isOn ? 200 : 502))
        #expect(upstream.requests.count == (isOn ? 3 : 2))
        #expect(response.json?["_router"]?["attempts"]?.int == 1)
        #expect(response.json?["_router"]?["replayed"]?.bool == (isOn ? true : nil))
        #expect(try router.waitForRecords(2).last?["replayed"]?.bool == (isOn ? true : nil))
        let metrics = String(decoding: try router.get("/metrics").body, as: UTF8.self)
        #expect(metrics.contains(#"llm_router_replayed_requests_total{provider="p-a",model="a"} \#(isOn ? 1 : 0)"#))
    }

    @Test func `a client's idempotency key goes upstream with each attempt at a model, but not with another model of the same provider`()
        throws
    {
        let upstream = try ScriptedUpstream(each: [
            ScriptedUpstream.failing(503, fields: ["Retry-After: 0"]), ScriptedUpstream.failing(500), ScriptedUpstream.echoing,
        ])
        var policy = PolicyText(["a": upstream], defaults: "retry: { retries: 1, delay: 1ms }", routes: ["  r: { try: [a, b] }"])
        policy.moreModels = ["  b: { provider: p-a }"]
        let router = try RouterProcess(policy)
        #expect(try router.chat("r", fields: ["Idempotency-Key: k-1"]).status == 200)
        #expect(upstream.requests.map { $0.head["idempotency-key"] } == ["k-1", "k-1", nil])
    }

    @Test func `the final status depends on all failures`() throws {
        let limited = try ScriptedUpstream(ScriptedUpstream.failing(429, fields: ["Retry-After: 7"]))
        let limitedLonger = try ScriptedUpstream(ScriptedUpstream.failing(429, fields: ["Retry-After: 9"]))
        let rejecting = try ScriptedUpstream(ScriptedUpstream.failing(401, "Incorrect API key provided"))
        let broken = try ScriptedUpstream(ScriptedUpstream.failing(503))
        let router = try RouterProcess(
            PolicyText(
                ["a": limited, "b": limitedLonger, "c": rejecting, "d": broken, "e": limited],
                routes: ["  limited: { try: [b, a] }", "  rejected: { try: c }", "  mixed: { try: [e, d] }"]))
        let (all, rejected, mixed) = (try router.chat("limited"), try router.chat("rejected"), try router.chat("mixed"))
        #expect(all.status == 429)
        #expect(all.errorType == "rate_limit_error")
        #expect(all.head["retry-after"] == "7")
        #expect(rejected.status == 502)
        #expect(rejected.text.contains("Incorrect API key provided"))
        #expect(mixed.status == 502)
        #expect(mixed.errorCode == "all_models_failed")
        #expect(mixed.json?["_router"]?["errors"]?.array?.count == 2)
        #expect(try router.chat("d").status == 503)
    }

    @Test func `no client gets another client's response, even if other requests are aborted`() throws {
        let upstream = try ScriptedUpstream { exchange in
            if exchange.prompt.hasSuffix("0") { try exchange.pause(.milliseconds(2)) }
            try ScriptedUpstream.echoing(exchange)
        }
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let foreign = try concurrently(8, within: .seconds(300)) { worker in
            try (0..<scaled(100, soak: 2000)).compactMap { round -> String? in
                let nonce = "nonce-\(worker)-\(round)"
                if round % 5 == 3 {
                    let client = try router.openStream("a", nonce)
                    if round % 10 == 3 { _ = try client.readHead() }
                    client.reset()
                    return nil
                }
                let got = round % 2 == 0 ? try router.chat("a", nonce).content : try router.stream("a", nonce).content
                return got == nonce ? nil : "\(nonce): \(got ?? "nothing")"
            }
        }
        #expect(foreign.flatMap { $0 } == [])
    }

    @Test func `bytes after a response are never taken for the next response`() throws {
        let evil = OpenAIReplies.buffered("evil")
        let upstream = try ScriptedUpstream { exchange in
            let body = OpenAIReplies.buffered(exchange.prompt)
            let extra = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(evil.utf8.count)\r\n\r\n\(evil)"
            try exchange.send(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)\(extra)")
        }
        let router = try RouterProcess(PolicyText(["a": upstream]))
        for index in 0..<10 { #expect(try router.chat("a", "n\(index)").content == "n\(index)") }
    }

    @Test func `a response without a call to a model says so in its headers`() throws {
        let router = try RouterProcess(PolicyText(["a": try ScriptedUpstream(ScriptedUpstream.silent)]))
        for refused in [try router.chat("unknown"), try router.chat("a", extra: #""timeout_secs":0"#)] {
            #expect(refused.status >= 400 && refused.head["x-router-attempts"] == "0" && refused.head["x-router-fallback"] == "false")
            #expect(refused.head["server-timing"]?.hasPrefix("plan;dur=") == true)
        }
    }

    @Test func `server-timing shows the time of the successful attempt, without the failed ones`() throws {
        let a = try ScriptedUpstream { exchange in
            try exchange.pause(.milliseconds(30))
            try ScriptedUpstream.failing(500)(exchange)
        }
        let b = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": a, "b": b], routes: ["  r: { try: [a, b] }"]))
        let response = try router.chat("r", "hi")
        let timing = try #require(response.head["server-timing"])
        let upstream = try #require(timing.split(separator: "=").last.flatMap { Double($0) })
        let firstByte = try #require(response.json?["_router"]?["timing"]?["first_byte_ms"]?.double)
        #expect(timing.contains(", upstream;dur=") && upstream > 0 && upstream <= firstByte - 30, "\(timing), first byte \(firstByte)")
    }
}
