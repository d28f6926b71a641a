import HTTPWire
import NIOCore
import ProviderKit

/// One provider's connections on one event loop.
final class ProviderConnections {
    let instance: ProviderInstance
    let pool: UpstreamPool
    private let origin: Origin
    /// The fields of the last request, rendered. Most providers send the same with every request.
    private var last: (fields: [HTTPField], rendered: UpstreamFields)?

    init(_ instance: ProviderInstance, origin: Origin, pool: UpstreamPool) {
        self.instance = instance
        self.origin = origin
        self.pool = pool
    }

    func start(_ request: UpstreamRequest, callerBody: ByteBuffer, timeouts: UpstreamTimeouts, delegate: any UpstreamDelegate) -> UpstreamCall {
        var body: [ByteBuffer] = []
        body.reserveCapacity(request.body.count)
        for piece in request.body {
            switch piece {
            case .bytes(let bytes):
                body.append(ByteBuffer(bytes: bytes))
            case .caller(let range):
                if let slice = callerBody.getSlice(at: callerBody.readerIndex + range.lowerBound, length: range.count) { body.append(slice) }
            }
        }
        let message = UpstreamMessage(method: request.method, target: request.target, fields: rendered(request.fields), body: body)
        return pool.start(message, timeouts: timeouts, delegate: delegate)
    }

    /// They go to this provider's origin and nowhere else.
    private func rendered(_ fields: [HTTPField]) -> UpstreamFields {
        if let last, last.fields == fields { return last.rendered }
        let rendered = UpstreamFields(authority: origin.authority, fields.map { field in
            switch field.value {
            case .plain(let value): (field.name, value)
            case .secret(let value): (field.name, value.reveal())
            }
        })
        last = (fields, rendered)
        return rendered
    }
}
