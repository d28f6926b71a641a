import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import WireFormats

/// Writes a response as server-sent events in Anthropic's format.
///
/// Events that already have this format pass through as slices of the upstream's bytes, with their names and their
/// blank lines. Typed events are written as blocks. The call record is in the head only.
final class AnthropicStreamWriter: EventStreamWriter {
    private static let ping = ByteBuffer(bytes: AnthropicMessages.pingFrame)

    private let promptTokens: Int
    /// Writes typed events; nil before the first one. Where another model may continue the stream, it follows the
    /// events that pass through.
    private var encoder: AnthropicEventWriter?

    init(_ exchange: Exchange, _ request: borrowing RequestOutline) {
        promptTokens = request.needs.promptTokens
        super.init(exchange)
    }

    override var keepAlive: ByteBuffer { Self.ping }

    override func begin(_ record: CallRecord) {
        super.begin(record)
        encoder = nil
    }

    override func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        var run: Range<Int>?
        for part in parts {
            switch part {
            case .chunk(let chunk):
                if mayResume { follow(bytes.readableBytesSpan.extracting(chunk.json)) }
                if let frame = chunk.frame {
                    add(frame, to: &run, of: bytes)
                } else {
                    send(&run, of: bytes)
                    send(frame(of: bytes.readableBytesSpan.extracting(chunk.json)))
                }
            case .joined(let json, _):
                if mayResume { follow(json.span.bytes) }
                send(&run, of: bytes)
                send(frame(of: json.span.bytes))
            case .event(let event): write(event)
            case .buffered, .embeddings, .count, .payload: break  // never streamed in this format
            }
        }
        send(&run, of: bytes)
    }

    override func writeEnd() {
        guard var encoder else { return }
        let end = encoder.end(record?.knownUsage)
        if !end.isEmpty { send(ByteBuffer(bytes: end)) }
    }

    override func writeFailure(_ error: APIError) {
        let frame = AnthropicMessages.errorFrame(
            type: error.anthropicType, message: error.anthropicMessage, requestID: exchange.requestID)
        send(ByteBuffer(bytes: frame))
    }

    private func write(_ event: ChatEvent) {
        var encoder = takeEncoder()
        let frames = encoder.frames(event)
        self.encoder = encoder
        if !frames.isEmpty { send(ByteBuffer(bytes: frames)) }
    }

    private func follow(_ event: RawSpan) {
        var encoder = takeEncoder()
        encoder.follow(event)
        self.encoder = encoder
    }

    private func takeEncoder() -> AnthropicEventWriter {
        encoder.take() ?? AnthropicEventWriter(id: exchange.requestID, model: record?.model ?? "", inputTokens: promptTokens)
    }

    private func frame(of json: RawSpan) -> ByteBuffer { ByteBuffer(bytes: AnthropicMessages.frame(of: json)) }
}
