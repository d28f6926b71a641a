import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import WireFormats

/// Writes a response as server-sent events in the format of OpenAI's Responses.
///
/// Events that already have this format pass through as slices of the upstream's bytes, with their names and their
/// blank lines. Typed events are written as items. The response in the last event has `_router`. An event that passes
/// through as the last one is held for that, until the stream has ended.
final class ResponsesStreamWriter: EventStreamWriter {
    /// Writes typed events; nil before the first one.
    private var encoder: OpenAIResponsesEventWriter?
    /// The events that have passed through, and the id of their response.
    private var passedEvents = 0
    private var passedID: String?
    /// The event that ends the stream, and its signals; nil as long as none has passed through.
    private var last: (json: [UInt8], Signals)?

    init(_ exchange: Exchange) { super.init(exchange) }

    override var keepAlive: ByteBuffer { OpenAIStreamWriter.keepAliveComment }

    override func begin(_ record: CallRecord) {
        super.begin(record)
        (encoder, passedEvents, passedID, last) = (nil, 0, nil, nil)
    }

    override func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        var run: Range<Int>?
        for part in parts {
            switch part {
            case .chunk(let chunk):
                let json = bytes.readableBytesSpan.extracting(chunk.json)
                notePassed(json)
                if chunk.signals.finishes > 0 {
                    last = (json.withUnsafeBytes { Array($0) }, chunk.signals)
                } else if let frame = chunk.frame {
                    add(frame, to: &run, of: bytes)
                } else {
                    send(&run, of: bytes)
                    send(ByteBuffer(bytes: OpenAIResponses.frame(of: json)))
                }
            case .joined(let json, let signals):
                notePassed(json.span.bytes)
                send(&run, of: bytes)
                guard signals.finishes == 0 else {
                    last = (json, signals)
                    continue
                }
                send(ByteBuffer(bytes: OpenAIResponses.frame(of: json.span.bytes)))
            case .event(let event): write(event)
            case .buffered, .embeddings, .count, .payload: break  // never streamed in this format
            }
        }
        send(&run, of: bytes)
    }

    override func writeEnd() {
        let member = exchange.responsesMember(record)
        if let (json, signals) = last {
            let isChanged = !member.isEmpty || signals.hasRouterMember
            let event = isChanged ? OpenAIResponses.adding(member, toResponseOf: json.span.bytes) : json
            return send(ByteBuffer(bytes: OpenAIResponses.frame(of: event.span.bytes)))
        }
        guard var encoder = encoder.take() else { return }
        send(ByteBuffer(bytes: encoder.end(record?.knownUsage, member: member)))
    }

    override func writeFailure(_ error: APIError) {
        var encoder = encoder.take() ?? makeEncoder()
        if passedEvents > 0 { encoder.follow(id: passedID, events: passedEvents) }
        let (code, message) = error.responseFailure
        send(ByteBuffer(bytes: encoder.failure(code: code, message: message, member: exchange.responsesMember(record))))
    }

    private func write(_ event: ChatEvent) {
        var encoder = encoder.take() ?? makeEncoder()
        let frames = encoder.frames(event)
        self.encoder = encoder
        if !frames.isEmpty { send(ByteBuffer(bytes: frames)) }
    }

    private func makeEncoder() -> OpenAIResponsesEventWriter {
        let body = exchange.server.body
        return OpenAIResponsesEventWriter(
            id: exchange.requestID, created: exchange.created, model: record?.model ?? "",
            OpenAIResponsesSettings(of: body.readableBytesSpan))
    }

    private func notePassed(_ json: RawSpan) {
        if passedEvents == 0 { passedID = OpenAIResponses.responseID(ofEvent: json) }
        passedEvents += 1
    }
}

extension Exchange {
    /// The member `_router` of a response that has ended; empty if the client doesn't want it.
    ///
    /// - Parameter data: the response's JSON value, if the client requested JSON.
    func responsesMember(_ record: CallRecord?, data: [UInt8]? = nil) -> [UInt8] {
        guard wantsMetadata, let record else { return [] }
        var writer = JSONWriter(capacity: 512)
        RouterMetadata.write(record, to: &writer, isComplete: true, data: data)
        return writer.bytes
    }
}
