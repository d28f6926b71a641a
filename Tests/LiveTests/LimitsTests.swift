import TestSupport
import Testing

/// Limits of requests, tokens and concurrency, on keys, models and providers.
@Suite struct LimitsTests {
    @Test func `of many concurrent requests exactly as many as the key's limit are admitted`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("yes"))
        let router = try RouterProcess(
            PolicyText(["a": upstream], keys: ["  k: { secret: \"key-k\", limits: { requests_per_minute: 100 } }"]))
        let start = ContinuousClock.now
        let responses = try concurrently(20) { _ in try (0..<20).map { _ in try router.chat("a", key: "key-k") } }.flatMap { $0 }
        let refilled = Int((.now - start) / .milliseconds(600)) + 1
        let refused = responses.filter { $0.status == 429 }
        let admitted = responses.count { $0.status == 200 }
        #expect((100...100 + refilled).contains(admitted) && admitted == upstream.requests.count)
        #expect(refused.count + admitted == 400)
        #expect(refused.allSatisfy { Int($0.head["retry-after"] ?? "").map { $0 >= 1 } == true && $0.errorType == "rate_limit_error" })
    }

    @Test func `the slots of clients that leave become free`() throws {
        let upstream = try ScriptedUpstream { exchange in
            if exchange.prompt == "stay" { return try ScriptedUpstream.responding("here")(exchange) }
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("x"))
            exchange.hold()
        }
        let router = try RouterProcess(PolicyText(["a": upstream], keys: ["  k: { secret: \"key-k\", limits: { concurrent: 8 } }"]))
        for _ in 0..<scaled(5, soak: 125) {
            let clients = try (0..<8).map { _ in try router.openStream("a", "go", key: "key-k") }
            for client in clients {
                _ = try client.nextContentOfStream()
                client.reset()
            }
        }
        let responses = try concurrently(8) { _ in try router.chat("a", "stay", key: "key-k").content ?? "" }
        #expect(responses.allSatisfy { $0 == "here" })
    }

    @Test func `a client beyond its key's limits is refused, or waits, before its body is read`() throws {
        let release = Gate()
        let upstream = try ScriptedUpstream { exchange in
            try release.wait()
            try ScriptedUpstream.responding("done")(exchange)
        }
        let router = try RouterProcess(
            PolicyText(
                ["a": upstream], defaults: "timeouts: { queue: 60s }", keys: ["  k: { secret: \"key-k\", limits: { concurrent: 1 } }"]))
        let body = RouterProcess.chatBody("a")
        let request = RouterProcess.request("POST", "/v1/chat/completions", body: body, key: "key-k", fields: ["Expect: 100-continue"])
        let head = String(request.dropLast(body.utf8.count))
        let running = try router.client(), queued = try router.client(), refused = try router.client()
        running.send(head)
        #expect(try running.readHead().status == 100)
        queued.send(head)
        #expect(queued.staysSilent(for: .milliseconds(100)))
        refused.send(head)
        let refusal = try refused.readResponse()
        #expect(refusal.status == 429 && refusal.errorCode == "rate_limit_exceeded" && refusal.head["retry-after"] != nil)
        running.send(body)
        release.open()
        #expect(try running.readResponse().content == "done")
        #expect(try queued.readHead().status == 100)
        queued.send(body)
        #expect(try queued.readResponse().content == "done")
    }

    @Test func `a request that its key admitted and that leads to no call costs the key nothing`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("yes"))
        let router = try RouterProcess(
            PolicyText(["a": upstream], keys: ["  k: { secret: \"key-k\", limits: { requests_per_minute: 1, concurrent: 1 } }"]))
        for _ in 0..<3 { #expect(try router.call("POST", "/v1/chat/completions", body: "{", key: "key-k").status == 400) }
        let client = try router.client()
        client.send(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer key-k\r\nContent-Length: 99999999\r\n\r\n")
        #expect(try client.readResponse().status == 413)
        let leaving = try router.client()
        leaving.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer key-k\r\nContent-Length: 9\r\n\r\n{")
        leaving.reset()
        #expect(try router.waitForRecords(5).count == 5)
        #expect(try router.chat("a", key: "key-k").content == "yes")
        #expect(try router.chat("a", key: "key-k").status == 429)
    }

    @Test func `concurrent of a provider bounds all its models together, that of a model bounds it further, and other requests queue`()
        throws
    {
        let running = Watched((now: 0, most: 0))
        let upstream = try ScriptedUpstream { exchange in
            running.update { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            try exchange.pause(.milliseconds(20))
            running.update { $0.now -= 1 }
            try ScriptedUpstream.echoing(exchange)
        }
        var policy = PolicyText(["a": upstream])
        policy.provider = "limits: { concurrent: 4 }"
        policy.moreModels = ["  a2: { provider: p-a, limits: { concurrent: 3 } }"]
        let router = try RouterProcess(policy)
        let responses = try concurrently(8) { worker in
            try (0..<5).map { round in try router.chat(worker % 2 == 0 ? "a" : "a2", "\(worker)-\(round)").content == "\(worker)-\(round)" }
        }
        #expect(responses.flatMap { $0 }.allSatisfy { $0 })
        #expect(running.read { $0.most } <= 4)
    }
}

extension RawClient {
    fileprivate func nextContentOfStream() throws -> String {
        _ = try readHead()
        return try nextContent()
    }
}
