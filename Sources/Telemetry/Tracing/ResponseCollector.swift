import HTTPWire
import NIOCore
import ProviderKit

/// Collects the response to one export. It is confined to the pool's event loop.
final class ResponseCollector: UpstreamDelegate {
    struct Response {
        var status = 0
        /// nil if the response names no wait.
        var retryAfter: Duration?
        /// Empty if it is longer than the limit.
        var body: [UInt8] = []
    }

    private let maxBytes: Int
    private let completion: (Result<Response, UpstreamFailure>) -> Void
    private var response = Response()
    private var isTooLong = false

    /// - Parameter completion: called once.
    init(maxBytes: Int, completion: @escaping (Result<Response, UpstreamFailure>) -> Void) {
        (self.maxBytes, self.completion) = (maxBytes, completion)
    }

    let isReadyForUpstreamBody = true

    // A collector knows the spans by their ids, so it doesn't matter whether it gets them twice.
    func upstreamMayReplay(_ call: UpstreamCall) -> Bool { true }
    func upstreamRequestSent(_ call: UpstreamCall) {}

    func upstream(_ call: UpstreamCall, head: UpstreamResponseHead) {
        response.status = head.status
        let fields = ["retry-after", "date"].compactMap { name in head.fields.value(name).map { HTTPField(name, $0) } }
        response.retryAfter = RetryAfter.wait(UpstreamHead(status: head.status, fields: fields, receivedAt: Double(Timestamp.seconds())))
    }

    func upstream(_ call: UpstreamCall, body: ByteBuffer) {
        if response.body.count + body.readableBytes > maxBytes { isTooLong = true }
        response.body = isTooLong ? [] : response.body + body.readableBytesView
    }

    func upstreamReadComplete(_ call: UpstreamCall) {}
    func upstreamEnd(_ call: UpstreamCall) { completion(.success(response)) }
    func upstream(_ call: UpstreamCall, failed failure: UpstreamFailure) { completion(.failure(failure)) }
}
