import HTTPWire
import NIOCore
import ProviderKit

extension UpstreamMessage {
    /// The request as a plugin wants it, with ranges of the caller's body as slices. The fields go to this origin and nowhere else.
    init(_ request: UpstreamRequest, origin: Origin, callerBody: ByteBuffer) {
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
        let fields = request.fields.map { field -> (String, String) in
            switch field.value {
            case .plain(let value): (field.name, value)
            case .secret(let value): (field.name, value.reveal())
            }
        }
        self.init(method: request.method, target: request.target, authority: origin.authority, fields: fields, body: body)
    }
}
