import Glibc
import TestSupport
import Testing

/// When a client leaves, the upstream request is closed, at any point of the response.
@Suite(.serialized) struct CancellationTests {
    enum Moment: String, CaseIterable { case nothingSent, headSent, roleSent, contentSent, midChunk }

    enum Leaving: String, CaseIterable {
        case close, reset, halfClose

        func leave(_ client: RawClient) {
            switch self {
            case .close: client.close()
            case .reset: client.reset()
            case .halfClose: client.finishSending()
            }
        }
    }

    /// Sends a streamed response up to the moment, and then waits until the router closes the connection.
    private static func play(until moment: Moment) -> ScriptedUpstream.Script {
        { exchange in
            if moment != .nothingSent { try exchange.startStream() }
            if [.roleSent, .contentSent, .midChunk].contains(moment) { try exchange.event(OpenAIReplies.roleChunk) }
            if [.contentSent, .midChunk].contains(moment) { try exchange.event(OpenAIReplies.contentChunk("first")) }
            if moment == .midChunk { try exchange.send("ff\r\ndata: {\"choices\"") }
            exchange.hold()
        }
    }

    @Test(arguments: Moment.allCases)
    func `the upstream of a stream is closed at once`(moment: Moment) throws {
        let upstream = try ScriptedUpstream(Self.play(until: moment))
        let router = try RouterProcess(PolicyText(["a": upstream]))
        _ = try router.get("/health")
        let descriptors = router.figures.descriptors
        let rounds = scaled(12, soak: 200)
        for round in 0..<rounds {
            let client = try router.openStream("a")
            try upstream.waitForRequest(round)
            if moment == .contentSent || moment == .midChunk {
                _ = try client.readHead()
                #expect(try client.nextContent() == "first")
            }
            let leaving = Leaving.allCases[round % 3]
            let left = ContinuousClock.now
            leaving.leave(client)
            let closed = try upstream.waitForPeerClose(round)
            #expect(closed - left < ceiling(.milliseconds(100)), "\(leaving)")
        }
        let records = try router.waitForRecords(rounds)
        #expect(records.count == rounds)
        #expect(records.allSatisfy { $0["status"]?.int == 499 })
        try router.waitForDescriptors(atMost: descriptors)
        #expect(upstream.requests.count == rounds)
    }

    @Test func `the upstream of a non-streamed response is closed at once`() throws {
        let upstream = try ScriptedUpstream { exchange in
            if exchange.number % 2 == 1 {
                try exchange.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"id\":")
            }
            exchange.hold()
        }
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let rounds = scaled(12, soak: 200)
        for round in 0..<rounds {
            let client = try router.client()
            client.send(RouterProcess.request("POST", "/v1/chat/completions", body: RouterProcess.chatBody("a")))
            try upstream.waitForRequest(round)
            let left = ContinuousClock.now
            Leaving.allCases[round % 3].leave(client)
            #expect(try upstream.waitForPeerClose(round) - left < ceiling(.milliseconds(100)))
        }
        #expect(try router.waitForRecords(rounds).allSatisfy { $0["status"]?.int == 499 })
    }

    @Test func `a client that leaves stops the fallbacks too`() throws {
        let (gate, other) = (Gate(), try ScriptedUpstream(ScriptedUpstream.responding("b")))
        let upstream = try ScriptedUpstream { exchange in
            try gate.wait()
            try exchange.respond(500, OpenAIReplies.error("late"))
        }
        let router = try RouterProcess(PolicyText(["a": upstream, "b": other], routes: ["  r: { try: a, fallback: [b] }"]))
        let client = try router.openStream("r")
        try upstream.waitForRequest()
        client.close()
        let records = try router.waitForRecords(1)
        gate.open()
        #expect(records.first?["status"]?.int == 499)
        #expect(other.connections == 0)
    }

    @Test func `a client that leaves after [DONE] had a complete response`() throws {
        let events = [OpenAIReplies.contentChunk("x"), OpenAIReplies.finishChunk, OpenAIReplies.usageChunk(), OpenAIReplies.doneEvent]
        let body = events.map { "data: \($0)\n\n" }.joined()
        // The body ends in the same write as [DONE], so the upstream connection is free before the client can leave.
        let upstream = try ScriptedUpstream { try $0.respond(200, body, type: "text/event-stream") }
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let loops = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let rounds = scaled(12 + 3 * loops, soak: 200 + 3 * loops)
        for round in 0..<rounds {
            let client = try router.openStream("a")
            #expect(try client.readStream().isDone)
            Leaving.allCases[round % 3].leave(client)
        }
        let records = try router.waitForRecords(rounds)
        #expect(records.allSatisfy { $0["status"]?.int == 200 && $0["usage_source"]?.string == "reported" })
        #expect(upstream.connections <= loops + 2)
    }

    @Test func `a client that leaves before the end of its body reaches no upstream`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": upstream]))
        _ = try router.get("/health")
        let descriptors = router.figures.descriptors
        let request = Array(RouterProcess.request("POST", "/v1/chat/completions", body: RouterProcess.chatBody("a")).utf8)
        for cut in stride(from: 1, to: request.count, by: 7) {
            let client = try router.client()
            client.send(Array(request.prefix(cut)))
            Leaving.allCases[cut % 3].leave(client)
            if cut % 3 == 2 { client.close() }
        }
        try router.waitForDescriptors(atMost: descriptors)
        #expect(upstream.connections == 0)
        #expect(try router.chat("a", "fine").content == "fine")
    }

    @Test func `a cancelled stream is recorded with its usage`() throws {
        let upstream = try ScriptedUpstream(Self.play(until: .contentSent))
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let client = try router.openStream("a")
        _ = try client.readHead()
        _ = try client.nextContent()
        client.close()
        let record = try #require(try router.waitForRecords(1).first)
        #expect(record["usage_source"]?.string == "delivered")
        #expect(record["model"]?.string == "a")
        #expect(record["attempts"]?.int == 1)
    }
}
