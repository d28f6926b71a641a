import TestSupport
import Testing

/// A second attempt beside a slow first one.
@Suite struct HedgesTests {
    private static func router(_ a: ScriptedUpstream, _ b: ScriptedUpstream, hedge: String = "after: 100ms") throws -> RouterProcess {
        var policy = PolicyText(["a": a, "b": b], routes: ["  r: { try: [a, b], hedge: { \(hedge) } }"])
        policy.moreModels = ["  dear: { provider: p-b, price: { input: 0, output: 1000 } }"]
        policy.routes.append("  capped: { try: [a, dear], hedge: { after: 50ms, max_cost: 0.01 } }")
        return try RouterProcess(policy)
    }

    @Test(arguments: [false, true])
    func `the first content wins, the loser is cancelled at once, and both stand in _router`(stream: Bool) throws {
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

    @Test func `a first attempt that fails by itself leaves the response to the second, and is told as one of two`() throws {
        let isHedged = Gate(), hasFailed = Gate()
        let a = try ScriptedUpstream { exchange in
            try isHedged.wait()
            try ScriptedUpstream.failing(500)(exchange)
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

    @Test func `a first attempt that is quick enough has no second beside it`() throws {
        let (a, b) = (try ScriptedUpstream(ScriptedUpstream.responding("a")), try ScriptedUpstream(ScriptedUpstream.responding("b")))
        let router = try Self.router(a, b, hedge: "after: 20s")
        #expect(try router.stream("r").content == "a")
        #expect(b.connections == 0)
    }

    @Test(arguments: [false, true])
    func `a slow first attempt may still win, and the second leaves no trace in its text`(stream: Bool) throws {
        let secondHasBegun = Gate()
        let a = try ScriptedUpstream { exchange in
            if exchange.wantsStream {
                try exchange.startStream()
                try exchange.event(OpenAIReplies.roleChunk)
            }
            try secondHasBegun.wait()
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
            secondHasBegun.open()
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

    @Test func `where the first fails the call is the second's, and where both fail it goes on`() throws {
        let a = try ScriptedUpstream { exchange in
            try exchange.pause(.milliseconds(300))
            try ScriptedUpstream.failing(500)(exchange)
        }
        let b = try ScriptedUpstream { exchange in
            try exchange.pause(.milliseconds(500))
            try ScriptedUpstream.responding("b")(exchange)
        }
        #expect(try Self.router(a, b).stream("r").content == "b")
        let c = try ScriptedUpstream(ScriptedUpstream.failing(500))
        let response = try Self.router(a, c).chat("r")
        #expect(response.status == 502)
        #expect(response.json?["_router"]?["errors"]?.array?.count == 2)
    }

    @Test func `a client that leaves cancels both`() throws {
        let (a, b) = (try ScriptedUpstream(ScriptedUpstream.silent), try ScriptedUpstream(ScriptedUpstream.silent))
        let router = try Self.router(a, b)
        let client = try router.openStream("r")
        try b.waitForRequest()
        client.close()
        try a.waitForPeerClose()
        try b.waitForPeerClose()
        #expect(try router.waitForRecords(1).first?["status"]?.int == 499)
    }

    @Test func `a second attempt that may cost more than the cap is not made`() throws {
        let late: ScriptedUpstream.Script = { exchange in
            try exchange.pause(.milliseconds(300))
            try ScriptedUpstream.responding("a")(exchange)
        }
        let a = try ScriptedUpstream(each: [late, ScriptedUpstream.silent])
        let b = try ScriptedUpstream(ScriptedUpstream.responding("dear"))
        let router = try Self.router(a, b)
        #expect(try router.chat("capped", extra: #""max_tokens":1000"#).content == "a")
        #expect(b.connections == 0)
        #expect(try router.chat("capped", extra: #""max_tokens":5"#).content == "dear")
    }

    @Test func `the delay may be what the model itself needed so far: without enough responses there is no second attempt`() throws {
        let a = try ScriptedUpstream { exchange in
            if exchange.question == "slow" { exchange.hold() } else { try ScriptedUpstream.responding("a")(exchange) }
        }
        let b = try ScriptedUpstream(ScriptedUpstream.responding("b"))
        let router = try Self.router(a, b, hedge: "after: p95")
        for _ in 0..<19 { #expect(try router.stream("r").content == "a") }
        #expect(try router.stream("r", "slow", extra: #""timeout_secs":1"#).json?["error"] != nil)
        #expect(b.connections == 0)
        // The twentieth answer makes the percentile known, and it is far below the time that a silent model is given.
        #expect(try router.stream("a").content == "a")
        let response = try router.stream("r", "slow")
        #expect(response.content == "b" && response.metadata?["hedged"]?.bool == true)
    }
}
