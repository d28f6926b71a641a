import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import WireFormats

/// Writes a response as server-sent events in OpenAI's format.
///
/// Events that already have this format pass through as slices of the upstream's bytes. A frame is one such event
/// with its blank line: `data: {…}\n\n`. Until the commit (the first content, after which no other model is called),
/// frames are staged and not sent.
///
/// The first chunk gets a `_router` member, and the last chunk gets one with the final figures. Those are known only
/// when the stream has ended, so the writer holds back the chunk with the last finish reason and everything after it
/// until then, but at most for a second, or for 100 ms if the chunk has content. What is held back is the tail. Content
/// after the last finish reason shows that this server's finish reasons are not final: from then on nothing is held
/// back. An object without `choices`, such as a server's ping, is passed on as it is, and never gets a `_router`.
final class OpenAIStreamWriter: EventStreamWriter {
    private static let holdTime = TimeAmount.seconds(1)
    private static let contentHoldTime = TimeAmount.milliseconds(100)
    private static let maxHeldBytes = 64 << 10
    static let keepAliveComment = ByteBuffer(staticString: ": keep-alive\n\n")

    /// Whether the chunk that gets the first `_router` was written. The first chunk after a resume gets another one.
    private var hasWrittenFirstChunk = false
    /// Whether the response comes as typed events, so that the router writes the usage chunk.
    private var comesAsEvents = false
    private let wantsUsage: Bool
    /// The number of choices that have no finish reason yet.
    private var unfinishedChoiceCount: Int
    private var tail: Tail?
    /// Whether the chunk with the last finish reason is held back.
    private var holdsTail = true
    private let choiceCount: Int
    private var encoder: OpenAIChunkWriter
    /// Read only if a model calls a tool.
    private lazy var customTools: Set<String> = {
        let body = exchange.server.body
        return OpenAIChat.customTools(of: body.readableBytesSpan)
    }()
    private lazy var holdTimer = LazyDeadline(eventLoop: eventLoop) { [self] _ in holdTimeExpired() }

    /// The frames that are held back, from the last finish reason on.
    private struct Tail {
        var bytes = ByteBuffer()
        /// The offset in `bytes` of the closing brace of the last frame that is a chunk; nil if there is none.
        var lastBrace: Int?
        /// Whether the last frame's JSON object has no members.
        var lastFrameIsEmpty = false
    }

    init(_ exchange: Exchange, _ request: borrowing RequestOutline) {
        wantsUsage = request.wantsUsage
        choiceCount = request.choices
        unfinishedChoiceCount = request.choices
        encoder = OpenAIChunkWriter(id: exchange.requestID, created: exchange.created, model: "")
        super.init(exchange)
    }

    override var keepAlive: ByteBuffer { Self.keepAliveComment }

    override func begin(_ record: CallRecord) {
        super.begin(record)
        encoder = OpenAIChunkWriter(id: exchange.requestID, created: exchange.created, model: record.model ?? "")
        tail = nil
        hasWrittenFirstChunk = false
        unfinishedChoiceCount = choiceCount
    }

