import HTTPWire
import NIOCore

/// Sends one request to a router, and collects the response.
enum SingleRequest {
    struct Response: Sendable {
        fileprivate(set) var status = 0
        fileprivate(set) var body: [UInt8] = []
    }

    /// Throws an `UpstreamFailure` if there is no response.
    ///
    /// - Parameter tls: for an endpoint with TLS; nil for one without.
    static func send(
        _ head: UpstreamRequestHead, body: [UInt8] = [], to endpoint: UpstreamEndpoint, tls: TLSContextProvider? = nil,
        timeouts: UpstreamTimeouts, on eventLoop: any EventLoop
    ) async throws -> Response {
        let received = eventLoop.makePromise(of: Response.self)
        eventLoop.execute {
            let pool = UpstreamPool(endpoint: endpoint, eventLoop: eventLoop, settings: UpstreamPoolSettings(), tls: tls)
            received.futureResult.whenComplete { _ in pool.shutdown() }
            _ = pool.start(
                UpstreamMessage(head, body: body.isEmpty ? [] : [ByteBuffer(bytes: body)], isResponseBuffered: true), timeouts: timeouts,
                delegate: Collector(received))
        }
        return try await received.futureResult.get()
    }

    private final class Collector: UpstreamDelegate {
        private let promise: EventLoopPromise<Response>
        private var response = Response()

        init(_ promise: EventLoopPromise<Response>) { self.promise = promise }

        let isReadyForUpstreamBody = true

        func upstreamMayReplay(_ call: UpstreamCall) -> Bool { false }
        func upstreamRequestSent(_ call: UpstreamCall) {}
        func upstream(_ call: UpstreamCall, head: UpstreamResponseHead) { response.status = head.status }
        func upstream(_ call: UpstreamCall, body: ByteBuffer) { response.body += body.readableBytesView }
        func upstreamReadComplete(_ call: UpstreamCall) {}
        func upstreamEnd(_ call: UpstreamCall) { promise.succeed(response) }

        func upstream(_ call: UpstreamCall, failed failure: UpstreamFailure) {
            // A stream that the router breaks off is a response too, without a result.
            if case .truncated = failure { promise.succeed(response) } else { promise.fail(failure) }
        }
    }
}
