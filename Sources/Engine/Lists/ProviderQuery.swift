import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// One request that is no client's call, such as for a provider's own list of models. It is confined to its event loop.
final class ProviderQuery<Answer: Sendable>: UpstreamDelegate {
    /// Reads the body of a response with a success status.
    typealias Reader = (_ body: RawSpan) throws(ProviderError) -> Answer

    /// A longer response is refused.
    private let maxBytes = 32 << 20
    private let provider: any Provider
    private let promise: EventLoopPromise<Answer>
    private let read: Reader
    private var head: UpstreamHead?
    private var body = ByteBuffer()

    private init(_ provider: any Provider, _ promise: EventLoopPromise<Answer>, _ read: @escaping Reader) {
        self.provider = provider
        self.promise = promise
        self.read = read
    }

    /// Sends the request. The future fails with a `ProviderError`.
    static func send(
        _ request: UpstreamRequest, to provider: LoopProvider, timeouts: Timeouts, within limit: Duration, on eventLoop: any EventLoop,
        _ read: @escaping Reader
    ) -> EventLoopFuture<Answer> {
        let promise = eventLoop.makePromise(of: Answer.self)
        let delegate = ProviderQuery(provider.translator, promise, read)
        let upstream = UpstreamTimeouts(
            queue: timeouts.queue, connect: min(timeouts.connect, limit), write: timeouts.write, firstByte: nil,
            total: .now() + TimeAmount(limit))
        do throws(ProviderError) {
            let call = try provider.start(
                request, key: provider.instance.keys?.next(now: .now()) ?? 0, clientBody: RequestBody(ByteBuffer()), isStream: false,
                timeouts: upstream, delegate: delegate)
            if call == nil { throw ProviderError(.unreachable, message: "the provider has no server") }
        } catch {
            delegate.fail(error)
        }
        return promise.futureResult
    }

    let isReadyForUpstreamBody = true

    func upstreamMayReplay(_ call: UpstreamCall) -> Bool { true }
    func upstreamRequestSent(_ call: UpstreamCall) {}

    func upstream(_ call: UpstreamCall, head: UpstreamResponseHead) {
        self.head = UpstreamHead(status: head.status, fields: WireFields(fields: head.fields), receivedAt: nil)
    }

    func upstream(_ call: UpstreamCall, body: ByteBuffer) {
        guard self.body.readableBytes + body.readableBytes <= maxBytes else {
            call.cancel()
            return fail(ProviderError(.upstreamError, message: "the response is larger than \(maxBytes >> 20) MiB"))
        }
        self.body.writeImmutableBuffer(body)
    }

    func upstreamReadComplete(_ call: UpstreamCall) {}

    func upstreamEnd(_ call: UpstreamCall) {
        let body = body
        guard let head else { return fail(ProviderError(.upstreamError, message: "the response has no head")) }
        guard 200..<300 ~= head.status else { return fail(provider.failure(head: head, body: body.readableBytesSpan)) }
        do throws(ProviderError) { promise.succeed(try read(body.readableBytesSpan)) } catch { fail(error) }
    }

    func upstream(_ call: UpstreamCall, failed failure: UpstreamFailure) { fail(failure.classified().0) }

    private func fail(_ error: ProviderError) { promise.fail(error) }
}
