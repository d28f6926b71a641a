import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import HTTPWire

/// Each deadline fails the call with the name of its timer.
struct UpstreamTimerTests {
    private let short = Duration.milliseconds(50)

    private func timeouts(_ change: (inout UpstreamTimeouts) -> Void) -> UpstreamTimeouts {
        var timeouts = UpstreamTimeouts.test
        change(&timeouts)
        return timeouts
    }

    @Test("a request that waits too long for a connection is a queue timeout")
    func queue() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint, settings: UpstreamPoolSettings(maxConnections: 1))
        let first = TestDelegate(), second = TestDelegate()
        try await pool.start(first)
        try await pool.start(second, timeouts: timeouts { $0.queue = short })
        #expect(try await second.failure() == .timeout(.queue))
        try await pool.settle(0, 1, 0)
        #expect(first.events.elements.allSatisfy { !$0.isFailure })
        try await upstream.request().close()
    }

    @Test("a TLS handshake without a response is a connect timeout")
    func connect() async throws {
        let upstream = try await TestUpstream()
        var endpoint = upstream.endpoint
        endpoint.isTLS = true
        let pool = TestPool(endpoint, tls: TLSContextProvider(settings: TLSSettings()))
        let delegate = TestDelegate()
        try await pool.start(delegate, timeouts: timeouts { $0.connect = .milliseconds(300) })
        #expect(try await delegate.failure() == .timeout(.connect))
        try await pool.settle(0, 0, 0)
    }

    @Test("an upstream that takes no bytes is a write timeout")
    func write() async throws {
        let upstream = try await TestUpstream(reads: false)
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        try await pool.start(
            delegate, method: "POST", body: [ByteBuffer(repeating: 0, count: 8 << 20)], timeouts: timeouts { $0.write = .milliseconds(200) }
        )
        #expect(try await delegate.failure() == .timeout(.write))
        try await pool.settle(0, 0, 0)
    }

    @Test(
        "a head that is not complete in time is a first_byte timeout",
        arguments: ["", "HTTP/1.1 2", "HTTP/1.1 100 Continue\r\n\r\n"])
    func firstByte(_ bytes: String) async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        try await pool.start(delegate, timeouts: timeouts { $0.firstByte = .milliseconds(200) })
        let peer = try await upstream.request()
        // On a slow machine the timeout may expire before these bytes are sent.
        try? await peer.send(bytes)
        #expect(try await delegate.failure() == .timeout(.firstByte))
        try await peer.events.wait(for: .closed)
    }

    @Test("the total deadline ends a request in any phase")
    func total() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint, settings: UpstreamPoolSettings(maxConnections: 1))
        let sent = TestDelegate(), queued = TestDelegate()
        try await pool.start(sent, timeouts: timeouts { $0.total = .now() + .milliseconds(200) })
        try await pool.start(queued, timeouts: timeouts { $0.total = .now() + .milliseconds(50) })
        #expect(try await queued.failure() == .timeout(.total))
        #expect(try await sent.failure() == .timeout(.total))
    }

    @Test("a watched deadline ends the request with its name", arguments: [UpstreamTimer.firstContent, .response])
    func watched(_ timer: UpstreamTimer) async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        let call = try await pool.start(delegate)
        try await pool.on { call.watch(timer, for: .milliseconds(100)) }
        #expect(try await delegate.failure() == .timeout(timer))
    }

    @Test("idle restarts at every read, and a disarmed deadline does not end the request")
    func idle() throws {
        let channel = EmbeddedChannel()
        let loop = channel.embeddedEventLoop
        let pool = UpstreamPool(
            endpoint: UpstreamEndpoint(host: "127.0.0.1", port: 1, isTLS: false), eventLoop: loop, settings: UpstreamPoolSettings(),
            tls: nil)
        let connection = UpstreamConnection(eventLoop: loop, isSecure: false)
        try channel.pipeline.syncOperations.addHandler(connection)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        let delegate = TestDelegate()
        let message = UpstreamMessage(UpstreamRequestHead(method: "GET", target: "/", authority: "upstream", fields: []), body: [])
        let call = UpstreamCall(message: message, timeouts: .test, pool: pool, delegate: delegate)
        connection.start(call)
        call.watch(.response, for: .milliseconds(30))
        call.watch(.response, for: nil)
        call.watch(.idle, for: .milliseconds(400))
        for text in ["HTTP/1.1 200 OK\r\n\r\n", "x", "x", "x", "x"] {
            loop.advanceTime(by: .milliseconds(399))
            try channel.writeInbound(ByteBuffer(string: text))
        }
        loop.advanceTime(by: .milliseconds(399))
        #expect(delegate.body == "xxxx" && !delegate.events.elements.contains { $0.isFailure })
        loop.advanceTime(by: .milliseconds(1))
        #expect(delegate.events.elements.last == .failed(.timeout(.idle)))
        _ = try? channel.finish()
    }
}
