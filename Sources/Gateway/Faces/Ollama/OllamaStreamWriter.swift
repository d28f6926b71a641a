import Codecs
import Engine
import NIOCore
import ProviderKit
import Telemetry
import WireFormats

/// Writes a response as lines of JSON in Ollama's format.
///
/// Lines that already have this format pass through as slices of the upstream's bytes. Typed events become lines. The
/// call record is in the head only.
final class OllamaStreamWriter: EventStreamWriter {
    private let format: WireFormat
    /// Writes typed events; nil before the first one.
    private var encoder: OllamaLineWriter?

    init(_ exchange: Exchange, _ format: WireFormat) {
        self.format = format
        super.init(exchange, contentType: "application/x-ndjson")
    }

    /// Lines of JSON have no comments, and clients fail on a blank line, so this is a line without content.
    override var keepAlive: ByteBuffer {
        let model = record?.model ?? exchange.asked?.models.first ?? ""
        return ByteBuffer(bytes: OllamaLineWriter.keepAlive(format, model: model, at: Timestamp.now().allMilliseconds))
    }

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
                    send(chunk.json, of: bytes)
                    send(Self.lineEnd)
                }
            case .joined(let json, _):
                send(&run, of: bytes)
                send(ByteBuffer(bytes: json + [ASCII.lineFeed]))
            case .event(let event): write(event)
            case .buffered, .embeddings, .count, .payload: break  // never streamed in this format
            }
        }
        send(&run, of: bytes)
    }

    override func writeEnd() {
        guard let encoder else { return }
        let usage = record?.knownUsage
        do throws(ProviderError) {
            send(ByteBuffer(bytes: try encoder.end(usage, OllamaDurations(record), at: Timestamp.now().allMilliseconds)))
        } catch {
            writeFailure(APIError(502, error.message, code: error.code))
        }
    }

    override func writeFailure(_ error: APIError) { send(ByteBuffer(bytes: OllamaChat.errorLine(error.ollamaMessage))) }

    private func write(_ event: ChatEvent) {
        var encoder = encoder.take() ?? OllamaLineWriter(format, model: record?.model ?? "")
        let line = encoder.line(event, at: Timestamp.now().allMilliseconds)
        self.encoder = encoder
        if !line.isEmpty { send(ByteBuffer(bytes: line)) }
    }

    private static let lineEnd = ByteBuffer(staticString: "\n")
}
