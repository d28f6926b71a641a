import HTTPWire
import NIOCore
import ProviderKit

/// One provider on one event loop: its translator, which is the loop's own, and its connections.
final class LoopProvider {
    let instance: ProviderInstance
    let name: String
    /// Not the instance's: all loops would count references to what is in it, with every request.
    let translator: any Provider
    /// nil: it answers from inside the process.
    let pool: UpstreamPool?
    private let authority: String
    /// The head of the last request. Most providers send the same with every request.
    private var last: Rendered?

    private final class Rendered {
        let method: String
        let target: String
        let fields: [HTTPField]
        let head: UpstreamRequestHead

        init(_ request: UpstreamRequest, _ head: UpstreamRequestHead) {
            method = request.method
            target = request.target
            fields = request.fields
            self.head = head
        }
    }

    init(_ instance: ProviderInstance, transport: UpstreamTransport, eventLoop: any EventLoop) {
        self.instance = instance
        name = instance.name
        translator = instance.settings.makeProvider()
        authority = translator.origin?.authority ?? ""
        pool = translator.origin.map { transport.makePool(origin: $0, poolIdle: instance.poolIdle, eventLoop: eventLoop) }
    }

    /// Sends a request to its upstream; nil: it has none.
    func start(_ request: UpstreamRequest, callerBody: ByteBuffer, isStream: Bool, timeouts: UpstreamTimeouts, delegate: any UpstreamDelegate) -> UpstreamCall? {
        pool?.start(message(request, callerBody, isStream: isStream), timeouts: timeouts, delegate: delegate)
    }

    private func message(_ request: UpstreamRequest, _ callerBody: ByteBuffer, isStream: Bool) -> UpstreamMessage {
        let head = head(of: request)
        let bodyBytes = request.body.reduce(0) { $0 + $1.count(in: callerBody) }
        guard bodyBytes <= UpstreamMessage.copyLimit else {
            let body = request.body.map { piece in
                switch piece {
                case .bytes(let bytes): ByteBuffer(bytes: bytes)
                case .caller(let range): callerBody.getSlice(at: callerBody.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
                }
            }
            return UpstreamMessage(head, body: body, isAnswerGathered: !isStream)
        }
        return UpstreamMessage(head, bodyBytes: bodyBytes, isAnswerGathered: !isStream) { [body = request.body] start in
            for piece in body {
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
        let head = UpstreamRequestHead(method: request.method, target: request.target, authority: authority, fields: fields)
        last = Rendered(request, head)
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
