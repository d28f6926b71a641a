import TestSupport
import Testing

/// A reader that stalls slows its own upstream, costs little, and disturbs nobody.
@Suite(.serialized) struct BackpressureTests {
    private static let endless: ScriptedUpstream.Script = { exchange in
        guard exchange.question == "endless" else { return try ScriptedUpstream.echoing(exchange) }
        try exchange.startStream()
        let event = OpenAIReplies.contentChunk(String(repeating: "x", count: 1000))
        while true { try exchange.event(event) }
    }

    @Test func `stalled readers stop their upstreams, and are cut off in time`() throws {
        let upstream = try ScriptedUpstream(Self.endless)
        let router = try RouterProcess(PolicyText(["a": upstream], server: "write_stall: 3s"))
        #expect(try router.chat("a", "warm").content == "warm")
        let (before, sentBefore, kernelBefore) = (router.figures, upstream.sentBytes, kernelBytesOfTCP)
        let count = scaled(20, soak: 500)
        let clients = try (0..<count).map { _ in try router.openStream("a", "endless", receiveBuffer: 16 * 1024) }
        for client in clients { #expect(try client.readHead().status == 200) }
        let start = ContinuousClock.now

        var sent = -1
        try eventually("the upstreams' sent bytes stand still", within: .seconds(20)) {
            // Waiting on an event that must not come, the write of one byte more, needs a time.
            let now = upstream.waitForSentBytes(moreThan: max(sent, sentBefore), within: .milliseconds(300))
            defer { sent = now }
            return now == sent
        }
        // Kernel buffers on four sockets and 64 KiB of our own.
        #expect(upstream.sentBytes - sentBefore < count * 2 << 20)
        #expect(router.figures.pss - before.pss < max(count, 64) * 128)
        #expect(kernelBytesOfTCP - kernelBefore < count << 20)
        for index in 0..<20 { #expect(try router.stream("a", "healthy \(index)").content == "healthy \(index)") }

        let records = try router.waitForRecords(count + 21, within: .seconds(40))
        #expect(.now - start >= .milliseconds(2500))
        #expect(records.count == count + 21)
        #expect(records.count { $0["error"]?.string == "client_stalled" && $0["status"]?.int == 499 } == count)
        try router.waitForRest(descriptors: before.descriptors + 4)
        try eventually("the endless streams are closed") { upstream.openConnections <= 4 }
    }

    @Test func `a slow reader gets everything`() throws {
        let texts = (0..<400).map { "\($0):" + String(repeating: "x", count: 4000) }
        let upstream = try ScriptedUpstream { try $0.stream(texts) }
        let router = try RouterProcess(PolicyText(["a": upstream], server: "write_stall: 2s"))
        let client = try router.openStream("a", receiveBuffer: 8 * 1024)
        let head = try client.readHead()
        // The upstream has 1.6 MB to send: it stands still while nothing is read here, and goes on when something is.
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

    @Test func `who reads little by little takes something, and is not cut off`() throws {
        let upstream = try ScriptedUpstream(Self.endless)
        let router = try RouterProcess(PolicyText(["a": upstream], server: "write_stall: 2s"))
        let client = try router.openStream("a", "endless", receiveBuffer: 4 * 1024)
        #expect(try client.readHead().status == 200)
        // 15 KB a second, for twice the time: so little does not make the router's socket take more.
        for _ in 0..<20 {
            for _ in 0..<3 { #expect(try client.nextContent().utf8.count == 1000) }
            _ = upstream.waitForSentBytes(moreThan: .max, within: .milliseconds(200))
        }
        client.close()
        #expect(try router.waitForRecords(1).map { $0["error"]?.string } == ["client_left"])
    }

    @Test func `a client who sends without reading is held back`() throws {
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
