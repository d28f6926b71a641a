import Glibc
import TestSupport
import Testing

/// The steps of a shutdown: not ready, listeners closed, drained, exited.
@Suite(.serialized) struct ShutdownTests {
    private static func ticking(_ finish: Gate) -> ScriptedUpstream.Script {
        { exchange in
            guard exchange.wantsStream else {
                try finish.wait()
                return try ScriptedUpstream.echoing(exchange)
            }
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("begun "))
            if exchange.prompt == "long" { return exchange.hold() }
            try finish.wait()
            try exchange.event(OpenAIReplies.contentChunk("and ended"))
            try exchange.event(OpenAIReplies.finishChunk)
            try exchange.event(OpenAIReplies.doneEvent)
            try exchange.finishChunks()
        }
    }

    @Test func `running responses are completed, and the process exits with 0`() throws {
        let finish = Gate()
        let upstream = try ScriptedUpstream(Self.ticking(finish))
        let router = try RouterProcess(PolicyText(["a": upstream], server: "drain: 30s"))
        let clients = try (0..<scaled(30, soak: 300)).map { _ in try router.openStream("a") }
        let heads = try clients.map { client in
            let head = try client.readHead()
            #expect(try client.nextContent() == "begun ")
            return head
        }
        let buffered = try router.client()
        buffered.send(RouterProcess.request("POST", "/v1/chat/completions", body: RouterProcess.chatBody("a", "whole")))
        try upstream.waitForRequest(clients.count)
        router.process.signal(SIGTERM)
        try eventually("the listener is closed") { (try? router.client()) == nil }
        #expect(!router.process.hasExited)
        finish.open()
        for (client, head) in zip(clients, heads) {
            let rest = try client.readRest(of: head)
            #expect(rest.content == "and ended")
            #expect(rest.isDone && rest.errors.isEmpty)
        }
        #expect(try buffered.readResponse().content == "whole")
        #expect(try router.process.waitForExit(within: .seconds(10)) == .code(0))
        #expect(try router.waitForRecords(clients.count + 1).count == clients.count + 1)
    }

    @Test func `during pre_stop the router reports not ready and still serves`() throws {
        let router = try RouterProcess(PolicyText(server: "pre_stop: 2s, drain: 1s").demo)
        #expect(try router.get("/readyz").status == 200)
        router.process.signal(SIGTERM)
        try eventually("/readyz is 503") { try router.get("/readyz").status == 503 }
        #expect(try router.get("/livez").status == 200)
        #expect(try router.get("/health").status == 200)
        #expect(try router.get("/health").json?["status"]?.string == "draining")
        #expect(try router.chat("demo").status == 200)
        #expect(try router.process.waitForExit(within: ceiling(.seconds(4))) == .code(0))
    }

    @Test func `a keep-alive connection is closed, or its next request is refused`() throws {
        let finish = Gate()
        let upstream = try ScriptedUpstream(Self.ticking(finish))
        let router = try RouterProcess(PolicyText(["a": upstream], server: "drain: 20s"))
        let busy = try router.openStream("a")
        let busyHead = try busy.readHead()
        let kept = try router.client()
        let healthRequest = RouterProcess.request("GET", "/health")
        kept.send(healthRequest)
        _ = try kept.readResponse()
        let client = try router.client()
        client.send(healthRequest)
        _ = try client.readResponse()
        router.process.signal(SIGTERM)
        try eventually("the listener is closed") { (try? router.client()) == nil }
        // The connection is closed, or its next request is refused with a JSON error and closes it.
        if client.send(RouterProcess.request("POST", "/v1/chat/completions", body: RouterProcess.chatBody("a"))),
            let refusal = try? client.readResponse()
        {
            #expect(refusal.status == 503)
            #expect(refusal.errorCode == "shutting_down")
            #expect(refusal.head["connection"]?.lowercased() == "close")
        }
        if kept.send(healthRequest), let health = try? kept.readResponse() {
            #expect(health.status == 200)
            #expect(health.head["connection"]?.lowercased() == "close")
        }
        finish.open()
        #expect(try busy.readRest(of: busyHead).isDone)
        #expect(try router.process.waitForExit(within: .seconds(10)) == .code(0))
    }

    @Test func `a request that is still running at the end of the drain gets an error`() throws {
        let gate = Gate()
        let upstream = try ScriptedUpstream(Self.ticking(gate))
        let router = try RouterProcess(PolicyText(["a": upstream], server: "drain: 500ms"))
        let client = try router.openStream("a", "long")
        let head = try client.readHead()
        _ = try client.nextContent()
        let buffered = try router.client()
        buffered.send(RouterProcess.request("POST", "/v1/chat/completions", body: RouterProcess.chatBody("a", "whole")))
        try upstream.waitForRequest(1)
        let start = ContinuousClock.now
        router.process.signal(SIGTERM)
        let rest = try client.readRest(of: head)
        #expect(.now - start >= .milliseconds(450))
        #expect(rest.errors.first?["code"]?.string == "shutting_down")
        #expect(rest.doneCount == 0)
        let refused = try buffered.readResponse()
        #expect(refused.status == 503)
        #expect(refused.errorCode == "shutting_down")
        #expect(try router.process.waitForExit(within: ceiling(.milliseconds(1500))) == .code(0))
    }

    @Test func `a request whose body is half read at the end of the drain gets a 503, and the process exits`() throws {
        let router = try RouterProcess(PolicyText(server: "drain: 100ms").demo)
        let client = try router.client()
        client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
        #expect(try client.readHead().status == 100)
        client.send("{")
        router.process.signal(SIGTERM)
        let refusal = try client.readResponse()
        #expect(refusal.status == 503 && refusal.errorCode == "shutting_down")
        #expect(try router.process.waitForExit(within: ceiling(.milliseconds(1100))) == .code(0))
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a second signal ends the process at once`(signal: Int32) throws {
        let upstream = try ScriptedUpstream(Self.ticking(Gate()))
        let router = try RouterProcess(PolicyText(["a": upstream], server: "drain: 60s"))
        let client = try router.openStream("a", "long")
        _ = try client.readHead()
        router.process.signal(signal)
        try eventually("the listener is closed") { (try? router.client()) == nil }
        router.process.hangUp()
        #expect(client.staysSilent(for: .milliseconds(200)) || !router.process.hasExited)
        #expect(!router.process.hasExited)
        router.process.signal(signal)
        let exit = try router.process.waitForExit(within: ceiling(.seconds(1)))
        #expect(exit != .code(0))
    }

    @Test func `an idle router exits at once`() throws {
        for signal in [SIGTERM, SIGINT] {
            let router = try RouterProcess(PolicyText(server: "drain: 30s").demo)
            let idle = try router.client()
            router.process.signal(signal)
            #expect(try router.process.waitForExit(within: .seconds(5)) == .code(0))
            idle.close()
        }
    }
}
