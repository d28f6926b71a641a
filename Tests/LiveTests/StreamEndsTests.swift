import TestSupport
import Testing

/// `[DONE]` promises that the response is complete, so it must not be sent if the upstream's response was cut off.
@Suite struct StreamEndsTests {
    private static let first = OpenAIReplies.contentChunk("alpha ")
    private static let second = OpenAIReplies.contentChunk("beta")
    private static let finish = OpenAIReplies.finishChunk
    private static let done = OpenAIReplies.doneEvent

    private static func play(_ events: [String], then end: @escaping @Sendable (UpstreamExchange) throws -> Void) -> ScriptedUpstream.Script
    {
        { exchange in
            try exchange.startStream()
            for event in events { try exchange.event(event) }
            try end(exchange)
        }
    }

    private static func response(_ script: @escaping ScriptedUpstream.Script) throws -> StreamedResponse {
        let upstream = try ScriptedUpstream(script)
        return try RouterProcess(PolicyText(["a": upstream])).stream("a")
    }

    private func expectComplete(_ response: StreamedResponse, _ name: String) {
        #expect(response.content == "alpha beta", "\(name)")
        #expect(response.errors.isEmpty, "\(name)")
        #expect(response.doneCount == 1 && response.isDone, "\(name)")
    }

    @Test func `a stream with a finish reason or [DONE] is complete`() throws {
        let finishing: @Sendable (UpstreamExchange) throws -> Void = { try $0.finishChunks() }
        expectComplete(
            try Self.response(Self.play([Self.first, Self.second, Self.finish, Self.done], then: finishing)), "finish reason and [DONE]")
        expectComplete(
            try Self.response(Self.play([Self.first, Self.second, Self.finish], then: finishing)), "finish reason without [DONE]")
        expectComplete(try Self.response(Self.play([Self.first, Self.second, Self.done], then: finishing)), "[DONE] without finish reason")
        expectComplete(
            try Self.response(Self.play([Self.first, Self.second, Self.finish, Self.done, Self.first, "not json"], then: finishing)),
            "data after [DONE]")
        expectComplete(
            try Self.response(Self.play([Self.first, Self.second, Self.finish, " [DONE] "], then: finishing)), "spaces around [DONE]")
        expectComplete(
            try Self.response {
                try $0.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
                for event in [Self.first, Self.second, Self.finish, Self.done] { try $0.send("data:\(event)\r\n\r\n") }
                $0.close()
            }, "body that ends when the connection closes")
    }

    @Test func `a stream that is cut off or reports an error ends with one error event and without [DONE]`() throws {
        let ends: [(String, @Sendable (UpstreamExchange) throws -> Void)] = [
            ("body ends normally", { try $0.finishChunks() }), ("FIN", { $0.close() }),
            (
                "RST",
                {
                    try $0.pause(.milliseconds(100)); $0.reset()
                }
            ),
            (
                "half an event",
                {
                    try $0.chunk("data: {\"choices\":[{\"del"); try $0.finishChunks()
                }
            ),
            // Announces 64 bytes and sends fewer.
            (
                "half a chunk",
                {
                    try $0.send("40\r\ndata: {\"cho"); $0.close()
                }
            ),
            (
                "broken framing",
                {
                    try $0.send("XYZ\r\n"); $0.close()
                }
            ),
            (
                "error event",
                {
                    try $0.event(OpenAIReplies.error("overloaded")); try $0.finishChunks()
                }
            ),
            (
                "error event and [DONE]",
                {
                    try $0.event(OpenAIReplies.error("overloaded")); try $0.event(Self.done); try $0.finishChunks()
                }
            ),
        ]
        for (name, end) in ends {
            let response = try Self.response(Self.play([OpenAIReplies.roleChunk, Self.first], then: end))
            #expect(response.content == "alpha ", "\(name)")
            #expect(response.errors.count == 1, "\(name): \(response.data)")
            #expect(response.doneCount == 0, "\(name)")
            #expect(response.data.last.flatMap { JSON($0) }?["error"] != nil, "\(name): the error is the last event")
        }
        let cut = try Self.response(Self.play([Self.first], then: { try $0.finishChunks() }))
        #expect(cut.errors.first?["code"]?.string == "upstream_truncated")
    }

