import NIOCore
import NIOPosix
import NIOSSL

@testable import HTTPWire

/// A scripted upstream on the loopback interface; the test gets each accepted connection.
final class TestUpstream: Sendable {
    let connections = Mailbox<Peer>()
    private let channel: any Channel

    var endpoint: UpstreamEndpoint { UpstreamEndpoint(host: "127.0.0.1", port: channel.localAddress?.port ?? 0, isTLS: false) }

    /// - Parameter reads: whether accepted connections read at all.
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

    /// Waits for the accepted connection with this index.
    func connection(_ index: Int) async throws -> Peer { try await connections.wait { $0.count > index }[index] }

    /// Waits until `count` requests with an empty body have arrived on `connection`.
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
    /// The number of parts that `separator` makes.
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

/// A delegate that records its events.
final class TestDelegate: UpstreamDelegate, @unchecked Sendable {  // `mayRead` is used only on the event loop
    enum Event: Sendable, Equatable {
        case closedKept, sent, head(Int), body(String), readComplete, end, failed(UpstreamFailure)
    }

    let events = Mailbox<Event>()
    private var mayRead = true
    private let mayReplay: Bool
    private let onEnd: () -> Void

    init(mayReplay: Bool = true, onEnd: @escaping () -> Void = {}) {
        self.mayReplay = mayReplay
        self.onEnd = onEnd
    }

    func upstreamMayReplay(_ call: UpstreamCall) -> Bool {
        events.append(.closedKept)
        return mayReplay
    }

    func upstreamRequestSent(_ call: UpstreamCall) { events.append(.sent) }
    func upstream(_ call: UpstreamCall, head: UpstreamResponseHead) { events.append(.head(head.status)) }
    func upstream(_ call: UpstreamCall, body: ByteBuffer) { events.append(.body(String(buffer: body))) }
    func upstreamReadComplete(_ call: UpstreamCall) { events.append(.readComplete) }
    func upstreamEnd(_ call: UpstreamCall) {
        events.append(.end)
        onEnd()
    }
    func upstream(_ call: UpstreamCall, failed: UpstreamFailure) { events.append(.failed(failed)) }
    var isReadyForUpstreamBody: Bool { mayRead }

    func setMayRead(_ mayRead: Bool) { self.mayRead = mayRead }

    var body: String { Self.body(events.elements) }

    static func body(_ events: [Event]) -> String { events.map { if case .body(let text) = $0 { text } else { "" } }.joined() }

    /// The body, once the response is complete. Throws the call's failure.
    @discardableResult
    func completeBody() async throws -> String {
        let events = try await events.wait { $0.contains { $0 == .end || $0.isFailure } }
        if case .failed(let failure)? = events.last { throw failure }
        return Self.body(events)
    }

    /// The call's failure; nil if the response completes.
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

/// A pool on one event loop, for use from a test.
struct TestPool: Sendable {
    let loop: any EventLoop
    let pool: UpstreamPool

    init(
        _ endpoint: UpstreamEndpoint, settings: UpstreamPoolSettings = UpstreamPoolSettings(), tls: TLSContextProvider? = nil,
        on loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any()
    ) {
        self.loop = loop
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

    /// Waits until the pool has these counts.
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
