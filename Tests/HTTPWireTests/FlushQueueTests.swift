import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPWire

struct FlushQueueTests {
    private final class Member: Flushing {
        let name: String
        let log: Log

        init(_ name: String, _ log: Log) {
            self.name = name
            self.log = log
        }

        func flushAtTickEnd() {
            log.names.append(name)
            log.whileFlushing?()
        }
    }

    private final class Log {
        var names: [String] = []
        var whileFlushing: (() -> Void)?
    }

    @Test("members are flushed at the end of the tick in order, and members added by a flush come after them")
    func order() {
        let loop = EmbeddedEventLoop()
        let log = Log()
        let queue = FlushQueue(eventLoop: loop)
        let late = Member("late", log)
        log.whileFlushing = {
            log.whileFlushing = nil
            queue.add(late)
        }
        queue.add(Member("a", log))
        queue.add(Member("b", log))
        #expect(log.names.isEmpty)
        loop.run()
        #expect(log.names == ["a", "b", "late"])
        loop.run()
        #expect(log.names.count == 3)
    }

    @Test(
        "a response written outside a read is flushed at the end of the tick, or at the end of an earlier read",
        arguments: [false, true])
    func respond(_ readEndsFirst: Bool) throws {
        let handler = TestHandler.responding { _ in }
        let channel = EmbeddedChannel()
        let loop = ServerLoop(channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(ServerConnection(loop: loop, handler: handler))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(ByteBuffer(string: "GET / HTTP/1.1\r\nhost: h\r\n\r\n"))
        let exchange = try #require(handler.exchanges.elements.first)

        exchange.respond(ResponseHead(status: 200), ByteBuffer(string: "ok"))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        if readEndsFirst { channel.pipeline.fireChannelReadComplete() } else { channel.embeddedEventLoop.run() }
        let bytes = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(String(buffer: bytes).hasSuffix("\r\n\r\nok"))
        _ = try channel.finish()
    }

    @Test("a response that closes its connection is flushed immediately")
    func lastResponse() throws {
        let handler = TestHandler.responding { _ in }
        let channel = EmbeddedChannel()
        let loop = ServerLoop(channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(ServerConnection(loop: loop, handler: handler))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(ByteBuffer(string: "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"))
        let exchange = try #require(handler.exchanges.elements.first)
        exchange.respond(ResponseHead(status: 200), ByteBuffer(string: "ok"))
        #expect(try channel.readOutbound(as: ByteBuffer.self) != nil)
        _ = try? channel.finish()
    }
}
