import NIOCore
import Testing

@testable import HTTPWire

/// Refusals of requests whose body has not arrived, and the memory of bodies and responses.
struct RefusalTests {
    private static func head(_ length: Int) -> String { "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n" }

    private static let refusing = TestHandler(plan: { exchange in
        exchange.respond(ResponseHead(status: 401), ByteBuffer(string: "no key"))
        return .responded
    })

    @Test("a client that sends its whole body before it reads gets the refusal", arguments: [401, 413])
    func large(_ status: Int) async throws {
        try await withServer(status == 401 ? Self.refusing : TestHandler()) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.setReading(false)
            let body = String(repeating: "x", count: 8 << 20)
            try await peer.send(Self.head(body.utf8.count) + body)
            try await peer.setReading(true)
            #expect(try await peer.receiveAll().hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    @Test("at most four times the largest body is read after a refusal")
    func bounded() async throws {
        var limits = ServerLimits()
        limits.maxBodyBytes = 1 << 20
        try await withServer(Self.refusing, limits: limits) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(Self.head(1 << 40))
            try await peer.receive(endingWith: "no key")
            let part = String(repeating: "x", count: 1 << 20)
            await #expect(throws: (any Error).self) { for _ in 0..<64 { try await peer.send(part) } }
        }
    }

    @Test("a body that would exceed the budget is refused before it is read, and the next one fits again")
    func budget() async throws {
        let budget = BufferBudget(limit: 1 << 20)
        let handler = TestHandler()
        try await withServer(handler, budget: budget) { _, address in
            let body = String(repeating: "x", count: 600_000)
            let first = try await Peer.connect(to: address), second = try await Peer.connect(to: address)
            try await first.send(Self.head(body.utf8.count) + "x")
            try await eventually { budget.usedBytes == 600_000 }
            try await second.send(Self.head(body.utf8.count))
            #expect(try await second.receive(endingWith: "refused").hasPrefix("HTTP/1.1 503 "))
            try await first.send(String(body.dropFirst()))
            try await first.receive(endingWith: "ok /a")
            #expect(budget.usedBytes == 0)
            try await first.send(Self.head(body.utf8.count) + body)
            try await handler.events.wait { $0.count { $0.isHandled } == 2 }
            try await first.close()
        }
    }

    @Test("a chunked body takes its share as it grows, and a client that leaves gives it back")
    func chunked() async throws {
        let budget = BufferBudget(limit: 300_000)
        try await withServer(TestHandler(), budget: budget) { _, address in
            let chunk = "186a0\r\n\(String(repeating: "x", count: 100_000))\r\n"
            let head = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            let first = try await Peer.connect(to: address), second = try await Peer.connect(to: address)
            try await first.send(head + chunk + chunk)
            try await eventually { budget.usedBytes == 200_000 }
            try await second.send(head + chunk + chunk)
            #expect(try await second.receive(endingWith: "refused").hasPrefix("HTTP/1.1 503 "))
            try await first.close()
            try await eventually { budget.usedBytes == 0 }
        }
    }

    @Test("a response that its client does not read counts until it is read, or the client leaves", arguments: [true, false])
    func unread(_ reads: Bool) async throws {
        let budget = BufferBudget(limit: 1 << 20)
        let size = 8 << 20
        let handler = TestHandler.responding { $0.respond(ResponseHead(status: 200), ByteBuffer(repeating: 0x61, count: size)) }
        try await withServer(handler, budget: budget) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.setReading(false)
            try await peer.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { budget.usedBytes == size }
            if reads {
                try await peer.setReading(true)
                try await peer.receive(atLeast: size)
            } else {
                try await peer.close()
            }
            try await eventually { budget.usedBytes == 0 }
            try await peer.close()
        }
    }

    @Test("a large part of a stream that its client does not read counts, however it was written", arguments: [1, 3])
    func unreadStream(_ parts: Int) async throws {
        let budget = BufferBudget(limit: 1 << 20)
        let size = 3 << 20
        let handler = TestHandler.responding { exchange in
            exchange.begin(ResponseHead(status: 200))
            for _ in 0..<parts { exchange.write(ByteBuffer(repeating: 0x61, count: size / parts)) }
            exchange.end()
        }
        try await withServer(handler, budget: budget) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.setReading(false)
            try await peer.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { budget.usedBytes == size }
            try await peer.setReading(true)
            try await peer.receive(endingWith: "\r\n0\r\n\r\n")
            try await eventually { budget.usedBytes == 0 }
            try await peer.close()
        }
    }

    @Test("the rest of a refused body is read for no longer than the discard time")
    func discardTime() async throws {
        var limits = ServerLimits()
        limits.discardTime = .milliseconds(200)
        limits.minBodyRate = 0
        try await withServer(Self.refusing, limits: limits) { server, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(Self.head(1_000_000))
            try await peer.receive(endingWith: "no key")
            // The client sends on; the linger after the discarding is a second, not another discard time with its
            // bytes.
            try await eventually { server.openConnections == 0 }
        }
    }

    @Test("a body is read only when the handler wants it, and its client may leave before", arguments: [true, false])
    func waits(_ stays: Bool) async throws {
        let exchanges = Mailbox<ServerExchange>()
        let handler = TestHandler(plan: { exchange in
            exchanges.append(exchange)
            return .wait
        })
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            let exchange = try #require(try await exchanges.wait { !$0.isEmpty }.first)
            #expect(peer.text.isEmpty)
            guard stays else {
                try await peer.close()
                return try await handler.events.wait(for: .left("/a"))
            }
            try await exchange.eventLoop.submit { exchange.collectBody(BodyLimit(maxBytes: 3)) }.get()
            try await peer.receive(endingWith: "HTTP/1.1 100 Continue\r\n\r\n")
            try await peer.send("abc")
            try await peer.receive(endingWith: "ok /a")
            #expect(handler.events.elements.contains(.handled("/a", body: "abc")))
            try await peer.close()
        }
    }

    @Test("a request that is incomplete when the server stops gets a 503", arguments: [true, false])
    func stops(_ isReading: Bool) async throws {
        let handler = TestHandler(plan: { _ in isReading ? .collect(BodyLimit(maxBytes: 10)) : .wait })
        try await withServer(handler) { server, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(Self.head(3))
            try await handler.events.wait(for: .accepted("/a"))
            await server.refuseIncompleteRequests(WireFault(503, "stopping", code: "shutting_down"))
            #expect(try await peer.receive(endingWith: "refused").hasPrefix("HTTP/1.1 503 "))
        }
    }

    @Test("a body that takes longer than bodyTotal is refused, however it trickles")
    func total() async throws {
        var limits = ServerLimits()
        limits.minBodyRate = 0
        limits.bodyTotal = .milliseconds(100)
        try await withServer(TestHandler(), limits: limits) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(Self.head(1000))
            #expect(try await peer.receiveAll().hasPrefix("HTTP/1.1 408 "))
        }
    }
}
