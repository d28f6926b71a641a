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
    /// Writes typed events; nil before the first one.
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
                if let frame = chunk.frame {
                    add(frame, to: &run, of: bytes)
                } else {
                    send(&run, of: bytes)
                    send(frame(of: bytes.readableBytesSpan.extracting(chunk.json)))
                }
            case .joined(let json, _):
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
        send(ByteBuffer(bytes: encoder.end(record?.usage.source == .reported ? record?.usage.usage : nil)))
    }

    override func writeFailure(_ error: APIError) {
        let frame = AnthropicMessages.errorFrame(
            type: error.anthropicType, message: error.anthropicMessage, requestID: exchange.requestID)
        send(ByteBuffer(bytes: frame))
    }

    private func write(_ event: ChatEvent) {
        var encoder =
            encoder.take() ?? AnthropicEventWriter(id: exchange.requestID, model: record?.model ?? "", inputTokens: promptTokens)
        let frames = encoder.frames(event)
        self.encoder = encoder
        if !frames.isEmpty { send(ByteBuffer(bytes: frames)) }
    }

    private func frame(of json: RawSpan) -> ByteBuffer { ByteBuffer(bytes: AnthropicMessages.frame(of: json)) }
}
