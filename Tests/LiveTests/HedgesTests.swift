import TestSupport
import Testing

/// Hedging: a second attempt while the first one is slow.
@Suite struct HedgesTests {
    private static func router(_ a: ScriptedUpstream, _ b: ScriptedUpstream, hedge: String = "after: 100ms") throws -> RouterProcess {
        var policy = PolicyText(["a": a, "b": b], routes: ["  r: { try: [a, b], hedge: { \(hedge) } }"])
        policy.moreModels = ["  expensive: { provider: p-b, price: { input: 0, output: 1000 } }"]
        policy.routes.append("  capped: { try: [a, expensive], hedge: { after: 50ms, max_cost: 0.01 } }")
        return try RouterProcess(policy)
    }

    @Test(arguments: [false, true])
    func `the first content wins, the other attempt is cancelled at once, and _router contains both`(stream: Bool) throws {
        let (a, b) = (try ScriptedUpstream(ScriptedUpstream.silent), try ScriptedUpstream(ScriptedUpstream.responding("from ", "b")))
        let router = try Self.router(a, b)
        let start = ContinuousClock.now
        let metadata: JSON?
        if stream {
            let response = try router.stream("r")
            #expect(response.content == "from b" && response.isDone)
            metadata = response.metadata
        } else {
            let response = try router.chat("r")
            #expect(response.content == "from b")
            metadata = response.json?["_router"]
        }
        #expect(metadata?["model_name"]?.string == "b")
        #expect(metadata?["attempts"]?.int == 2)
        #expect(metadata?["hedged"]?.bool == true)
        #expect(metadata?["errors"]?[0]?["model_name"]?.string == "a")
        #expect(metadata?["errors"]?[0]?["class"]?.string == "cancelled")
        #expect(b.requests[0].at - start >= .milliseconds(100))
        let cancelled = try a.waitForPeerClose() - b.requests[0].at
        #expect(cancelled < ceiling(.milliseconds(100)))
    }

    @Test func `if the first attempt fails, the second one serves the request, and _router lists the failure`() throws {
        let isHedged = Gate(), hasFailed = Gate()
        let a = try ScriptedUpstream { exchange in
            try isHedged.wait()
            try ScriptedUpstream.failing(500, fields: ["Connection: close"])(exchange)
            // Once the router has closed the connection, it has read the failure.
            #expect(exchange.waitForPeerClose(within: .seconds(10)))
            hasFailed.open()
        }
        let b = try ScriptedUpstream { exchange in
            isHedged.open()
            try hasFailed.wait()
            try ScriptedUpstream.responding("from b")(exchange)
        }
        let response = try Self.router(a, b).stream("r")
        #expect(response.content == "from b" && response.isDone)
        #expect(response.metadata?["hedged"]?.bool == true)
        #expect(response.metadata?["errors"]?[0]?["status"]?.int == 500)
    }

    @Test(arguments: [false, true])
    func `a slow first attempt may still win, and its text contains nothing of the second`(stream: Bool) throws {
        let secondHasStarted = Gate()
        let a = try ScriptedUpstream { exchange in
            if exchange.wantsStream {
                try exchange.startStream()
                try exchange.event(OpenAIReplies.roleChunk)
            }
            try secondHasStarted.wait()
            guard exchange.wantsStream else { return try ScriptedUpstream.responding("slow a")(exchange) }
            for text in ["slow ", "a"] { try exchange.event(OpenAIReplies.contentChunk(text)) }
            try exchange.event(OpenAIReplies.finishChunk)
            try exchange.event(OpenAIReplies.doneEvent)
            try exchange.finishChunks()
        }
        let b = try ScriptedUpstream { exchange in
            if exchange.wantsStream {
                try exchange.startStream()
                try exchange.event(OpenAIReplies.roleChunk)
            }
            secondHasStarted.open()
            exchange.hold()
        }
        let router = try Self.router(a, b)
        if stream {
            let response = try router.stream("r")
            #expect(response.content == "slow a" && response.isDone && response.metadata?["model_name"]?.string == "a")
            #expect(response.chunks.count { $0["choices"]?[0]?["delta"]?["role"] != nil } == 1)
        } else {
            #expect(try router.chat("r").content == "slow a")
        }
        try b.waitForPeerClose()
    }

    @Test(arguments: [(first: true, failed: false), (true, true), (false, false)])
    func `the attempt that loses a race is no failure, and the call went on from no model to another`(first: Bool, failed: Bool) throws {
        let isHedged = Gate(), mayEnd = Gate()
        // The first attempt responds when the hedge runs, or when it has failed; otherwise never.
        let a = try ScriptedUpstream { exchange in
            guard first else { return exchange.hold() }
            try (failed ? mayEnd : isHedged).wait()
            try ScriptedUpstream.responding("a")(exchange)
        }
        let b = try ScriptedUpstream { exchange in
            isHedged.open()
            guard first else { return try ScriptedUpstream.responding("b")(exchange) }
            guard failed else { return exchange.hold() }
            try ScriptedUpstream.failing(500, fields: ["Connection: close"])(exchange)
            #expect(exchange.waitForPeerClose(within: .seconds(10)))
            mayEnd.open()
        }
        let router = try Self.router(a, b)
        #expect(try router.chat("r").content == (first ? "a" : "b"))
        _ = try router.waitForRecords(1)
        let metrics = try router.get("/metrics").text
        let loser = first ? #"provider="p-b",model="b""# : #"provider="p-a",model="a""#
        #expect(metrics.contains("llm_router_attempts_total{\(loser),outcome=\"failed\"} \(failed ? 1 : 0)\n"))
        #expect(metrics.contains("llm_router_attempts_total{\(loser),outcome=\"cancelled\"} \(failed ? 0 : 1)\n"))
        #expect(!metrics.contains("llm_router_failovers_total{") && !metrics.contains("reason=\"cancelled\""))
        let minute = try #require(try router.get("/admin/history").json?["hour"])
        #expect(minute["failed_attempts"] == (failed ? .object(["upstream_error": .number(1)]) : .object([:])))
    }

    @Test func `a client that leaves cancels both attempts`() throws {
        let (a, b) = (try ScriptedUpstream(ScriptedUpstream.silent), try ScriptedUpstream(ScriptedUpstream.silent))
        let router = try Self.router(a, b)
        let client = try router.openStream("r")
        try b.waitForRequest()
        client.close()
        try a.waitForPeerClose()
        try b.waitForPeerClose()
        #expect(try router.waitForRecords(1).first?["status"]?.int == 499)
    }
}