    override func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        var run: Range<Int>?
        for part in parts {
            switch part {
            case .chunk(let chunk):
                guard let frame = passthroughFrame(chunk) else {
                    send(&run, of: bytes)
                    if let json = bytes.getSlice(at: bytes.readerIndex + chunk.json.lowerBound, length: chunk.json.count) {
                        write(json: json, chunk.signals)
                    }
                    continue
                }
                unfinishedChoiceCount -= chunk.signals.finishes
                add(frame, to: &run, of: bytes)
            case .joined(let json, let signals):
                send(&run, of: bytes)
                write(json: ByteBuffer(bytes: json), signals)
            case .event(let event):
                send(&run, of: bytes)
                comesAsEvents = true
                if case .toolCall = event { encoder.customTools = customTools }
                if let json = encoder.chunk(event) { write(ByteBuffer(bytes: json), event.signals) }
            case .embeddings, .count, .payload: break  // never streamed as chunks
            case .buffered(let range, let signals):
                send(&run, of: bytes)
                writeConverted(bytes.readableBytesSpan.extracting(range), signals)
            }
        }
        send(&run, of: bytes)
    }

    override func resume(_ record: CallRecord) {
        super.resume(record)
        encoder = OpenAIChunkWriter(id: exchange.requestID, created: exchange.created, model: record.model ?? "")
        // The first chunk after the resume point has a `_router` that lists the resume.
        hasWrittenFirstChunk = false
    }

    override func writeEnd() {
        if wantsUsage, comesAsEvents, let usage = record?.usage, usage.source == .reported {
            write(ByteBuffer(bytes: encoder.usageChunk(usage.usage)), Signals())
        }
        releaseTail(isComplete: true)
        send(ByteBuffer(staticString: "data: [DONE]\n\n"))
    }

    override func writeFailure(_ error: APIError) {
        releaseTail(isComplete: false)
        var writer = JSONWriter()
        writer.object {
            error.write(to: &$0, withStatus: true)
            if let record, exchange.wantsMetadata { RouterMetadata.write(record, to: &$0, isComplete: true) }
        }
        writeFrame(writer.bytes)
    }

    override func stopTimers() {
        super.stopTimers()
        holdTimer.invalidate()
    }

    // MARK: Frames

    /// The frame of a chunk that can pass through unchanged. nil for the first chunk, for the chunk with the last
    /// finish reason and all later ones, and for chunks that the router edits or drops.
    private func passthroughFrame(_ chunk: PassthroughChunk) -> Range<Int>? {
        guard hasWrittenFirstChunk, tail == nil, !holdsTail || chunk.signals.finishes < unfinishedChoiceCount, !chunk.signals.isUsageOnly,
            !chunk.signals.hasStrayMember
        else { return nil }
        return chunk.frame
    }

    private func write(json: ByteBuffer, _ signals: Signals) {
        if signals.isUsageOnly, !wantsUsage { return }
        write(signals.hasStrayMember ? BufferedCompletion.withoutStrayMembers(json) : json, signals)
    }

    /// Writes a chunk, with `_router` if it is the first. From the last finish reason on, chunks go into the tail.
    private func write(_ json: ByteBuffer, _ signals: Signals) {
        let finishes = signals.finishes, hasContent = signals.contentBytes > 0
        unfinishedChoiceCount -= finishes
        if tail != nil, hasContent {
            releaseTail(isComplete: false)
            tail = nil
            holdsTail = false
        } else if tail == nil, holdsTail, unfinishedChoiceCount <= 0, finishes > 0 {
            tail = Tail()
        }
        if tail != nil {
            hasWrittenFirstChunk = true
            let isChunk = finishes > 0 || hasContent || signals.isUsageOnly || BufferedCompletion.hasChoices(json)
            appendToTail(json, isChunk: isChunk, holdTime: hasContent ? Self.contentHoldTime : Self.holdTime)
            // The tail is bounded, because held bytes cause no backpressure on the upstream.
            if let tail, tail.bytes.readableBytes > Self.maxHeldBytes { releaseTail(isComplete: false) }
            return
        }
        if hasWrittenFirstChunk || !exchange.wantsMetadata {
            hasWrittenFirstChunk = true
            return writeFrame(json.readableBytesView)
        }
        guard finishes > 0 || hasContent || BufferedCompletion.hasChoices(json) else { return writeFrame(json.readableBytesView) }
        hasWrittenFirstChunk = true
        var addition = JSONWriter()
        addition.object { if let record { RouterMetadata.write(record, to: &$0, isComplete: false) } }
        writeFrame(BufferedCompletion.appending(addition, to: json).readableBytesView)
    }

    private func appendToTail(_ json: ByteBuffer, isChunk: Bool, holdTime: TimeAmount) {
        guard var tail else { return }
        self.tail = nil  // With one reference left, the bytes grow in place.
        defer { self.tail = tail }
        if tail.bytes.readableBytes == 0 { holdTimer.set(.now() + holdTime) }
        let (body, isEmpty) = BufferedCompletion.withoutClosingBrace(json.readableBytesSpan)
        tail.bytes.writeStaticString("data: ")
        if isChunk { (tail.lastBrace, tail.lastFrameIsEmpty) = (tail.bytes.readableBytes + body.count, isEmpty) }
        if let slice = json.getSlice(at: json.readerIndex, length: body.count) { tail.bytes.writeImmutableBuffer(slice) }
        tail.bytes.writeStaticString("}\n\n")
    }

    /// Sends the held frames, with `_router` in the last chunk.
    private func releaseTail(isComplete: Bool) {
        guard let tail else { return }
        // Not nil: later frames still belong to the tail.
        self.tail = Tail()
        holdTimer.set(nil)
        guard tail.bytes.readableBytes > 0 else { return }
        guard exchange.wantsMetadata, let record, let brace = tail.lastBrace, let before = tail.bytes.getSlice(at: 0, length: brace),
            let after = tail.bytes.getSlice(at: brace, length: tail.bytes.readableBytes - brace)
        else { return send(tail.bytes) }
        var member = JSONWriter(capacity: 512)
        RouterMetadata.write(record, to: &member, isComplete: isComplete)
        var bytes = before
        if !tail.lastFrameIsEmpty { bytes.writeStaticString(",") }
        member.withBytes { _ = bytes.writeBytes($0) }
        bytes.writeImmutableBuffer(after)
        send(bytes)
    }

    /// Called if the stream has not ended within a second of the finish reason.
    private func holdTimeExpired() {
        guard !hasEnded else { return }
        releaseTail(isComplete: false)
        flush()
    }

    /// Writes a non-streamed response as chunks.
    private func writeConverted(_ response: RawSpan, _ signals: Signals) {
        guard let chunks = BufferedCompletion.chunks(of: response) else { return }
        // A non-streamed response finishes all of its choices.
        write(ByteBuffer(bytes: chunks.content), Signals(finishes: max(signals.finishes, unfinishedChoiceCount)))
        if wantsUsage, let usage = chunks.usage { write(ByteBuffer(bytes: usage), Signals()) }
    }

    private func writeFrame(_ json: some Collection<UInt8>) {
        var frame = ByteBuffer.unshared(capacity: json.count + 8)
        frame.writeStaticString("data: ")
        frame.writeBytes(json)
        frame.writeStaticString("\n\n")
        send(frame)
    }
}
