import TestSupport
import Testing

/// A client that stops reading slows its own upstream, uses little memory and doesn't affect other clients.
@Suite(.serialized) struct BackpressureTests {
    private static let endless: ScriptedUpstream.Script = { exchange in
        guard exchange.prompt == "endless" else { return try ScriptedUpstream.echoing(exchange) }
        try exchange.startStream()
        let event = OpenAIReplies.contentChunk(String(repeating: "x", count: 1000))
        while true { try exchange.event(event) }
    }

    @Test func `clients that stop reading stop their upstreams and are disconnected in time`() throws {
        let upstream = try ScriptedUpstream(Self.endless)
        let router = try RouterProcess(PolicyText(["a": upstream], server: "write_stall: 3s"))
        #expect(try router.chat("a", "warm").content == "warm")
        let (before, sentBefore, kernelBefore) = (router.figures, upstream.sentBytes, kernelBytesOfTCP)
        let count = scaled(20, soak: 500)
        let clients = try (0..<count).map { _ in try router.openStream("a", "endless", receiveBuffer: 16 * 1024) }
        for client in clients { #expect(try client.readHead().status == 200) }
        let start = ContinuousClock.now

        var sent = -1
        try eventually("the upstreams stop sending", within: .seconds(20)) {
            // The awaited event, another write of an upstream, must not happen, so the wait needs a limit.
            let now = upstream.waitForSentBytes(moreThan: max(sent, sentBefore), within: .milliseconds(300))
            defer { sent = now }
            return now == sent
        }
        // A hold counts when it begins, while the client is stuck.
        #expect(try router.metric("llm_router_backpressure_holds_total") >= Double(count))
        // Per stream: the kernel buffers of four sockets, and 64 KiB in the router.
        #expect(upstream.sentBytes - sentBefore < count * 2 << 20)
        #expect(router.figures.pss - before.pss < max(count, 64) * 128)
        #expect(kernelBytesOfTCP - kernelBefore < count << 20)
        for index in 0..<20 { #expect(try router.stream("a", "healthy \(index)").content == "healthy \(index)") }

        let records = try router.waitForRecords(count + 21, within: .seconds(40))
        #expect(.now - start >= .milliseconds(2500))
        #expect(records.count == count + 21)
        #expect(records.count { $0["error"]?.string == "client_stalled" && $0["status"]?.int == 499 } == count)
        try router.waitForDescriptors(atMost: before.descriptors + 4)
        try eventually("the endless streams are closed") { upstream.openConnections <= 4 }
    }

    @Test func `lists that nobody reads fill the buffers, and then no more are made`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(
            PolicyText(["a": upstream], server: "max_buffered: 1MiB").with {
                $0.moreModels = (0..<1000).map {
                    "  model-with-a-long-name-\($0): { provider: p-a, tags: [aaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbb] }"
                }
            })
        let clients = try (0..<40).map { _ in try router.client(receiveBuffer: 4096) }
        for client in clients { client.send("GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n") }
        try eventually("the buffers are full") { try router.call("GET", "/v1/models").errorCode == "buffers_full" }
        // Each event loop may make a list in the room that is left. All 40 lists take far more.
        #expect(try router.metric("llm_router_buffered_bytes") < Double(2 << 20))
        #expect(try router.chat("a", "small requests are served").content == "small requests are served")
        for client in clients { client.close() }
        try eventually("there is room again") { try router.call("GET", "/v1/models").status == 200 }
    }

    @Test func `a slow reader gets everything`() throws {
        let texts = (0..<400).map { "\($0):" + String(repeating: "x", count: 4000) }
        let upstream = try ScriptedUpstream { try $0.stream(texts) }
        let router = try RouterProcess(PolicyText(["a": upstream], server: "write_stall: 2s"))
        let client = try router.openStream("a", receiveBuffer: 8 * 1024)
        let head = try client.readHead()
        // The upstream has 1.6 MB to send. It stops while the client reads nothing.
        var sent = -1
        for _ in 0..<20 {
            let now = upstream.waitForSentBytes(moreThan: max(sent, 0), within: .milliseconds(200))
            if now == sent { break }
            sent = now
        }
        #expect(sent < 1_500_000)
        var text = ""
        for _ in 0..<100 { text += try client.nextContent() }
        let response = try client.readRest(of: head)
        #expect(text + response.content == texts.joined())
        #expect(response.isDone)
    }

    @Test func `a client that reads slowly is not disconnected`() throws {
        let upstream = try ScriptedUpstream(Self.endless)
        let router = try RouterProcess(PolicyText(["a": upstream], server: "write_stall: 2s"))
        let client = try router.openStream("a", "endless", receiveBuffer: 4 * 1024)
        #expect(try client.readHead().status == 200)
        // 15 KB a second for twice the stall time. Such small reads don't yet make room in the router's socket.
        for _ in 0..<20 {
            for _ in 0..<3 { #expect(try client.nextContent().utf8.count == 1000) }
            _ = upstream.waitForSentBytes(moreThan: .max, within: .milliseconds(200))
        }
        client.close()
        #expect(try router.waitForRecords(1).map { $0["error"]?.string } == ["client_left"])
    }

    @Test func `a client that sends requests without reading is slowed down`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": upstream], server: "write_stall: 1s"))
        let before = router.figures.rss
        let client = try router.client(receiveBuffer: 8 * 1024)
        let request = RouterProcess.request("GET", "/models")
        let flood = Array(String(repeating: request, count: 2000).utf8)
        for _ in 0..<20 { guard client.send(flood, within: .milliseconds(300)) else { break } }
        #expect(router.figures.rss - before < 32 * 1024)
        #expect(try router.chat("a", "fine").content == "fine")
    }
}
