import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import HTTPWire

/// Tests the upstream pool with real sockets on the loopback interface.
struct UpstreamPoolTests {
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    @Test("a connection is reused after a complete response")
    func reuses() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        for round in 1...3 {
            let delegate = TestDelegate()
            try await pool.start(delegate)
            try await upstream.request(count: round).send(ok)
            #expect(try await delegate.completeBody() == "ok")
            #expect(delegate.events.elements.prefix(2) == [.sent, .head(200)])
            try await pool.settle(1, 0, 0)
        }
        #expect(upstream.connections.elements.count == 1)
        try await pool.shutdown()
    }

    static let framings: [(String, String)] = [
        ("Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n3\r\ndef\r\n0\r\nT: u\r\n\r\n", "abcdef"),
        ("Content-Length: 6\r\n\r\nabcdef", "abcdef"), ("Content-Length: 0\r\n\r\n", ""),
    ]

    @Test("each framing is parsed the same, in one part or byte by byte", arguments: framings)
    func frames(_ rest: String, _ body: String) async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let atOnce = TestDelegate(), byteByByte = TestDelegate()
        try await pool.start(atOnce)
        let peer = try await upstream.request()
        try await peer.send("HTTP/1.1 200 OK\r\n" + rest)
        #expect(try await atOnce.completeBody() == body)
        try await pool.settle(1, 0, 0)
        try await pool.start(byteByByte)
        try await upstream.request(count: 2)
        for character in "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n" + rest { try await peer.send(String(character)) }
        #expect(try await byteByByte.completeBody() == body)
        try await pool.settle(1, 0, 0)
        try await pool.shutdown()
    }

    @Test(
        "a connection is not reused after extra bytes, Connection: close or HTTP/1.0",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokX", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        ]
    )
    func notReused(_ response: String) async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        try await pool.start(delegate)
        let peer = try await upstream.request()
        try await peer.send(response)
        #expect(try await delegate.completeBody() == "ok")
        try await peer.events.wait(for: .closed)
        try await pool.settle(0, 0, 0)
    }

    @Test("an idle connection is closed as soon as the upstream sends a byte or closes it", arguments: [true, false])
    func idleEnds(_ bytes: Bool) async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        try await pool.start(delegate)
        let peer = try await upstream.request()
        try await peer.send(ok)
        try await delegate.completeBody()
        try await pool.settle(1, 0, 0)
        if bytes { try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil") } else { try await peer.close() }
        try await pool.settle(0, 0, 0)
    }

    @Test("an idle connection is closed after the idle time")
    func idleExpires() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint, settings: UpstreamPoolSettings(poolIdle: .milliseconds(50)))
        let delegate = TestDelegate()
        try await pool.start(delegate)
        let peer = try await upstream.request()
        try await peer.send(ok)
        try await peer.events.wait(for: .closed)
        try await pool.settle(0, 0, 0)
    }

    @Test("a kept connection that is closed, or has unread bytes, takes no request", arguments: [true, false])
    func peeks(_ bytes: Bool) async throws {
        let upstream = try await TestUpstream()
        // An event loop of its own, because the upstream must go on while this one is blocked.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let pool = TestPool(upstream.endpoint, on: group.next())
        let first = TestDelegate(), second = TestDelegate(mayReplay: false)
        try await pool.start(first)
        let peer = try await upstream.request()
        try await peer.send(ok)
        try await first.completeBody()
        try await pool.settle(1, 0, 0)
        // The pool's event loop is busy until its socket has an unread byte or end, so it can't have noticed either.
        let message = UpstreamMessage(UpstreamRequestHead(method: "GET", target: "/", authority: "upstream", fields: []), body: [])
        let descriptor = try await pool.on { pool.pool.idleDescriptor }
        async let started: UpstreamCall = pool.on {
            var poll = pollfd(fd: descriptor ?? -1, events: Int16(POLLIN), revents: 0)
            Glibc.poll(&poll, 1, 20_000)
            return pool.pool.start(message, timeouts: .test, delegate: second)
        }
        if bytes { try await peer.send("HTTP/1.1 408 Request Timeout\r\n\r\n") } else { try await peer.close() }
        _ = try await started
        try await upstream.request(1).send(ok)
        #expect(try await second.completeBody() == "ok")
        #expect(!second.events.elements.contains(.closedKept))
        try await pool.shutdown()
        try await group.shutdownGracefully()
    }

    @Test("a request that may not be replayed fails with 'reset' if a kept connection closes before the first byte")
    func doesNotReplay() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let first = TestDelegate(), second = TestDelegate(mayReplay: false)
        try await pool.start(first)
        let peer = try await upstream.request()
        try await peer.send(ok)
        try await first.completeBody()
        try await pool.settle(1, 0, 0)
        try await pool.start(second)
        try await upstream.request(count: 2)
        try await peer.close()
        #expect(try await second.failure() == .reset)
        #expect(upstream.connections.elements.count == 1)
        try await pool.settle(0, 0, 0)
    }

    @Test("a kept connection that closes before the first byte is replaced once")
    func replaces() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let first = TestDelegate(), second = TestDelegate()
        try await pool.start(first)
        let peer = try await upstream.request()
        try await peer.send(ok)
        try await first.completeBody()
        try await pool.settle(1, 0, 0)
        try await pool.start(second)
        try await upstream.request(count: 2)
        try await peer.close()
        try await upstream.request(1).send(ok)
        #expect(try await second.completeBody() == "ok")
        #expect(second.events.elements.count { $0 == .sent } == 1)
        #expect(upstream.connections.elements.count == 2)
        try await pool.shutdown()
    }

    @Test("a fresh connection that closes before the first byte is a reset")
    func resets() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        try await pool.start(delegate)
        try await upstream.request().close()
        #expect(try await delegate.failure() == .reset)
        try await pool.settle(0, 0, 0)
    }

    @Test(
        "a response that ends early is truncated",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r",
            "HTTP/1.1 2", "HTTP/1.1 103 x\r\n\r\n",
        ]
    )
    func truncates(_ response: String) async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        try await pool.start(delegate)
        let peer = try await upstream.request()
        try await peer.send(response)
        try await peer.close()
        #expect(try await delegate.failure() == .truncated)
    }

    @Test("a body without framing ends with the connection")
    func untilClose() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        try await pool.start(delegate)
        let peer = try await upstream.request()
        try await peer.send("HTTP/1.1 200 OK\r\n\r\nabc")
        try await peer.close()
        #expect(try await delegate.completeBody() == "abc")
        try await pool.settle(0, 0, 0)
    }

    @Test(
        "an invalid response is malformed, and its connection is closed",
        arguments: [
            "<html>", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx",
            String(repeating: "HTTP/1.1 100 Continue\r\nX: \(String(repeating: "x", count: 1000))\r\n\r\n", count: 20),
        ]
    )
    func malformed(_ response: String) async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        try await pool.start(delegate)
        let peer = try await upstream.request()
        try await peer.send(response)
        guard case .malformed? = try await delegate.failure() else {
            Issue.record("not malformed: \(delegate.events.elements)")
            return
        }
        try await peer.events.wait(for: .closed)
    }

    @Test("requests above the connection limit are queued; above the queue limit they fail immediately")
    func limits() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint, settings: UpstreamPoolSettings(maxConnections: 1, maxQueued: 1))
        let first = TestDelegate(), second = TestDelegate(), third = TestDelegate()
        try await pool.start(first)
        try await pool.start(second)
        try await pool.start(third)
        #expect(try await third.failure() == .queueFull)
        let peer = try await upstream.request()
        try await pool.settle(0, 1, 1)
        try await peer.send(ok)
        try await upstream.request(count: 2).send(ok)
        #expect(try await second.completeBody() == "ok")
        #expect(upstream.connections.elements.count == 1)
        try await pool.shutdown()
    }

    @Test("a cancelled request closes and frees its connection, and its delegate is not called again")
    func cancels() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint, settings: UpstreamPoolSettings(maxConnections: 1))
        let first = TestDelegate(), second = TestDelegate()
        let call = try await pool.start(first)
        try await pool.start(second)
        let peer = try await upstream.request()
        try await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        try await first.events.wait { TestDelegate.body($0) == "a" }
        try await pool.on { call.cancel() }
        let count = first.events.elements.count
        try await peer.events.wait(for: .closed)
        try await upstream.request(1).send(ok)
        #expect(try await second.completeBody() == "ok")
        #expect(first.events.elements.count == count)
        try await pool.shutdown()
    }

    @Test("a request that is cancelled in the queue never reaches the upstream")
    func cancelsQueued() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint, settings: UpstreamPoolSettings(maxConnections: 1))
        let first = TestDelegate(), second = TestDelegate()
        try await pool.start(first)
        let call = try await pool.start(second)
        try await pool.on { call.cancel() }
        try await upstream.request().send(ok)
        try await first.completeBody()
        try await pool.settle(1, 0, 0)
        #expect(second.events.elements.isEmpty)
        try await pool.shutdown()
    }

    @Test("a request that is cancelled before it connects does not occupy a connection", arguments: [true, false])
    func cancelsConnecting(_ isTLS: Bool) async throws {
        let upstream = try await TestUpstream()
        var endpoint = upstream.endpoint
        endpoint.isTLS = isTLS
        let pool = TestPool(endpoint, tls: TLSContextProvider(settings: TLSSettings()))
        let delegate = TestDelegate()
        // Starts and cancels in one tick of the event loop.
        try await pool.on { pool.pool.start(.get, timeouts: .test, delegate: delegate).cancel() }
        try await pool.settle(0, 0, 0)
        #expect(delegate.events.elements.isEmpty)
    }

    @Test("a request that is cancelled during an unanswered connect leaves no socket open")
    func cancelsPending() async throws {
        let silent = try SilentListener()
        let pool = TestPool(UpstreamEndpoint(host: "127.0.0.1", port: silent.port, isTLS: false))
        let delegate = TestDelegate()
        let call = try await pool.start(delegate)
        try await pool.settle(0, 1, 0)
        try await pool.on { call.cancel() }
        // The connect timeout is 20 s.
        let cancelledAt = ContinuousClock.now
        try await pool.settle(0, 0, 0)
        #expect(.now - cancelledAt < .seconds(10))
        #expect(delegate.events.elements.isEmpty)
    }

    @Test("a request that is cancelled when it is sent does not occupy a connection")
    func cancelsAtOnce() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        try await pool.on { _ = pool.pool.start(.get, timeouts: .test, delegate: CancellingDelegate()) }
        try await upstream.connection(0).events.wait(for: .closed)
        try await pool.settle(0, 0, 0)
    }

    @Test("an early response to a large request is delivered, and the connection is not reused")
    func earlyResponse() async throws {
        let upstream = try await TestUpstream(reads: false)
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        try await pool.start(delegate, method: "POST", body: [ByteBuffer(repeating: 0x61, count: 8 << 20)])
        try await upstream.connection(0).send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        #expect(try await delegate.completeBody() == "no")
        try await pool.settle(0, 0, 0)
        #expect(!delegate.events.elements.contains(.sent))
    }

    @Test("a large request arrives completely")
    func largeRequest() async throws {
        let upstream = try await TestUpstream()
        let pool = TestPool(upstream.endpoint)
        let delegate = TestDelegate()
        let parts = [
            ByteBuffer(repeating: 0x61, count: 300_000), ByteBuffer(), ByteBuffer(repeating: 0x62, count: 700_000),
            ByteBuffer(string: "end"),
        ]
        try await pool.start(delegate, method: "POST", body: parts)
        let peer = try await upstream.connection(0)
        let text = try await peer.receive(endingWith: "bend")
        #expect(
            text.hasSuffix(
                "content-length: 1000003\r\n\r\n" + String(repeating: "a", count: 300_000) + String(repeating: "b", count: 700_000) + "end")
        )
        try await peer.send(ok)
        try await delegate.completeBody()
        try await pool.settle(1, 0, 0)
        try await pool.shutdown()
    }

    @Test("a refused connection is reported as unreachable, after start has returned")
    func unreachable() async throws {
        let upstream = try await TestUpstream()
        let endpoint = upstream.endpoint
        await upstream.close()
        let pool = TestPool(endpoint)
        let delegate = TestDelegate()
        let call = try await pool.start(delegate)
        guard case .unreachable(let message)? = try await delegate.failure() else {
            Issue.record("reachable: \(delegate.events.elements)")
            return
        }
        #expect(message.contains("127.0.0.1"))
        #expect(try await pool.on { call.isDone })
        try await pool.settle(0, 0, 0)
    }

    @Test("no request gets the response of another one")
    func nonces() async throws {
        let server = Server(TestHandler.responding { $0.respond(ResponseHead(status: 200), $0.body) })
        let listener = try await server.bind(.tcp(host: "127.0.0.1", port: 0))
        let pool = TestPool(
            UpstreamEndpoint(host: "127.0.0.1", port: listener.address?.port ?? 0, isTLS: false),
            settings: UpstreamPoolSettings(maxConnections: 4, maxQueued: 100))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<20 {
                group.addTask {
                    for round in 0..<20 {
                        let delegate = TestDelegate()
                        let call = try await pool.start(delegate, method: "POST", body: [ByteBuffer(string: "nonce \(worker) \(round)")])
                        if round % 7 == 3 {
                            try await pool.on { call.cancel() }
                        } else {
                            #expect(try await delegate.completeBody() == "nonce \(worker) \(round)")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        try await pool.shutdown()
        await server.close(listener)
    }
}

extension UpstreamMessage {
    fileprivate static var get: UpstreamMessage {
        UpstreamMessage(UpstreamRequestHead(method: "GET", target: "/", authority: "upstream", fields: []), body: [])
    }
}

/// Cancels the call as soon as the request is sent.
private final class CancellingDelegate: UpstreamDelegate {
    func upstreamMayReplay(_ call: UpstreamCall) -> Bool { true }
    func upstreamRequestSent(_ call: UpstreamCall) { call.cancel() }
    func upstream(_ call: UpstreamCall, head: UpstreamResponseHead) {}
    func upstream(_ call: UpstreamCall, body: ByteBuffer) {}
    func upstreamReadComplete(_ call: UpstreamCall) {}
    func upstreamEnd(_ call: UpstreamCall) {}
    func upstream(_ call: UpstreamCall, failed: UpstreamFailure) {}
    var isReadyForUpstreamBody: Bool { true }
}

/// A listening socket with a full accept queue: a connect to it gets no response.
private final class SilentListener {
    let port: Int
    private var sockets: [CInt] = []

    init() throws {
        func address(_ port: UInt16) -> sockaddr_in {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            address.sin_port = port.bigEndian
            return address
        }
        func with<R>(_ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> R) -> R {
            withUnsafeMutablePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body) }
        }
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var bound = address(0)
        var length = size
        guard with(&bound, { bind(listener, $0, size) }) == 0, listen(listener, 0) == 0,
            with(&bound, { getsockname(listener, $0, &length) }) == 0
        else {
            throw IOError(errnoCode: errno, reason: "listen")
        }
        port = Int(UInt16(bigEndian: bound.sin_port))
        sockets.append(listener)
        for _ in 0..<8 {
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            _ = with(&bound) { connect(client, $0, size) }
            sockets.append(client)
        }
    }

    deinit { for socket in sockets { close(socket) } }
}
