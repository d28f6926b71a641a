import HTTPWire
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A scripted upstream on the loopback: the test gets each connection that it accepts.
final class TestUpstream: Sendable {
    let connections = Mailbox<Peer>()
    private let channel: any Channel

    var endpoint: UpstreamEndpoint { UpstreamEndpoint(host: "127.0.0.1", port: channel.localAddress?.port ?? 0, isTLS: false) }

    /// `reads`: whether it takes anything, from the start.
    init(tls: NIOSSLContext? = nil, reads: Bool = true) async throws {
        let connections = connections
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_rcvbuf), value: 128 * 1024)
            .childChannelOption(.autoRead, value: reads)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let peer = Peer()
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(peer)
                    connections.append(peer)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// The connection accepted as number `index`, from 0.
    func connection(_ index: Int) async throws -> Peer { try await connections.wait { $0.count > index }[index] }

    /// Waits until `count` requests with an empty body have come in on `connection`.
    @discardableResult
    func request(_ connection: Int = 0, count: Int = 1) async throws -> Peer {
        let peer = try await self.connection(connection)
        try await peer.events.wait { events in
            let text = events.map { if case .bytes(let text) = $0 { text } else { "" } }.joined()
            return text.components(separatedBy: "\r\n\r\n") - 1 >= count
        }
        return peer
    }

    func close() async { try? await channel.close() }
}

extension String {
    /// How many parts `separator` makes.
    fileprivate func components(separatedBy separator: String) -> Int {
        var count = 1
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}

/// What a call's owner was told.
final class TestDelegate: UpstreamDelegate, @unchecked Sendable {  // the flag is touched on the event loop alone
    enum Event: Sendable, Equatable {
        case sent, head(Int), body(String), readComplete, end, failed(UpstreamFailure)
    }

    let events = Mailbox<Event>()
    private var mayRead = true
    private let onEnd: () -> Void

    init(onEnd: @escaping () -> Void = {}) { self.onEnd = onEnd }

    func upstreamRequestSent(_ call: UpstreamCall) { events.append(.sent) }
    func upstream(_ call: UpstreamCall, head: UpstreamResponseHead) { events.append(.head(head.status)) }
    func upstream(_ call: UpstreamCall, body: ByteBuffer) { events.append(.body(String(buffer: body))) }
    func upstreamReadComplete(_ call: UpstreamCall) { events.append(.readComplete) }
    func upstreamEnd(_ call: UpstreamCall) {
        events.append(.end)
        onEnd()
    }
    func upstream(_ call: UpstreamCall, failed: UpstreamFailure) { events.append(.failed(failed)) }
    var upstreamMayRead: Bool { mayRead }

    func setMayRead(_ mayRead: Bool) { self.mayRead = mayRead }

    var body: String { Self.body(events.elements) }

    static func body(_ events: [Event]) -> String { events.map { if case .body(let text) = $0 { text } else { "" } }.joined() }

    /// The body, once the response is complete.
    @discardableResult
    func completeBody() async throws -> String {
        let events = try await events.wait { $0.contains { $0 == .end || $0.isFailure } }
        if case .failed(let failure)? = events.last { throw failure }
        return Self.body(events)
    }

    /// The failure, once there is one.
    func failure() async throws -> UpstreamFailure? {
        guard case .failed(let failure)? = try await events.wait(until: { $0.contains { $0 == .end || $0.isFailure } }).last else {
            return nil
        }
        return failure
    }
}

extension TestDelegate.Event {
    var isFailure: Bool { if case .failed = self { true } else { false } }
}

/// A pool on one loop, used from a test.
struct TestPool: Sendable {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let pool: UpstreamPool

    init(_ endpoint: UpstreamEndpoint, settings: UpstreamPoolSettings = UpstreamPoolSettings(), tls: TLSContextProvider? = nil) {
        pool = UpstreamPool(endpoint: endpoint, eventLoop: loop, settings: settings, tls: tls)
    }

    @discardableResult
    func start(
        _ delegate: TestDelegate, method: String = "GET", body: [ByteBuffer] = [], timeouts: UpstreamTimeouts = .test
    ) async throws -> UpstreamCall {
        let message = UpstreamMessage(UpstreamRequestHead(method: method, target: "/", authority: "upstream", fields: []), body: body)
        return try await on { pool.start(message, timeouts: timeouts, delegate: delegate) }
    }

    func on<R: Sendable>(_ body: @escaping @Sendable () -> R) async throws -> R { try await loop.submit(body).get() }

    func counts() async throws -> [Int] { try await on { [pool.idleCount, pool.busyCount, pool.queuedCount] } }

    /// Waits until (idle, busy, queued) are so.
    func settle(_ idle: Int, _ busy: Int, _ queued: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while try await counts() != [idle, busy, queued] {
            guard ContinuousClock.now < deadline else { throw Mailbox<[Int]>.TimedOut(seen: "\(try await counts())") }
            await Task.yield()
        }
    }

    func shutdown() async throws { try await on { pool.shutdown() } }
}

extension UpstreamTimeouts {
    static var test: UpstreamTimeouts {
        UpstreamTimeouts(
            queue: .seconds(20), connect: .seconds(20), write: .seconds(20), firstByte: .seconds(20), total: .now() + .seconds(60))
    }
}
