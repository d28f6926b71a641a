import NIOCore
import NIOPosix

@testable import HTTPWire

/// A handler that records its events and responds as the test specifies.
final class TestHandler: ServerHandler {
    enum Event: Sendable, Equatable {
        case accepted(String), handled(String, body: String), refused(Int), left(String), writable(Bool)

        var isHandled: Bool { if case .handled = self { true } else { false } }
    }

    let events = Mailbox<Event>()
    let exchanges = Mailbox<ServerExchange>()
    private let plan: @Sendable (ServerExchange) -> BodyPlan
    private let response: @Sendable (ServerExchange) -> Void

    static func responding(_ response: @escaping @Sendable (ServerExchange) -> Void) -> TestHandler { TestHandler(response: response) }

    init(
        plan: @escaping @Sendable (ServerExchange) -> BodyPlan = { _ in .collect(BodyLimit(maxBytes: 1 << 20)) },
        response: @escaping @Sendable (ServerExchange) -> Void = {
            $0.respond(ResponseHead(status: 200), ByteBuffer(string: "ok \($0.head.path)"))
        }
    ) {
        self.plan = plan
        self.response = response
    }

    func accept(_ exchange: ServerExchange) -> BodyPlan {
        events.append(.accepted(exchange.head.path))
        exchange.observer = Observer(path: exchange.head.path, events: events)
        return plan(exchange)
    }

    func handle(_ exchange: ServerExchange) {
        events.append(.handled(exchange.head.path, body: exchange.spooledBody == nil ? String(buffer: exchange.body) : "in a file"))
        exchanges.append(exchange)
        response(exchange)
    }

    func refuse(
        _ fault: WireFault, head: RequestHead?, exchange: ServerExchange?, remoteHost: String?, eventLoop: any EventLoop
    ) -> (ResponseHead, ByteBuffer) {
        events.append(.refused(fault.status))
        return (ResponseHead(status: fault.status), ByteBuffer(string: "refused"))
    }

    private final class Observer: ClientObserver {
        let path: String
        let events: Mailbox<Event>

        init(path: String, events: Mailbox<Event>) {
            self.path = path
            self.events = events
        }

        func clientLeft() { events.append(.left(path)) }
        func clientWritable(_ isWritable: Bool) { events.append(.writable(isWritable)) }
        func uploadArrived(_ bytes: ByteBuffer) {}
    }
}

extension Server {
    convenience init(
        _ handler: TestHandler, limits: ServerLimits = ServerLimits(), group: MultiThreadedEventLoopGroup = .singleton,
        budget: BufferBudget = BufferBudget(limit: .max), spool: BodySpool = .test,
        descriptors: DescriptorLimit = DescriptorLimit(limit: .max),
        warn: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.init(group: group, handler: handler, settings: limits, budget: budget, spool: spool, AcceptPause(descriptors, warn: warn))
    }
}

extension BodySpool {
    static let test = BodySpool(folder: "/tmp", limit: .max)
}

extension ServerLoop {
    convenience init(_ eventLoop: any EventLoop) {
        self.init(
            eventLoop: eventLoop, limits: ServerLimits(), budget: BufferBudget(limit: .max), spool: .test,
            acceptPause: AcceptPause(DescriptorLimit(limit: .max), warn: { _ in }))
    }
}

/// Runs `body` with a server on a free port of the loopback interface.
func withServer<R>(
    _ handler: TestHandler, limits: ServerLimits = ServerLimits(), group: MultiThreadedEventLoopGroup = .singleton,
    budget: BufferBudget = BufferBudget(limit: .max), spool: BodySpool = .test, descriptors: DescriptorLimit = DescriptorLimit(limit: .max),
    warn: @escaping @Sendable (Int) -> Void = { _ in },
    _ body: (Server, SocketAddress?) async throws -> R
) async throws -> R {
    let server = Server(handler, limits: limits, group: group, budget: budget, spool: spool, descriptors: descriptors, warn: warn)
    let listener = try await server.bind(.tcp(host: "127.0.0.1", port: 0))
    do {
        let result = try await body(server, listener.address)
        await server.close(listener)
        return result
    } catch {
        await server.close(listener)
        throw error
    }
}
