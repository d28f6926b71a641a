import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import WireFormats

/// Writes a response as a stream of chunks in Gemini's format: as server-sent events with `?alt=sse`, and otherwise as
/// one JSON array, whose elements come one by one.
///
/// Chunks that already have this format pass through. The call record is in the head only.
final class GeminiStreamWriter: EventStreamWriter {
    /// An event stream's silence is broken by an empty event, because Google's SDKs take a comment for a part of an
    /// error. Source: google-genai 3.6.1, `_api_client._iter_response_stream`; go-genai, `api_client.go`.
    private static let blankLine = ByteBuffer(string: "\n\n")
    private static let lineEnd = ByteBuffer(string: "\n")

    private let isArray: Bool
    private var hasElement = false
    /// Writes typed events; nil before the first one.
    private var encoder: GeminiChunkWriter?

    init(_ exchange: Exchange) {
        isArray = !Self.wantsEvents(exchange.server.head.query ?? "")
        super.init(exchange, contentType: isArray ? "application/json; charset=utf-8" : "text/event-stream; charset=utf-8")
    }

    /// Whether the query has `alt=sse`.
    static func wantsEvents(_ query: String) -> Bool {
        query.split(separator: "&").contains { $0 == "alt=sse" || $0 == "%24alt=sse" || $0 == "$alt=sse" }
    }

    override var keepAlive: ByteBuffer { isArray ? Self.lineEnd : Self.blankLine }

    override func begin(_ record: CallRecord) {
        super.begin(record)
        encoder = nil
        hasElement = false
    }

    override func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        for part in parts {
            switch part {
            case .chunk(let chunk): send(chunk: bytes.readableBytesSpan.extracting(chunk.json))
            case .joined(let json, _): send(chunk: json.span.bytes)
            case .event(let event):
                var encoder =
                    encoder.take()
                    ?? GeminiChunkWriter(id: exchange.requestID, model: record?.model ?? "", includesThoughts: exchange.wantsThoughts)
                let chunk = encoder.chunk(event)
                self.encoder = encoder
                if let chunk { send(chunk: chunk.span.bytes) }
            case .buffered, .embeddings, .count, .payload: break  // never streamed in this format
            }
        }
    }

    override func writeEnd() {
        if var encoder {
            send(chunk: encoder.end(record?.knownUsage).span.bytes)
        }
        if isArray { send(ByteBuffer(string: hasElement ? "\n]" : "[]")) }
    }

    override func writeFailure(_ error: APIError) {
        var writer = JSONWriter()
        Gemini.writeError(error.gemini, to: &writer)
        send(chunk: writer.bytes.span.bytes)
        if isArray { send(ByteBuffer(string: "\n]")) }
    }

    private func send(chunk json: RawSpan) {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(json.byteCount + 8)
        bytes.writeString(isArray ? hasElement ? ",\n" : "[" : "data: ")
        json.withUnsafeBytes { _ = bytes.writeBytes($0) }
        if !isArray { bytes.writeString("\n\n") }
        hasElement = true
        send(bytes)
    }
}
