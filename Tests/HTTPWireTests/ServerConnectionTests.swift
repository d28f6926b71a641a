import Dispatch
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import HTTPWire

/// Tests the server with real sockets on the loopback interface.
struct ServerConnectionTests {
    private let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

    private func limits(_ change: (inout ServerLimits) -> Void) -> ServerLimits {
        var limits = ServerLimits()
        change(&limits)
        return limits
    }

    @Test("a connection serves several requests in sequence")
    func keepsAlive() async throws {
        try await withServer(TestHandler()) { server, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(get)
            let first = try await peer.receive(endingWith: "ok /a")
            #expect(
                first.hasPrefix("HTTP/1.1 200 OK\r\ndate: ") && first.contains("\r\ncontent-length: 5\r\n")
                    && !first.contains("connection:"))
            try await peer.send("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na")
            try await peer.send("bc")
            try await peer.receive(endingWith: "ok /b")
            #expect(server.openConnections == 1 && server.openExchanges == 0)
            try await peer.close()
        }
    }

    @Test("closeConnections waits for the work that a handler does after its response")
    func closesConnections() async throws {
        let responded = DispatchSemaphore(value: 0), release = DispatchSemaphore(value: 0)
        let isDone = NIOLockedValueBox(false)
        let handler = TestHandler.responding { exchange in
            exchange.respond(ResponseHead(status: 200), ByteBuffer(string: "ok"))
            responded.signal()
            release.wait()
            isDone.withLockedValue { $0 = true }
        }
        try await withServer(handler) { server, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(get)
            await withCheckedContinuation { done in
                DispatchQueue.global().async {
                    responded.wait()
                    done.resume()
                }
            }
            #expect(server.openExchanges == 0 && !isDone.withLockedValue { $0 })
            async let closed: Void = server.closeConnections()
            release.signal()
            await closed
            #expect(isDone.withLockedValue { $0 })
            #expect(try await peer.receiveAll().hasSuffix("ok"))
        }
    }

    @Test("pipelined requests get responses in order; a malformed one ends the connection, and later bytes are not read")
    func pipelines() async throws {
        let handler = TestHandler.responding { exchange in
            let response = ByteBuffer(string: "ok \(exchange.head.path)")
            guard exchange.head.path == "/2" else { return exchange.respond(ResponseHead(status: 200), response) }
            exchange.begin(ResponseHead(status: 200))
            exchange.write(ByteBuffer(string: "slow"))
            exchange.eventLoop.scheduleTask(in: .milliseconds(20)) { exchange.end() }
        }
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(
                (1...4).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined() + "GET /5 HTTP/1.1\r\nHost : a\r\n\r\n" + get)
            let text = try await peer.receiveAll()
            let order = ["ok /1", "4\r\nslow\r\n0\r\n\r\n", "ok /3", "ok /4", "HTTP/1.1 400"].map { text.firstRange(of: $0)?.lowerBound }
            #expect(!order.contains(nil) && order.compactMap { $0 } == order.compactMap { $0 }.sorted())
            #expect(!text.contains("ok /a"))
        }
    }

    @Test("a response to HEAD has its length and no body")
    func head() async throws {
        try await withServer(TestHandler()) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send("HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let text = try await peer.receiveAll()
            #expect(text.contains("content-length: 5\r\n") && text.contains("connection: close\r\n") && text.hasSuffix("\r\n\r\n"))
        }
    }

    @Test("for an HTTP/1.0 client a stream ends with the connection, and a sized response can keep it")
    func http10() async throws {
        let handler = TestHandler.responding { exchange in
            guard exchange.head.path == "/s" else { return exchange.respond(ResponseHead(status: 200), ByteBuffer(string: "sized")) }
            exchange.begin(ResponseHead(status: 200))
            exchange.write(ByteBuffer(string: "one"))
            exchange.write(ByteBuffer(string: "two"))
            exchange.end()
        }
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(try await peer.receive(endingWith: "sized").contains("connection: keep-alive"))
            try await peer.send("GET /s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let text = try await peer.receiveAll()
            #expect(text.hasSuffix("\r\n\r\nonetwo") && !text.contains("chunked"))
        }
    }

    @Test("each written part, small or large, becomes one chunk")
    func largeParts() async throws {
        let large = String(repeating: "x", count: 100_000)
        let handler = TestHandler.responding { exchange in
            exchange.begin(ResponseHead(status: 200))
            exchange.write(ByteBuffer(string: "a"))
            exchange.write(ByteBuffer(string: large))
            exchange.write(ByteBuffer(string: "b"))
            exchange.end()
        }
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(get)
            let text = try await peer.receive(endingWith: "0\r\n\r\n")
            #expect(text.hasSuffix("\r\n\r\n1\r\na\r\n186a0\r\n\(large)\r\n1\r\nb\r\n0\r\n\r\n"))
        }
    }

    @Test("100 Continue is sent only if the handler wants the body")
    func expectContinue() async throws {
        let handler = TestHandler(plan: { exchange in
            guard exchange.head.path != "/no" else {
                exchange.respond(ResponseHead(status: 401), ByteBuffer(string: "no"))
                return .responded
            }
            return .collect(BodyLimit(maxBytes: 10))
        })
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send("POST /yes HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            try await peer.receive(endingWith: "HTTP/1.1 100 Continue\r\n\r\n")
            try await peer.send("ab")
            try await peer.receive(endingWith: "ok /yes")
            try await peer.send("POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            let text = try await peer.receiveAll()
            #expect(text.components(of: "100 Continue") == 1 && text.contains("401 Unauthorized") && text.contains("connection: close"))
        }
    }

    @Test("a body that is too large is refused by its length, or by the first chunk that exceeds the limit")
    func tooLarge() async throws {
        let handler = TestHandler(plan: { _ in .collect(BodyLimit(maxBytes: 8)) })
        try await withServer(handler, limits: limits { $0.discardTime = .milliseconds(100) }) { _, address in
            for body in [
                "Content-Length: 9\r\nExpect: 100-continue\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n4\r\nfghi\r\n",
            ] {
                let peer = try await Peer.connect(to: address)
                try await peer.send("POST /x HTTP/1.1\r\nHost: a\r\n\(body)")
                let text = try await peer.receiveAll()
                #expect(text.hasPrefix("HTTP/1.1 413 ") && text.contains("connection: close") && !text.contains("100 Continue"))
            }
            #expect(!handler.events.elements.contains { if case .handled = $0 { true } else { false } })
        }
    }

    @Test("a small unread body is dropped and the connection kept; a large or chunked one closes the connection")
    func unreadBodies() async throws {
        let handler = TestHandler(plan: { exchange in
            exchange.respond(ResponseHead(status: 401), ByteBuffer(string: "no"))
            return .responded
        })
        try await withServer(handler, limits: limits { $0.discardTime = .milliseconds(100) }) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n")
            try await peer.receive(endingWith: "no")
            try await peer.send("GET /smuggled HTTP/1.1\r\nHost: GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            try await peer.receiveAll()
            #expect(
                handler.events.elements.filter { if case .accepted = $0 { true } else { false } } == [.accepted("/1"), .accepted("/2")])
            for framing in ["Content-Length: 70000", "Transfer-Encoding: chunked"] {
                let peer = try await Peer.connect(to: address)
                try await peer.send("POST /1 HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
                #expect(try await peer.receiveAll().contains("connection: close"))
            }
        }
    }

    @Test("the response to a refused request arrives even if the client continues to send")
    func lingers() async throws {
        try await withServer(TestHandler()) { server, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send("GET / HTTP/1.1\r\nHost : a\r\n\r\n" + String(repeating: "x", count: 60_000))
            let text = try await peer.receiveAll()
            #expect(text.hasPrefix("HTTP/1.1 400 Bad Request") && text.hasSuffix("refused"))
        }
    }

    @Test("the observer is notified when a client sends a FIN or a reset", arguments: [true, false])
    func clientLeaves(_ sendsFIN: Bool) async throws {
        let handler = TestHandler.responding { _ in }
        try await withServer(handler) { server, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(get)
            try await handler.events.wait(for: .handled("/a", body: ""))
            if sendsFIN { try await peer.closeOutput() } else { try await peer.reset() }
            try await handler.events.wait(for: .left("/a"))
            #expect(handler.exchanges.elements.first?.connection == nil)
        }
    }

    @Test("a request whose client leaves during its body is not handled")
    func leavesInBody() async throws {
        let handler = TestHandler()
        try await withServer(handler) { server, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na")
            try await handler.events.wait(for: .accepted("/a"))
            try await peer.close()
            try await handler.events.wait(for: .left("/a"))
            #expect(!handler.events.elements.contains { if case .handled = $0 { true } else { false } })
        }
    }

    @Test("an aborted stream ends without its last chunk")
    func aborts() async throws {
        let handler = TestHandler.responding { exchange in
            exchange.begin(ResponseHead(status: 200))
            exchange.write(ByteBuffer(string: "abc"))
            exchange.flush()
        }
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(get)
            try await peer.receive(endingWith: "3\r\nabc\r\n")
            let exchange = try await handler.exchanges.wait { !$0.isEmpty }[0]
            exchange.eventLoop.execute { exchange.abort() }
            #expect(try await peer.receiveAll().hasSuffix("3\r\nabc\r\n"))
            #expect(!handler.events.elements.contains(.left("/a")))
        }
    }

    @Test("a head that does not arrive in time is a 408; a connection without a request is closed silently")
    func headTimeout() async throws {
        try await withServer(TestHandler(), limits: limits { $0.headTimeout = .seconds(1) }) { _, address in
            let silent = try await Peer.connect(to: address)
            #expect(try await silent.receiveAll() == "")
            let slow = try await Peer.connect(to: address)
            try await slow.send("GET / HT")
            #expect(try await slow.receiveAll().hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test("a body that pauses or is slower than the minimum rate is a 408")
    func bodyTimeout() async throws {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\na"
        try await withServer(TestHandler(), limits: limits { $0.bodyTimeout = .milliseconds(50) }) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(head)
            #expect(try await peer.receiveAll().hasPrefix("HTTP/1.1 408 "))
        }
        try await withServer(TestHandler(), limits: limits { $0.minBodyRateGrace = .milliseconds(50) }) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(head)
            #expect(try await peer.receiveAll().hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test("an idle connection is closed silently after the idle time")
    func idle() async throws {
        try await withServer(TestHandler(), limits: limits { $0.keepAliveIdle = .milliseconds(50) }) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(get)
            #expect(try await peer.receiveAll().hasSuffix("ok /a"))
        }
    }

    @Test("a client that takes no bytes is cut off, and the observer is notified")
    func writeStall() async throws {
        let handler = TestHandler.responding { exchange in
            exchange.begin(ResponseHead(status: 200))
            exchange.write(ByteBuffer(repeating: 0, count: 4 << 20))
            exchange.flush()
        }
        try await withServer(handler, limits: limits { $0.writeStall = .milliseconds(200) }) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.setReading(false)
            try await peer.send(get)
            try await handler.events.wait(for: .left("/a"))
            #expect(handler.events.elements.contains(.writable(false)))
        }
    }

    @Test("a client that takes no bytes of a non-streamed response is cut off long before the idle time ends")
    func bufferedWriteStall() async throws {
        let handler = TestHandler.responding {
            $0.respond(ResponseHead(status: 200), ByteBuffer(repeating: UInt8(ascii: "a"), count: 4 << 20))
        }
        try await withServer(handler, limits: limits { $0.writeStall = .milliseconds(200) }) { server, address in
            let peer = try await Peer.connect(to: address)
            try await peer.setReading(false)
            try await peer.send(get)
            let exchange = try await handler.exchanges.wait { !$0.isEmpty }[0]
            let deadline = NIODeadline.now() + .seconds(10)
            while server.openConnections > 0, NIODeadline.now() < deadline {
                try await exchange.eventLoop.scheduleTask(in: .milliseconds(10)) {}.futureResult.get()
            }
            #expect(server.openConnections == 0)
        }
    }

    @Test("a connection is idle once its large response was taken, and is closed after the idle time")
    func idleAfterLargeResponse() async throws {
        let handler = TestHandler.responding {
            $0.respond(ResponseHead(status: 200), ByteBuffer(string: String(repeating: "a", count: 4 << 20) + "!"))
        }
        let limits = limits {
            $0.writeStall = .seconds(1)
            $0.keepAliveIdle = .milliseconds(50)
        }
        try await withServer(handler, limits: limits) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(get)
            #expect(try await peer.receiveAll().hasSuffix("a!"))
        }
    }

    @Test("pipelined requests beyond the limit wait in the socket and are served later")
    func holdsPipelined() async throws {
        let handler = TestHandler.responding { exchange in
            if exchange.head.path != "/a" { exchange.respond(ResponseHead(status: 200), ByteBuffer(string: "ok \(exchange.head.path)")) }
        }
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            let fill = String(repeating: "x", count: 100)
            try await peer.send(get + (0..<1500).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\nX-Fill: \(fill)\r\n\r\n" }.joined())
            let exchange = try await handler.exchanges.wait { !$0.isEmpty }[0]
            exchange.eventLoop.execute { exchange.respond(ResponseHead(status: 200), ByteBuffer(string: "first")) }
            try await peer.receive(endingWith: "ok /1499")
            let text = peer.text
            #expect(text.firstRange(of: "first")?.lowerBound ?? text.endIndex < text.firstRange(of: "ok /0")?.lowerBound ?? text.startIndex)
        }
    }

    @Test("pipelined requests wait while the client takes no responses, and all are served in the end")
    func responsesWait() async throws {
        let wasWritable = Mailbox<Bool>()
        let body = String(repeating: "a", count: 8 << 10)
        let handler = TestHandler.responding { exchange in
            wasWritable.append(exchange.connection?.machine.isWritable ?? false)
            exchange.respond(ResponseHead(status: 200), ByteBuffer(string: "\(body) \(exchange.head.path)"))
        }
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.setReading(false)
            async let sending: Void = peer.send(
                (0..<1500).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\nX-Fill: \(String(repeating: "x", count: 100))\r\n\r\n" }.joined())
            try await wasWritable.wait { $0.count >= 10 }
            try await peer.setReading(true)
            try await sending
            try await peer.receive(endingWith: "a /1499")
            #expect(wasWritable.elements.allSatisfy { $0 })
        }
    }

    @Test("a draining server closes idle connections, and busy ones after their response")
    func drains() async throws {
        let handler = TestHandler.responding { exchange in
            if exchange.head.path == "/idle" { exchange.respond(ResponseHead(status: 200), ByteBuffer()) }
        }
        try await withServer(handler) { server, address in
            let idle = try await Peer.connect(to: address), busy = try await Peer.connect(to: address)
            try await idle.send("GET /idle HTTP/1.1\r\nHost: a\r\n\r\n")
            try await idle.receive(endingWith: "\r\n\r\n")
            try await busy.send(get)
            let exchange = try await handler.exchanges.wait { $0.count == 2 }[1]
            await server.startDraining()
            try await idle.receiveAll()
            exchange.eventLoop.execute { exchange.respond(ResponseHead(status: 200), ByteBuffer()) }
            #expect(try await busy.receiveAll().contains("connection: close"))
        }
    }

    @Test("an offer of h2c gets an HTTP/1.1 response, and later requests on the connection are not read")
    func upgrade() async throws {
        let handler = TestHandler()
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(
                "GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n"
                    + "GET /b HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            let text = try await peer.receiveAll()
            #expect(text.contains("ok /a") && text.contains("connection: close") && !text.contains("ok /b"))
        }
    }

    @Test("a stale unix socket is replaced, a live one is not")
    func unixSocket() async throws {
        let path = "/tmp/httpwire-\(UInt64.random(in: 0 ... .max)).sock"
        let server = Server(TestHandler())
        let listener = try await server.bind(.unix(path: path))
        await #expect(throws: (any Error).self) { try await server.bind(.unix(path: path)) }
        let peer = try await Peer.connect(to: SocketAddress(unixDomainSocketPath: path))
        try await peer.send(get)
        try await peer.receive(endingWith: "ok /a")
        try await listener.channel.close()
        let next = try await server.bind(.unix(path: path))
        await server.close(next)
        await #expect(throws: (any Error).self) { try await Peer.connect(to: SocketAddress(unixDomainSocketPath: path)) }
    }
}

extension String {
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
