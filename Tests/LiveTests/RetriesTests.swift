import TestSupport
import Testing

/// Retries: how many, when, and how the upstream's `Retry-After` affects them.
@Suite struct RetriesTests {
    private static let retries = "retry: { retries: 3, delay: 20ms, jitter: 0 }"

    @Test(arguments: [false, true])
    func `without another model a failed attempt is retried up to retries times`(stream: Bool) throws {
        let upstream = try ScriptedUpstream(each: [
            ScriptedUpstream.failing(500), ScriptedUpstream.failing(502), ScriptedUpstream.responding("at last"),
        ])
        let router = try RouterProcess(PolicyText(["a": upstream], defaults: Self.retries))
        let content = stream ? try router.stream("a").content : try router.chat("a").content
        #expect(content == "at last")
        #expect(upstream.requests.count == 3)
        let waits = zip(upstream.requests, upstream.requests.dropFirst()).map { $1.at - $0.at }
        #expect(waits[0] >= .milliseconds(20) && waits[1] >= .milliseconds(40))
    }

    @Test func `a rate limited model is retried after the wait that its upstream asked for`() throws {
        let upstream = try ScriptedUpstream(each: [
            ScriptedUpstream.failing(429, fields: ["retry-after-ms: 300"]), ScriptedUpstream.responding("now"),
        ])
        let router = try RouterProcess(PolicyText(["a": upstream], defaults: Self.retries))
        #expect(try router.chat("a").content == "now")
        let waited = upstream.requests[1].at - upstream.requests[0].at
        #expect(waited >= .milliseconds(300) && waited < ceiling(.milliseconds(600)))
    }

    @Test func `if all candidates are in cooldown, a request waits, with comments on its stream`() throws {
        let upstream = try ScriptedUpstream(each: [
            ScriptedUpstream.failing(429, fields: ["retry-after-ms: 600"]), ScriptedUpstream.responding("ready"),
        ])
        let router = try RouterProcess(PolicyText(["a": upstream], server: "keepalive: 100ms", defaults: "retry: { retries: 0 }"))
        #expect(try router.chat("a").status == 429)
        let response = try router.stream("a")
        #expect(response.content == "ready" && response.isDone)
        #expect(response.comments >= 3)
        #expect(upstream.requests[1].at - upstream.requests[0].at >= .milliseconds(600))
    }
}
