import Glibc
import NIOCore
import Testing

@testable import HTTPWire

/// Bodies that go into a file, and requests that are sent from it.
@Suite("uploads")
struct UploadTests {
    private static func head(_ length: Int) -> String { "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n" }
    private static let chunkedHead = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static let body = String(decoding: (0..<(3 << 20)).map { UInt8(0x61 + $0 % 23) }, as: UTF8.self)

    /// A handler that takes uploads, and responds when a test says so.
    private static func handler() -> TestHandler {
        TestHandler(plan: { _ in .collect(BodyLimit(maxBytes: 1 << 30, isUpload: true)) }, response: { _ in })
    }

    private static func respond(_ exchange: ServerExchange) async throws {
        try await exchange.eventLoop.submit { exchange.respond(ResponseHead(status: 200), ByteBuffer(string: "done")) }.get()
    }

    @Test("a large upload is in a file without a name that only its owner can read, until the request is over", arguments: [true, false])
    func file(_ isChunked: Bool) async throws {
        let handler = Self.handler(), folder = "/tmp/uploads-\(getpid())-\(isChunked)"
        mkdir(folder, 0o700)
        defer { rmdir(folder) }
        let spool = BodySpool(folder: folder, limit: .max)
        try await withServer(handler, spool: spool) { _, address in
            let peer = try await Peer.connect(to: address)
            let size = String(Self.body.utf8.count, radix: 16)
            try await peer.send(
                isChunked ? "\(Self.chunkedHead)\(size)\r\n\(Self.body)\r\n0\r\n\r\n" : Self.head(Self.body.utf8.count) + Self.body)
            let exchange = try await handler.exchanges.wait { !$0.isEmpty }[0]
            #expect(exchange.body.readableBytes == 0 && exchange.requestBody.count == Self.body.utf8.count)
            let file = try #require(exchange.spooledBody)
            #expect(try file.read(1_000_000..<1_000_100) == ByteBuffer(substring: Self.body.dropFirst(1_000_000).prefix(100)))
            #expect(try String(buffer: file.read(0..<file.count)) == Self.body)
            #expect(file.mode == 0o100600 && file.links == 0 && spool.usedBytes == Self.body.utf8.count)
            try await Self.respond(exchange)
            try await peer.receive(endingWith: "done")
            try await peer.close()
        }
    }

    @Test("an upload of at most 1 MiB stays in memory")
    func memory() async throws {
        let handler = Self.handler(), spool = BodySpool(folder: "/nowhere", limit: 0)
        try await withServer(handler, spool: spool) { _, address in
            let peer = try await Peer.connect(to: address), body = String(repeating: "x", count: 1 << 20)
            try await peer.send(Self.head(body.utf8.count) + body)
            let exchange = try await handler.exchanges.wait { !$0.isEmpty }[0]
            #expect(exchange.spooledBody == nil && String(buffer: exchange.body) == body)
            try await peer.close()
        }
    }

    @Test("an upload for which the spool has no room is a 503, at its head or as it grows, and a client that leaves makes room")
    func full() async throws {
        let handler = Self.handler(), spool = BodySpool(folder: "/tmp", limit: 5 << 20)
        try await withServer(handler, spool: spool) { _, address in
            let first = try await Peer.connect(to: address), second = try await Peer.connect(to: address)
            let third = try await Peer.connect(to: address)
            try await first.send(Self.head(4 << 20) + "x")
            try await eventually { spool.usedBytes == 4 << 20 }
            try await second.send(Self.head(2 << 20))
            #expect(try await second.receive(endingWith: "refused").hasPrefix("HTTP/1.1 503 "))
            try await third.send("\(Self.chunkedHead)200000\r\n" + String(repeating: "x", count: 2 << 20))
            #expect(try await third.receive(endingWith: "refused").hasPrefix("HTTP/1.1 503 "))
            try await first.close()
            try await eventually { spool.usedBytes == 0 }
        }
    }

    @Test("an upload that can't be written is a 503")
    func unwritable() async throws {
        try await withServer(Self.handler(), spool: BodySpool(folder: "/nowhere", limit: .max)) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(Self.head(2 << 20) + String(repeating: "x", count: 1 << 20))
            #expect(try await peer.receive(endingWith: "refused").hasPrefix("HTTP/1.1 503 "))
        }
        #expect(throws: IOError.self) { try BodySpool.check(folder: "/nowhere") }
        #expect(throws: Never.self) { try BodySpool.check(folder: "/tmp") }
    }

    @Test("a request is sent from the file as often as it is needed, between bytes of its own")
    func sent() async throws {
        let handler = Self.handler(), upstream = try await TestUpstream()
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send(Self.head(Self.body.utf8.count) + Self.body)
            let exchange = try await handler.exchanges.wait { !$0.isEmpty }[0], all = 0..<Self.body.utf8.count
            let pieces = [.bytes(ByteBuffer(string: "first")), exchange.requestBody[all], .bytes(ByteBuffer(string: "last"))]
            let message = UpstreamMessage(UpstreamRequestHead(method: "POST", target: "/", authority: "u", fields: []), pieces: pieces)
            let pool = TestPool(upstream.endpoint)
            for index in 0..<2 {
                _ = try await pool.on { pool.pool.start(message, timeouts: .test, delegate: TestDelegate()) }
                let text = try await upstream.connection(index).receive(endingWith: "last")
                #expect(text.hasSuffix("\r\ncontent-length: \(Self.body.utf8.count + 9)\r\n\r\nfirst\(Self.body)last"))
            }
            try await peer.close()
        }
        await upstream.close()
    }
}

extension SpooledBody {
    fileprivate var status: stat {
        var status = stat()
        fstat(descriptor.load(ordering: .acquiring), &status)
        return status
    }
    fileprivate var mode: UInt32 { status.st_mode }
    fileprivate var links: Int { Int(status.st_nlink) }
}