    @Test func `a response ends at [DONE], even if the upstream stays open`() throws {
        let upstream = try ScriptedUpstream(Self.play([Self.first, Self.second, Self.finish, Self.done], then: { $0.hold() }))
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let start = ContinuousClock.now
        expectComplete(try router.stream("a"), "held open")
        // Without the end at [DONE], the response would take the second for which its last chunk is held.
        #expect(.now - start < ceiling(.milliseconds(1250)))
        try upstream.waitForPeerClose()
    }

    @Test(arguments: [
        [first, finish], [first, second, finish], [OpenAIReplies.roleChunk, first, finish],
        [OpenAIReplies.chunk(#"{"content":"alpha"}"#, finish: "stop")],
        [OpenAIReplies.chunk(#"{"content":"alpha"}"#, finish: "stop"), OpenAIReplies.usageChunk()],
    ])
    func `a stream ends after its finish reason, whatever comments the upstream sends for ever`(events: [String]) throws {
        let upstream = try ScriptedUpstream(
            Self.play(events, then: { exchange in while true { try exchange.chunk(": ping\n\n"); try exchange.pause(.milliseconds(50)) } }))
        let response = try RouterProcess(PolicyText(["a": upstream])).stream("a")
        #expect(response.isDone && response.errors.isEmpty)
        #expect(response.finishReasons == ["stop"])
    }

    @Test(arguments: ["{}", #"{"type":"ping"}"#, #"{"object":"keepalive"}"#])
    func `an object without choices passes as it is, and the last chunk has the call record`(object: String) throws {
        let events = [object, Self.first, Self.second, Self.finish, object, object, Self.done]
        let response = try Self.response(Self.play(events) { try $0.finishChunks() })
        expectComplete(response, object)
        #expect(response.data.count { $0 == object } == 3, "\(response.data)")
        let records = response.chunks.filter { $0["_router"] != nil }
        #expect(records.last?["choices"]?[0]?["finish_reason"]?.string == "stop" && records.last?["_router"]?["attempts"]?.int == 1)
        #expect(records.allSatisfy { $0["choices"] != nil })
    }

    @Test func `a server with a finish reason in every chunk may take longer than a second for its first text`() throws {
        let chunks = [#"{"role":"assistant","content":""}"#, #"{"content":"alpha "}"#, #"{"content":"beta"}"#].map {
            OpenAIReplies.chunk($0, finish: "stop")
        }
        let response = try Self.response { exchange in
            try exchange.startStream()
            try exchange.event(chunks[0])
            try exchange.pause(.milliseconds(1200))
            for event in chunks.dropFirst() + [Self.done] { try exchange.event(event) }
            try exchange.finishChunks()
        }
        expectComplete(response, "a reason beside the role")
    }

    @Test func `a response without content ends after its finish reason, if anything came before that`() throws {
        let events = [OpenAIReplies.roleChunk, Self.finish]
        let upstream = try ScriptedUpstream(
            Self.play(events, then: { exchange in while true { try exchange.chunk(": ping\n\n"); try exchange.pause(.milliseconds(50)) } }))
        let response = try RouterProcess(PolicyText(["a": upstream])).stream("a")
        #expect(response.isDone && response.finishReasons == ["stop"])
    }

    @Test func `an error event before the first content is a failed attempt`() throws {
        let upstream = try ScriptedUpstream(
            Self.play([OpenAIReplies.roleChunk, OpenAIReplies.error("boom", code: "500")], then: { try $0.finishChunks() }))
        let other = try ScriptedUpstream(ScriptedUpstream.responding("from b"))
        let router = try RouterProcess(
            PolicyText(["a": upstream, "b": other], routes: ["  r: { try: a, fallback: [b] }", "  alone: { try: a }"]))
        let response = try router.stream("r")
        #expect(response.content == "from b")
        #expect(response.metadata?["attempts"]?.int == 2)
        let alone = try router.stream("alone")
        #expect(alone.status == 502)
        #expect(!alone.isStream)
        #expect(alone.json?["error"] != nil)
    }

    @Test func `a 200 without content or with an error is a failed attempt`() throws {
        let scripts: [(String, ScriptedUpstream.Script)] = [
            ("empty stream", Self.play([], then: { try $0.finishChunks() })),
            ("role only", Self.play([OpenAIReplies.roleChunk], then: { try $0.finishChunks() })),
            ("[DONE] only", Self.play([Self.done], then: { try $0.finishChunks() })),
            ("HTML", { try $0.respond(200, "<html>login</html>", type: "text/html") }),
            ("empty body", { try $0.respond(200, "") }),
            ("error object", { try $0.respond(200, OpenAIReplies.error("too much")) }),
            ("half an object", { try $0.respond(200, "{\"choices\":") }),
        ]
        for (name, script) in scripts {
            let upstream = try ScriptedUpstream(script)
            let other = try ScriptedUpstream(ScriptedUpstream.responding("from b"))
            let router = try RouterProcess(PolicyText(["a": upstream, "b": other], routes: ["  r: { try: a, fallback: [b] }"]))
            let response = try router.stream("r")
            #expect(response.content == "from b", "\(name)")
            #expect(response.isDone && response.errors.isEmpty, "\(name)")
        }
    }

    @Test func `a non-streamed response to a streamed request becomes a stream`() throws {
        let response = try Self.response { try $0.respond(200, OpenAIReplies.buffered("alpha beta")) }
        expectComplete(response, "non-streamed JSON")
        #expect(response.isStream)
        #expect(response.finishReasons == ["stop"])
    }

    /// One request for each byte position: the upstream sends that many bytes, then closes or resets the connection.
    @Test func `a stream cut off at any byte is complete, replaced or marked as broken`() throws {
        let contents = isSoak ? (0..<60).map { "token\($0) " } : ["alpha ", "beta ", "gamma"]
        let fullText = contents.joined()
        let events =
            [OpenAIReplies.roleChunk] + contents.map(OpenAIReplies.contentChunk) + [Self.finish, OpenAIReplies.usageChunk(), Self.done]
        let bytes = Array(
            ("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                + events.map { "\(String($0.utf8.count + "data: \n\n".utf8.count, radix: 16))\r\ndata: \($0)\n\n\r\n" }.joined()
                + "0\r\n\r\n").utf8)
        // The prompt says where to cut off and how, so that a retry is cut off at the same place.
        let upstream = try ScriptedUpstream { exchange in
            let parts = exchange.prompt.split(separator: " ")
            try exchange.send(Array(bytes.prefix(parts.first.flatMap { Int($0) } ?? 0)))
            if parts.last == "RST" { exchange.reset() } else { exchange.close() }
        }
        let other = try ScriptedUpstream(ScriptedUpstream.responding("instead"))
        let router = try RouterProcess(PolicyText(["a": upstream, "b": other], routes: ["  r: { try: a, fallback: [b] }"]))
        let cuts = stride(from: 0, through: bytes.count, by: isSoak ? 1 : 2).flatMap { ["\($0) FIN", "\($0) RST"] }
        let faults = try concurrently(4, within: .seconds(600)) { worker in
            try stride(from: worker, to: cuts.count, by: 4).compactMap { index in
                try Self.fault(in: router.stream("r", cuts[index]), fullText: fullText).map { "\(cuts[index]): \($0)" }
            }
        }
        #expect(faults.flatMap { $0 } == [])
        #expect(try router.get("/health").status == 200)
    }

    /// What is wrong with a response; nil if it is acceptable.
    private static func fault(in response: StreamedResponse, fullText: String) -> String? {
        if response.status != 200 { return "status \(response.status)" }
        if response.chunks.count(where: { $0["choices"]?[0]?["delta"]?["role"] != nil }) > 1 { return "two roles" }
        if response.content == "instead" {
            return response.isDone && response.errors.isEmpty ? nil : "the fallback's response is not complete"
        }
        if !fullText.hasPrefix(response.content) || response.content.isEmpty { return "text '\(response.content)'" }
        switch (response.doneCount, response.errors.count) {
        case (1, 0): return response.content == fullText ? nil : "[DONE] after '\(response.content)'"
        case (0, 1): return nil
        default: return "\(response.doneCount) × [DONE] and \(response.errors.count) errors"
        }
    }

    @Test func `a non-streamed response cut off at any byte is replaced by the fallback's response`() throws {
        let body = OpenAIReplies.buffered("all of it")
        let bytes = Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send(Array(bytes.prefix(Int(exchange.prompt) ?? 0)))
            exchange.close()
        }
        let other = try ScriptedUpstream(ScriptedUpstream.responding("instead"))
        let router = try RouterProcess(PolicyText(["a": upstream, "b": other], routes: ["  r: { try: a, fallback: [b] }"]))
        for cut in stride(from: 0, to: bytes.count, by: scaled(5, soak: 1)) {
            #expect(try router.chat("r", "\(cut)").content == "instead", "cut at \(cut)")
        }
        #expect(try router.chat("r", "\(bytes.count)").content == "all of it")
    }
}
