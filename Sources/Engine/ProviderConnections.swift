import HTTPWire
import NIOCore
import ProviderKit

/// One provider's connections on one event loop.
final class ProviderConnections {
    let instance: ProviderInstance
    let pool: UpstreamPool
    private let origin: Origin
    /// The head of the last request. Most providers send the same with every request.
    private var last: (method: String, target: String, fields: [HTTPField], head: UpstreamRequestHead)?

    init(_ instance: ProviderInstance, origin: Origin, pool: UpstreamPool) {
        self.instance = instance
        self.origin = origin
        self.pool = pool
    }

    func start(_ request: UpstreamRequest, callerBody: ByteBuffer, timeouts: UpstreamTimeouts, delegate: any UpstreamDelegate) -> UpstreamCall {
        pool.start(message(request, callerBody), timeouts: timeouts, delegate: delegate)
    }

    private func message(_ request: UpstreamRequest, _ callerBody: ByteBuffer) -> UpstreamMessage {
        let head = head(of: request)
        let bodyBytes = request.body.reduce(0) { $0 + $1.count(in: callerBody) }
        guard bodyBytes <= UpstreamMessage.copyLimit else {
            let body = request.body.map { piece in
                switch piece {
                case .bytes(let bytes): ByteBuffer(bytes: bytes)
                case .caller(let range): callerBody.getSlice(at: callerBody.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
                }
            }
            return UpstreamMessage(head, body: body)
        }
        return UpstreamMessage(head, bodyBytes: bodyBytes) { start in
            for piece in request.body {
                switch piece {
                case .bytes(let bytes): start.writeBytes(bytes)
                case .caller(let range):
                    callerBody.withUnsafeReadableBytes { _ = start.writeBytes(UnsafeRawBufferPointer(rebasing: $0[range.clamped(to: $0.indices)])) }
                }
            }
        }
    }

    /// Its fields go to this provider's origin and nowhere else.
    private func head(of request: UpstreamRequest) -> UpstreamRequestHead {
        if let last, last.fields == request.fields, last.target == request.target, last.method == request.method { return last.head }
        let fields = request.fields.map { field in
            switch field.value {
            case .plain(let value): (field.name, value)
            case .secret(let value): (field.name, value.reveal())
            }
        }
        let head = UpstreamRequestHead(method: request.method, target: request.target, authority: origin.authority, fields: fields)
        last = (request.method, request.target, request.fields, head)
        return head
    }
}

extension BodyPiece {
    fileprivate func count(in callerBody: ByteBuffer) -> Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .caller(let range): range.clamped(to: 0..<callerBody.readableBytes).count
        }
    }
}
