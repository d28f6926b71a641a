import TestSupport
import Testing

/// The access log and the operator's messages tell at least as much as the client learns.
@Suite struct AccessLogTests {
    private static func failing(_ status: Int, _ message: String, id: String) -> ScriptedUpstream.Script {
        { try $0.respond(status, OpenAIReplies.error(message), fields: ["X-Request-Id: \(id)"]) }
    }

    @Test func `a record has what the client asked for, what each failed attempt said, and the upstream's request id`() throws {
        let a = try ScriptedUpstream(Self.failing(500, "disk \u{7}full\nat \"x\"", id: "up-1"))
        let b = try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("b"), fields: ["Request-Id: up-2"]) }
        let router = try RouterProcess(
            PolicyText(["a": a, "b": b], routes: ["  r: { try: [a, b] }"], keys: ["  team: { secret: client-secret-of-team }"]))
        #expect(try router.chat("r", key: "client-secret-of-team").status == 200)
        let record = try #require(try router.waitForRecords(1).first)
        #expect(record["requested_model"]?.string == "r" && record["stream"]?.bool == false && record["key"]?.string == "team")
        #expect(record["upstream_request_id"]?.string == "up-2")
        #expect(record["skipped"] == nil && record["message"] == nil)
        let failed = try #require(record["failed"]?[0])
        #expect(failed["provider"]?.string == "p-a" && failed["model"]?.string == "a" && failed["status"]?.int == 500)
        #expect(failed["class"]?.string == "upstream_error" && failed["message"]?.string == "disk \u{7}full\nat \"x\"")
        #expect(failed["url"]?.string == "http://127.0.0.1:\(a.port)/v1/chat/completions")
        #expect(failed["upstream_request_id"]?.string == "up-1")
    }

    @Test func `a stream's record has the upstream's request id`() throws {
        let a = try ScriptedUpstream {
            try $0.respond(
                200, "data: \(OpenAIReplies.chunk(#"{"content":"a"}"#, finish: "stop"))\n\ndata: [DONE]\n\n", type: "text/event-stream",
                fields: ["X-Request-Id: up-1"])
        }
        let router = try RouterProcess(PolicyText(["a": a]))
        _ = try router.stream("a")
        let record = try #require(try router.waitForRecords(1).first)
        #expect(record["stream"]?.bool == true && record["upstream_request_id"]?.string == "up-1")
    }

    @Test func `a stream's record says so, and has the failure that the client saw`() throws {
        let a = try ScriptedUpstream(Self.failing(503, "overloaded", id: "up-1"))
        let router = try RouterProcess(PolicyText(["a": a]))
        _ = try router.call("POST", "/v1/chat/completions", body: RouterProcess.chatBody("a", stream: true))
        let record = try #require(try router.waitForRecords(1).first)
        #expect(record["stream"]?.bool == true && record["message"]?.string?.contains("overloaded") == true)
    }

    @Test func `a record lists the models that were skipped, with the reason and its end`() throws {
        let (a, b) = (try ScriptedUpstream(ScriptedUpstream.failing(500)), try ScriptedUpstream(ScriptedUpstream.responding("b")))
        let router = try RouterProcess(
            PolicyText(["a": a, "b": b], defaults: "breaker: { failures: 1, cooldown: 60s }", routes: ["  r: { try: [a, b] }"]))
        for _ in 0..<2 { #expect(try router.chat("r").status == 200) }
        let records = try router.waitForRecords(2)
        #expect(records[0]["skipped"] == nil && records[1]["failed"] == nil)
        let skipped = try #require(records[1]["skipped"]?.array)
        #expect(skipped.count == 1 && skipped.first?["provider"]?.string == "p-a" && skipped.first?["model"]?.string == "a")
        #expect(skipped.first?["why"]?.string == "open")
        #expect(skipped.first?["until"]?.string ?? "" > records[1]["time"]?.string ?? "~")
    }

    @Test func `a record lists the names of a list that were skipped, without secrets`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.responding("a"))
        let router = try RouterProcess(PolicyText(["a": a], keys: ["  team: { secret: client-secret-of-team }"]))
        #expect(try router.chat("gpt-9,client-secret-of-team,a", key: "client-secret-of-team").status == 200)
        let record = try #require(try router.waitForRecords(1).first)
        #expect(record["skipped"]?.array?.compactMap { $0["model"]?.string } == ["gpt-9", "<secret>"])
        #expect(record["skipped"]?[0]?["why"]?.string == "unknown or not allowed")
    }

    @Test func `a secret in the client's x-request-id is not logged, and the client gets its own id back`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.responding("a"))
        let router = try RouterProcess(PolicyText(["a": a], keys: ["  team: { secret: client-secret-of-team }"]))
        for id in ["client-secret-of-team", "x-client-secret-of-team-1", "sk-provider", "mine-1"] {
            let response = try router.chat("a", key: "client-secret-of-team", fields: ["x-request-id: \(id)"])
            #expect(response.head["x-request-id"] == id)
        }
        let ids = try router.waitForRecords(4).map { $0["request_id"]?.string ?? "" }
        #expect(ids.last == "mine-1" && ids.dropLast().allSatisfy { $0.contains("<secret>") })
        #expect(!router.standardOutput.contains("secret-of-") && !router.standardOutput.contains("sk-provider"))
        #expect(a.requests.allSatisfy { !$0.head.raw.contains("secret-of-") })
    }

    @Test(arguments: ["x-ms-request-id", "x-goog-request-id", "X-Groq-Id", "cf-ray"])
    func `a record has the upstream's request id, whatever field it is in`(field: String) throws {
        let a = try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("a"), fields: ["\(field): up-3"]) }
        let router = try RouterProcess(PolicyText(["a": a]))
        _ = try router.chat("a")
        #expect(try #require(try router.waitForRecords(1).first)["upstream_request_id"]?.string == "up-3")
    }

    @Test func `a refused request's record has the model asked for and the message, without secrets`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.responding("a"))
        let router = try RouterProcess(PolicyText(["a": a], keys: ["  team: { secret: client-secret-of-team }"]))
        for model in ["gpt-9", "client-secret-of-team"] { #expect(try router.chat(model, key: "client-secret-of-team").status == 404) }
        #expect(try router.get("/v1/models/client%2Dsecret-of-team", key: "client-secret-of-team").status == 404)
        let records = try router.waitForRecords(2)
        #expect(records[0]["requested_model"]?.string == "gpt-9" && records[0]["message"]?.string?.contains("'gpt-9'") == true)
        #expect(records[1]["requested_model"]?.string == "<secret>")
        try eventually("all are logged") { router.standardOutput.split(separator: "\n").count >= 3 }
        #expect(!router.standardOutput.contains("secret-of-"))
    }

    @Test func `a breaker that opens or closes is logged once each`() throws {
        let isFailing = Watched(true)
        let a = try ScriptedUpstream {
            try (isFailing.read { $0 } ? ScriptedUpstream.failing(500, "disk full") : ScriptedUpstream.responding("a"))($0)
        }
        let router = try RouterProcess(PolicyText(["a": a], defaults: "breaker: { failures: 3, cooldown: 1h, successes: 1 }"))
        func lines(_ text: String) -> [Substring] { router.standardError.split(separator: "\n").filter { $0.contains(text) } }
        // The fourth request is an early probe, which is not logged if it fails.
        for _ in 0..<4 { _ = try router.chat("a") }
        isFailing.update { $0 = false }
        for _ in 0..<2 { #expect(try router.chat("a").status == 200) }
        try eventually("the breaker has closed") { !lines("breaker closed").isEmpty }
        let opened = try #require(lines("warning a model's breaker opened").first)
        for part in ["provider=p-a", "model=a", "class=upstream_error", "status=500", "message=\"disk full\"", "until=2"] {
            #expect(opened.contains(part), "\(opened)")
        }
        #expect(lines("breaker opened").count == 1)
        #expect(lines("info a model's breaker closed").count == 1)
    }

    @Test func `an account's breaker that opens is logged once, with the provider's words`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.failing(401, "no credit left"))
        let router = try RouterProcess(PolicyText(["a": a], routes: ["  r: { try: a }"]))
        for _ in 0..<3 { _ = try router.chat("r") }
        _ = try router.waitForRecords(3)
        try eventually("the breaker is logged") { router.standardError.contains("breaker of a provider's account opened") }
        let lines = router.standardError.split(separator: "\n").filter { $0.contains("warning the breaker of a provider's account opened") }
        #expect(lines.count == 1 && lines.first?.contains("message=\"no credit left\"") == true && lines.first?.contains("until=") == true)
    }
}
