import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit

/// Writes a response as its bytes arrive: audio, or the events of a transcription or of speech. The `content-type` is
/// the upstream's, and the call record is in the head only.
///
/// Until the first bytes another model can replace this one. After them a failure ends events with an error event, and
/// closes the connection in the middle of anything else, so that no client takes the beginning for all of it.
final class PayloadWriter: ResponseWriter {
    private let exchange: Exchange
    private let server: ServerExchange
    private let keepAliveTime: TimeAmount
    private var contentType = "application/json"
    private var isCommitted = false
    private var isEventStream: Bool { contentType.hasPrefix("text/event-stream") }
    /// The bytes that are staged until the commit.
    private var staged = ByteBuffer()
    private lazy var keepAliveTimer = LazyDeadline(eventLoop: server.eventLoop) { [self] _ in sendKeepAlive() }

    init(_ exchange: Exchange) {
        self.exchange = exchange
        server = exchange.server
        keepAliveTime = TimeAmount(exchange.snapshot.policy.server.keepalive)
    }

    var stagedBytes: Int { staged.readableBytes }

    func begin(_ record: CallRecord) { staged.clear() }

    func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        for part in parts {
            let range: Range<Int>
            switch part {
            case .payload(let bytes, let type, _):
                range = bytes
                contentType = type
            case .buffered(let object, _): range = object
            case .chunk, .joined, .event, .embeddings, .count: continue  // no audio
            }
            guard let slice = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) else { continue }
            if isCommitted { server.write(slice) } else { staged.writeImmutableBuffer(slice) }
        }
    }

    func commit(_ record: CallRecord) {
        isCommitted = true
        var head = ResponseHead(status: 200)
        head.add("content-type", contentType)
        if isEventStream {
            head.add("cache-control", "no-cache")
            head.add("x-accel-buffering", "no")
            keepAliveTimer.set(.now() + keepAliveTime)
        }
        exchange.addCommonFields(to: &head)
        exchange.addFields(record, to: &head)
        server.begin(head)
        server.write(staged)
        staged = ByteBuffer()
    }

    /// Audio is not resumed.
    func resume(_ record: CallRecord) {}

    func flush() {
        server.flush()
        if isEventStream { keepAliveTimer.set(.now() + keepAliveTime) }
    }

    /// Streams are not checked.
    func isJSON(_ response: [(parts: [ResponsePart], bytes: ByteBuffer)]) -> Bool { true }

    func finish(_ record: CallRecord) {
        keepAliveTimer.invalidate()
        server.end()
        exchange.end(status: 200, record: record)
    }

    func fail(_ failure: CallFailure, _ record: CallRecord) {
        keepAliveTimer.invalidate()
        if failure.cause == .clientLeft { return exchange.end(status: 499, record: record, error: exchange.departure) }
        let error = exchange.error(failure, record, afterCommit: isCommitted)
        guard isCommitted else { return exchange.respond(error, record: record) }
        if isEventStream {
            var writer = JSONWriter()
            writer.object { error.write(to: &$0, withStatus: true) }
            server.write(ByteBuffer(bytes: Array("data: ".utf8) + writer.bytes + Array("\n\n".utf8)))
            server.end()
        } else {
            server.abort()
        }
        exchange.end(status: 200, record: record, error: error)
    }

    private func sendKeepAlive() {
        server.write(OpenAIStreamWriter.keepAliveComment)
        server.flush()
        keepAliveTimer.set(.now() + keepAliveTime)
    }
}
