import TestSupport
import Testing

/// Successful streams, as a client sees them.
@Suite struct StreamsTests {
    @Test func `a stream has its texts, one role, its finish reason and [DONE]`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("При", "вет ", "🚀"))
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let response = try router.stream("a")
        #expect(response.status == 200)
        #expect(response.head["content-type"] == "text/event-stream; charset=utf-8")
        #expect(response.head["cache-control"] == "no-cache")
        #expect(response.head["x-accel-buffering"] == "no")
        #expect(response.head["content-encoding"] == nil)
        #expect(response.content == "Привет 🚀")
        #expect(response.chunks.count { $0["choices"]?[0]?["delta"]?["role"] != nil } == 1)
        #expect(response.finishReasons == ["stop"])
        #expect(response.isDone && response.doneCount == 1)
        #expect(response.strayFields == [])
        #expect(response.chunks.allSatisfy { $0["model"]?.string == "up-model" })
        let request = try #require(upstream.requests.first?.json)
        #expect(request["model"]?.string == "up-a")
        #expect(request["stream"]?.bool == true)
    }

    @Test func `the router's metadata is in the headers, in the first chunk and, complete, in the last`() throws {
        let failing = try ScriptedUpstream(ScriptedUpstream.failing(500))
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("x", "y"))
        let router = try RouterProcess(PolicyText(["a": failing, "b": upstream], routes: ["  r: { try: a, fallback: [b] }"]))
        let response = try router.stream("r")
        let carriers = response.chunks.indices.filter { response.chunks[$0]["_router"] != nil }
        #expect(carriers == [0, response.chunks.count - 1])
        let record = try #require(response.metadata)
        #expect(record["provider"]?.string == "p-b")
        #expect(record["model_name"]?.string == "b")
        #expect(record["route"]?.string == "r")
        #expect(record["attempts"]?.int == 2)
        #expect(record["fallback_used"]?.bool == true)
        #expect(record["errors"]?[0]?["status"]?.int == 500)
        #expect(response.head["x-router-provider"] == "p-b")
        #expect(response.head["x-router-model"] == "b")
        #expect(response.head["x-router-attempts"] == "2")

        let buffered = try router.chat("r")
        #expect(buffered.content == "xy")
        #expect(buffered.json?["_router"]?["attempts"]?.int == 2)
        #expect(try router.chat("r", fields: ["x-router-metadata: off"]).json?["_router"] == nil)
    }

    /// Some servers send a finish reason in every chunk.
    @Test(arguments: ["null", "\"stop\""])
    func `an event reaches the client before the next one is sent`(finishReason: String) throws {
        let gates = (0..<4).map { _ in Gate() }
        let upstream = try ScriptedUpstream { exchange in
            try exchange.startStream()
            for (index, gate) in gates.enumerated() {
                try exchange.event(
                    #"{"choices":[{"index":0,"delta":{"content":"t\#(index)"},"finish_reason":\#(finishReason)}]}"#)
                try gate.wait()
            }
            try exchange.event(OpenAIReplies.finishChunk)
            try exchange.event(OpenAIReplies.doneEvent)
            try exchange.finishChunks()
        }
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let client = try router.openStream("a")
        let head = try client.readHead()
        for (index, gate) in gates.enumerated() {
            #expect(try client.nextContent() == "t\(index)")
            gate.open()
        }
        let rest = try client.readRest(of: head)
        #expect(rest.isDone && rest.errors.isEmpty)
    }

    @Test func `unknown members of a delta pass unchanged`() throws {
        let chunk = OpenAIReplies.chunk(#"{"reasoning_content":"thinking","vendor":{"deep":[1,2.50]},"content":null}"#)
        let upstream = try ScriptedUpstream {
            try $0.startStream()
            try $0.event(chunk)
            try $0.event(OpenAIReplies.finishChunk)
            try $0.event(OpenAIReplies.doneEvent)
            try $0.finishChunks()
        }
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let response = try router.stream("a")
        #expect(response.data.first?.contains(#"{"reasoning_content":"thinking","vendor":{"deep":[1,2.50]},"content":null}"#) == true)
        #expect(response.isDone)
    }

    @Test(arguments: [1, 3, 100])
    func `the result doesn't depend on how the bytes are cut`(size: Int) throws {
        let events = [
            OpenAIReplies.roleChunk, OpenAIReplies.contentChunk("Привет "), OpenAIReplies.contentChunk("🚀\r\n"), OpenAIReplies.finishChunk,
            OpenAIReplies.doneEvent,
        ]
        let bytes = Array(events.map { "data: \($0)\r\n\r\n" }.joined().utf8)
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: \(bytes.count)\r\n\r\n")
            for start in stride(from: 0, to: bytes.count, by: size) {
                try exchange.send(Array(bytes[start..<min(start + size, bytes.count)]))
            }
        }
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let response = try router.stream("a")
        #expect(response.content == "Привет 🚀\r\n")
        #expect(response.isDone && response.errors.isEmpty)
    }

    @Test func `usage is always requested from the upstream, and a client gets it if it asks for it`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("x"))
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let without = try router.stream("a")
        #expect(without.usageChunks.isEmpty)
        #expect(without.isDone)
        let with = try router.stream("a", extra: #""stream_options":{"include_usage":true}"#)
        #expect(with.usageChunks.count == 1)
        #expect(with.usageChunks.first?["usage"]?["total_tokens"]?.int == 8)
        #expect(upstream.requests.allSatisfy { $0.json?["stream_options"]?["include_usage"]?.bool == true })
        let records = try router.waitForRecords(2)
        #expect(records.allSatisfy { $0["usage_source"]?.string == "reported" && $0["completion_tokens"]?.int == 5 })
    }

    @Test func `a reported zero stays zero, and what is not reported is marked as estimated`() throws {
        let zero = #"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#
        let upstream = try ScriptedUpstream(each: [{ try $0.stream(["x"], usage: zero) }, { try $0.stream(["x"], usage: nil) }])
        let router = try RouterProcess(PolicyText(["a": upstream]))
        _ = try router.stream("a")
        _ = try router.waitForRecords(1)  // a record is written after its response, so two records could swap
        _ = try router.stream("a")
        let records = try router.waitForRecords(2)
        #expect(records[0]["completion_tokens"]?.int == 0)
        #expect(records[0]["usage_source"]?.string == "reported")
        #expect(records[1]["usage_source"]?.string == "estimated")
    }

    @Test func `a missing half of the usage is estimated`() throws {
        let upstream = try ScriptedUpstream { try $0.stream(["four words of text"], usage: #"{"prompt_tokens":7}"#) }
        let router = try RouterProcess(PolicyText(["a": upstream]))
        _ = try router.stream("a")
        let record = try router.waitForRecords(1)[0]
        #expect(record["usage_source"]?.string == "estimated" && record["prompt_tokens"]?.int == 7)
        #expect(record["completion_tokens"]?.int.map { $0 > 0 } == true)
    }

    @Test func `stream_usage: false sends no stream_options to the upstream`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("x"))
        let router = try RouterProcess(PolicyText(["a": upstream]).with { $0.provider = "stream_usage: false" })
        #expect(try router.stream("a").isDone)
        #expect(try #require(upstream.requests.first?.json)["stream_options"] == nil)
    }

    @Test func `a silent stream gets comments, before the first content and after it`() throws {
        let (first, second) = (Gate(), Gate())
        let upstream = try ScriptedUpstream { exchange in
            try exchange.startStream()
            try first.wait()
            try exchange.event(OpenAIReplies.contentChunk("late"))
            try second.wait()
            try exchange.event(OpenAIReplies.finishChunk)
            try exchange.event(OpenAIReplies.doneEvent)
            try exchange.finishChunks()
        }
        let router = try RouterProcess(PolicyText(["a": upstream], server: "keepalive: 100ms"))
        let client = try router.openStream("a")
        let head = try client.readHead()
        #expect(head.status == 200)
        for gate in [first, second] {
            for _ in 0..<2 {
                guard case .comment = try client.nextItem() else {
                    Issue.record("expected a comment")
                    return
                }
            }
            gate.open()
            if gate === first { #expect(try client.nextContent() == "late") }
        }
        #expect(try client.readRest(of: head).isDone)
    }

    @Test func `a failure after the comments is an error event with the code and the status`() throws {
        let gate = Gate()
        let upstream = try ScriptedUpstream { exchange in
            try gate.wait()
            try exchange.respond(500, OpenAIReplies.error("broken"))
        }
        let router = try RouterProcess(PolicyText(["a": upstream], server: "keepalive: 50ms", routes: ["  r: { try: a }"]))
        let client = try router.openStream("r")
        let head = try client.readHead()
        #expect(head.status == 200)
        gate.open()
        let response = try client.readRest(of: head)
        #expect(response.errors.count == 1)
        #expect(response.errors.first?["code"]?.string == "all_models_failed")
        #expect(response.errors.first?["status"]?.int == 502)
        #expect(response.doneCount == 0)
    }

    /// An event may have up to 16 MiB.
    @Test(arguments: [(64 << 10) - 1, (64 << 10) + 1, 1 << 20, 10 << 20])
    func `a large event passes unchanged`(size: Int) throws {
        let text = String(repeating: "x", count: size)
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("first", text, "last"))
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let response = try router.stream("a", within: .seconds(60))
        #expect(response.content.utf8.count == size + 9)
        #expect(response.isDone && response.errors.isEmpty)
    }

    @Test func `an event above the limit ends the stream with an error`() throws {
        let text = String(repeating: "x", count: (16 << 20) + 1)
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("first", text, "last"))
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let response = try router.stream("a", within: .seconds(60))
        #expect(response.content == "first")
        #expect(response.errors.count == 1)
        #expect(response.doneCount == 0)
        #expect(try router.get("/health").status == 200)
    }
}
