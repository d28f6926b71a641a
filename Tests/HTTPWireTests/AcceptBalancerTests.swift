import NIOCore
import NIOPosix
import Testing

@testable import HTTPWire

struct AcceptBalancerTests {
    private let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test("a connection goes to the loop with the fewest connections, and ties are broken at random")
    func spreads() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 3)
        let handler = TestHandler()
        try await withServer(handler, group: group) { server, address in
            var peers: [Peer] = []
            func connect() async throws -> Int {
                let peer = try await Peer.connect(to: address)
                peers.append(peer)
                try await peer.send(get)
                try await peer.receive(endingWith: "ok /a")
                let loop = try #require(handler.exchanges.elements.last).eventLoop
                return try #require(Array(group.makeIterator()).firstIndex { $0 === loop })
            }
            var rounds: [[Int]] = []
            for _ in 0..<20 { rounds.append([try await connect(), try await connect(), try await connect()]) }
            #expect(rounds.allSatisfy { $0.sorted() == [0, 1, 2] })
            #expect(Set(rounds).count > 1)

            // A loop that loses its connections gets the next ones.
            let lost = rounds.joined().enumerated().filter { $0.element == 1 }.map { peers[$0.offset] }
            for peer in lost { try await peer.close() }
            let deadline = NIODeadline.now() + .seconds(20)
            while server.openConnections > 40, NIODeadline.now() < deadline { await Task.yield() }
            #expect(server.openConnections == 40)
            _ = try await connect()  // its loop was chosen before the connections closed
            for _ in 0..<19 { #expect(try await connect() == 1) }
            for peer in peers { try? await peer.close() }
        }
        try await group.shutdownGracefully()
    }

    @Test("a connection goes to the loop with the fewest running exchanges, even if it has more idle connections")
    func spreadsWork() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let handler = TestHandler.responding { exchange in
            if exchange.head.path == "/a" { exchange.respond(ResponseHead(status: 200), ByteBuffer(string: "ok /a")) }
        }
        try await withServer(handler, group: group) { server, address in
            var peers: [(peer: Peer, loop: ObjectIdentifier)] = []
            func connect(_ request: String) async throws {
                let peer = try await Peer.connect(to: address)
                let known = handler.exchanges.elements.count
                try await peer.send(request)
                let exchange = try #require(try await handler.exchanges.wait { $0.count > known }.last)
                peers.append((peer, ObjectIdentifier(exchange.eventLoop)))
            }
            for _ in 0..<20 { try await connect(get) }
            let emptied = peers[0].loop
            for (peer, loop) in peers where loop == emptied { try await peer.close() }
            let deadline = NIODeadline.now() + .seconds(20)
            while server.openConnections > 10, NIODeadline.now() < deadline { await Task.yield() }
            let idle = peers.filter { $0.loop != emptied }.map(\.peer)
            peers = []
            for _ in 0..<8 { try await connect("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n") }
            #expect((3...5).contains(peers.count { $0.loop == emptied }))
            for peer in idle + peers.map(\.peer) { try? await peer.close() }
        }
        try await group.shutdownGracefully()
    }
}
