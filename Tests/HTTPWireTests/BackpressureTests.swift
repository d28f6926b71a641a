import NIOCore
import NIOPosix
import Testing

@testable import HTTPWire

/// A slow reader slows the upstream down, and no byte is lost.
struct BackpressureTests {
    /// Numbered lines, so that a lost or reordered part is detected.
    private func text(_ bytes: Int) -> String {
        var text = ""
        var line = 0
        while text.utf8.count < bytes {
            text += "line \(line) of the body, with some words to fill it\n"
            line += 1
        }
        return text
    }

    @Test(
        "the bytes of a finished upstream wait for a slow delegate, arrive in order, and the end comes last",
        arguments: ["sized", "chunked", "close"])
    func finishedUpstream(_ framing: String) async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        delegate.setMayRead(false)
        let call = try await pool.start(delegate)
        let peer = try await upstream.request()
        let body = text(100_000)
        switch framing {
        case "sized": try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        case "chunked":
            try await peer.send(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n")
        default: try await peer.send("HTTP/1.1 200 OK\r\n\r\n\(body)")
        }
        try await peer.close()
        try await pool.settle(0, 0, 0)
        #expect(delegate.body == "" && !delegate.events.elements.contains(.end))
        try await pool.on {
            delegate.setMayRead(true)
            call.resumeReading()
        }
        #expect(try await delegate.completeBody() == body)
        #expect(delegate.events.elements.last == .end)
    }

    @Test("if a paused connection is cut, its received bytes are delivered before the truncation is reported")
    func cutWhilePaused() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        delegate.setMayRead(false)
        let call = try await pool.start(delegate)
        let peer = try await upstream.request()
        try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        try await peer.close()
        try await pool.settle(0, 0, 0)
        #expect(!delegate.events.elements.contains { $0.isFailure })
        try await pool.on {
            delegate.setMayRead(true)
            call.resumeReading()
        }
        #expect(try await delegate.failure() == .truncated)
        #expect(delegate.body == "abc")
    }

    @Test("a flooding upstream is blocked while the delegate takes nothing, and the idle timeout does not end it")
    func flood() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        let call = try await pool.start(delegate)
        let peer = try await upstream.request()
        let body = text(4 << 20)
        try await pool.on { delegate.setMayRead(false) }
        async let sending: Void = peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        try await delegate.events.wait(for: .head(200))
        try await pool.on { call.watch(.idle, for: .milliseconds(100)) }
        // Serves as a clock: its timeout expires long after the idle timeout.
        let clock = TestDelegate()
        try await pool.start(
            clock,
            timeouts: UpstreamTimeouts(
                queue: .seconds(1), connect: .seconds(1), write: .seconds(1), firstByte: .milliseconds(500), total: .distantFuture))
        #expect(try await clock.failure() == .timeout(.firstByte))
        #expect(delegate.body == "" && !delegate.events.elements.contains { $0.isFailure })
        try await pool.on {
            call.watch(.idle, for: nil)
            delegate.setMayRead(true)
            call.resumeReading()
        }
        #expect(try await delegate.completeBody() == body)
        try await sending
        try await pool.shutdown()
    }

    @Test("a slow client slows the upstream down through a relay, and gets every byte")
    func relay() async throws {
        let upstream = try await TestUpstream()
        let pools = TestPools(upstream.endpoint)
        let handler = TestHandler.responding { exchange in Relay.run(exchange, pools.pool(exchange.eventLoop)) }
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.setReading(false)
            try await peer.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let source = try await upstream.request()
            let body = text(3 << 20)
            async let sending: Void = source.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            try await handler.events.wait(for: .writable(false))
            try await peer.setReading(true)
            try await sending
            let text = try await peer.receiveAll()
            #expect(dechunked(text) == body)
        }
    }

    private func dechunked(_ text: String) -> String? {
        guard let start = text.firstRange(of: "\r\n\r\n")?.upperBound else { return nil }
        var input = ByteBuffer(string: String(text[start...])), body = ByteBuffer()
        var reader = BodyReader(.chunked)
        while let source = try? reader.next(&input) {
            switch source {
            case .bytes(var bytes): body.writeBuffer(&bytes)
            case .more: return nil
            case .end: return String(buffer: body)
            }
        }
        return nil
    }
}

/// One pool for each event loop of the shared group.
private struct TestPools: Sendable {
    private let pools: [ObjectIdentifier: UpstreamPool]

    init(_ endpoint: UpstreamEndpoint) {
        var pools: [ObjectIdentifier: UpstreamPool] = [:]
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
            pools[ObjectIdentifier(loop)] = UpstreamPool(endpoint: endpoint, eventLoop: loop, settings: UpstreamPoolSettings(), tls: nil)
        }
        self.pools = pools
    }

    func pool(_ loop: any EventLoop) -> UpstreamPool? { pools[ObjectIdentifier(loop)] }
}

/// A minimal relay that forwards the body as it arrives.
private final class Relay: UpstreamDelegate, ClientObserver {
    private let exchange: ServerExchange
    private let observer: (any ClientObserver)?
    private var call: UpstreamCall?

    private init(_ exchange: ServerExchange) {
        self.exchange = exchange
        observer = exchange.observer
    }

    static func run(_ exchange: ServerExchange, _ pool: UpstreamPool?) {
        let relay = Relay(exchange)
        exchange.observer = relay
        let message = UpstreamMessage(UpstreamRequestHead(method: "GET", target: "/", authority: "a", fields: []), body: [])
        relay.call = pool?.start(message, timeouts: .test, delegate: relay)
    }

    func upstreamMayReplay(_ call: UpstreamCall) -> Bool { true }
    func upstreamRequestSent(_ call: UpstreamCall) {}
    func upstream(_ call: UpstreamCall, head: UpstreamResponseHead) { exchange.begin(ResponseHead(status: head.status)) }
    func upstream(_ call: UpstreamCall, body: ByteBuffer) { exchange.write(body) }
    func upstreamReadComplete(_ call: UpstreamCall) { exchange.flush() }
    func upstreamEnd(_ call: UpstreamCall) { exchange.end() }
    func upstream(_ call: UpstreamCall, failed: UpstreamFailure) { exchange.abort() }
    var isReadyForUpstreamBody: Bool { exchange.connection?.machine.isWritable ?? false }

    func clientLeft() { call?.cancel() }
    func clientWritable(_ isWritable: Bool) {
        observer?.clientWritable(isWritable)
        if isWritable { call?.resumeReading() }
    }
    func uploadArrived(_ bytes: ByteBuffer) {}
}
