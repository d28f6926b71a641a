import NIOCore
import NIOPosix
import Testing

@testable import HTTPWire

struct SocketWriterTests {
    @Test("bytes that the socket does not accept wait in the channel, and no later byte overtakes them")
    func order() async throws {
        let handler = TestHandler.responding { $0.begin(ResponseHead(status: 200)) }
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.setReading(false)
            try await peer.send("GET / HTTP/1.0\r\n\r\n")
            let exchange = try #require(try await handler.exchanges.wait(until: { !$0.isEmpty }).first)
            let written = Mailbox<String>()
            func write(_ count: Int) async throws {
                try await exchange.eventLoop.submit {
                    for _ in 0..<count {
                        let line = "line \(written.elements.count) of the response, with some words that fill it\n"
                        written.append(line)
                        exchange.write(ByteBuffer(string: line))
                        exchange.flush()
                    }
                }.get()
            }

            // Fills the buffers of the socket and the peer, up to the middle of a line.
            while !handler.events.elements.contains(.writable(false)) { try await write(100) }
            try await write(10)
            try await peer.setReading(true)
            try await peer.receive(endingWith: written.elements.last ?? "")
            try await write(10)
            try await exchange.eventLoop.submit { exchange.end() }.get()
            let text = try await peer.receiveAll()
            #expect(text.hasSuffix("\r\n\r\n" + written.elements.joined()))
        }
    }

    @Test("a write detects that the peer has reset the connection, and the observer is notified")
    func reset() async throws {
        let handler = TestHandler.responding { $0.begin(ResponseHead(status: 200)) }
        try await withServer(handler) { _, address in
            let peer = try await Peer.connect(to: address)
            try await peer.send("GET /r HTTP/1.0\r\n\r\n")
            let exchange = try #require(try await handler.exchanges.wait(until: { !$0.isEmpty }).first)
            try await exchange.eventLoop.submit {
                exchange.write(ByteBuffer(string: "a"))
                exchange.flush()
            }.get()
            try await peer.receive(endingWith: "a")
            try await peer.reset()
            try await exchange.eventLoop.submit {
                exchange.write(ByteBuffer(string: "b"))
                exchange.flush()
            }.get()
            try await handler.events.wait(for: .left("/r"))
            #expect(exchange.connection == nil)
        }
    }
}
