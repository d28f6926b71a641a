import Glibc
import NIOCore
import Testing

@testable import HTTPWire

/// Accepting connections while file descriptors are scarce.
struct AcceptPauseTests {
    private let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test("a failed accept stops the listener until a connection closes, and warns once", arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
    func pauses(_ code: CInt) async throws {
        let warnings = Mailbox<Int>()
        let server = Server(TestHandler(), descriptors: DescriptorLimit(limit: 100_000)) { warnings.append($0) }
        let listener = try await server.bind(.tcp(host: "127.0.0.1", port: 0))
        let peer = try await Peer.connect(to: listener.address)
        try await peer.send(get)
        try await peer.receive(endingWith: "ok /a")
        func isAccepting() async throws -> Bool { try await listener.channel.getOption(.autoRead).get() }
        for _ in 0..<3 { listener.channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept")) }
        #expect(try await !isAccepting())
        #expect(warnings.elements == [100_000])
        try await peer.close()
        let next = try await Peer.connect(to: listener.address)
        try await next.send(get)
        try await next.receive(endingWith: "ok /a")
        #expect(try await isAccepting())
        try await next.close()
        await server.close(listener)
    }

    @Test("while no descriptor below the mark is free, the listener stays closed, and a connection that took one of the last is dropped")
    func reserves() async throws {
        let warnings = Mailbox<Int>()
        let server = Server(TestHandler(), descriptors: DescriptorLimit(limit: 1)) { warnings.append($0) }
        let listener = try await server.bind(.tcp(host: "127.0.0.1", port: 0))
        let peer = try await Peer.connect(to: listener.address)
        try await peer.events.wait(for: .closed)
        #expect(try await !listener.channel.getOption(.autoRead).get())
        #expect(warnings.elements == [1])
        await server.close(listener)
    }

    @Test("connections that find no descriptor below the mark wait, and none of them is reset")
    func waits() async throws {
        let lowest = dup(0)
        close(lowest)
        let warnings = Mailbox<Int>()
        let server = Server(TestHandler(), descriptors: DescriptorLimit(limit: (Int(lowest) + 16) * 8 / 7)) { warnings.append($0) }
        let listener = try await server.bind(.tcp(host: "127.0.0.1", port: 0))
        var peers: [Peer] = []
        for _ in 0..<20 { peers.append(try await Peer.connect(to: listener.address)) }
        for peer in peers { try await peer.send(get) }
        _ = try await warnings.wait { !$0.isEmpty }
        for peer in peers {
            try await peer.receive(endingWith: "ok /a")
            try await peer.close()
        }
        await server.close(listener)
    }

    @Test("the descriptors for upstreams are used by no further client, and those for files by none")
    func marks() {
        let pause = AcceptPause(DescriptorLimit(limit: 1024), warn: { _ in })
        #expect(pause.accepts(959) && pause.accepts(960) && pause.accepts(1007) && !pause.accepts(1008))
    }

    @Test(
        "an eighth of the descriptors is kept for upstreams, and a sixteenth for files",
        arguments: [
            (40, 35, 38), (64, 56, 60), (1024, 960, 1008), (1_000_000, 999_936, 999_984),
        ])
    func limits(_ limit: Int, _ forUpstreams: Int, _ forFiles: Int) {
        let descriptors = DescriptorLimit(limit: limit)
        #expect(descriptors.firstForUpstreams == forUpstreams && descriptors.firstForFiles == forFiles)
    }
}
