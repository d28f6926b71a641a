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
/// back.
final class StreamedResponseWriter: ResponseWriter {
    private static let holdTime = TimeAmount.seconds(1)
    private static let contentHoldTime = TimeAmount.milliseconds(100)
    private static let maxHeldBytes = 64 << 10
    private static let keepAliveComment: StaticString = ": keep-alive\n\n"

    // The properties that every chunk uses come first, so that they share a cache line.
    private let server: ServerExchange
    /// Whether the chunk that gets the first `_router` was written. The first chunk after a resume gets another one.
    private var hasWrittenFirstChunk = false
    private var hasUnflushedBytes = false
    private var isCommitted = false
    private var isHeadSent = false
    /// Whether the response comes as typed events, so that the router writes the usage chunk.
    private var comesAsEvents = false
    private var hasEnded = false
    private let wantsUsage: Bool
    /// The number of choices that have no finish reason yet.
    private var unfinishedChoiceCount: Int
    private var lastWrite: NIODeadline
    private var tail: Tail?
    /// Whether the chunk with the last finish reason is held back.
    private var holdsTail = true
    private let choiceCount: Int
    private let exchange: Exchange
    private let created: Int
    private let eventLoop: any EventLoop
    private let keepAliveTime: TimeAmount
    private var encoder: OpenAIChunkWriter
    private var record: CallRecord?
    /// The bytes that are staged until the commit.
    private var staged = ByteBuffer()
    private lazy var keepAliveTimer = LazyDeadline(eventLoop: eventLoop) { [self] now in sendKeepAlive(now) }
    private lazy var holdTimer = LazyDeadline(eventLoop: eventLoop) { [self] _ in holdTimeExpired() }

    /// The frames that are held back, from the last finish reason on.
    private struct Tail {
        var bytes = ByteBuffer()
        /// The offset in `bytes` of the last frame's closing brace.
        var lastBrace = 0
        /// Whether the last frame's JSON object has no members.
        var lastFrameIsEmpty = false
    }

    init(_ exchange: Exchange, _ request: borrowing RequestOutline, created: Int) {
        self.exchange = exchange
        server = exchange.server
        self.created = created
        wantsUsage = request.wantsUsage
        choiceCount = request.choices
        unfinishedChoiceCount = request.choices
        eventLoop = exchange.server.eventLoop
        encoder = OpenAIChunkWriter(id: exchange.requestID, created: created, model: "")
        keepAliveTime = TimeAmount(exchange.snapshot.policy.server.keepalive)
        lastWrite = .now()
        keepAliveTimer.set(lastWrite + keepAliveTime)
    }

    var stagedBytes: Int { staged.readableBytes }

    func begin(_ record: CallRecord) {
        self.record = record
        encoder = OpenAIChunkWriter(id: exchange.requestID, created: created, model: record.model ?? "")
        staged.clear()
        tail = nil
        hasWrittenFirstChunk = false
        unfinishedChoiceCount = choiceCount
    }

    func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        // Adjacent frames that pass through unchanged are sent as one slice.
        var pending: Range<Int>?
        func sendPending() {
            if let range = pending { sendSlice(range, of: bytes) }
            pending = nil
        }
        for part in parts {
            switch part {
            case .chunk(let chunk):
                guard let frame = passthroughFrame(chunk) else {
                    sendPending()
                    if let json = bytes.getSlice(at: bytes.readerIndex + chunk.json.lowerBound, length: chunk.json.count) {
                        write(json: json, chunk.signals)
                    }
                    continue
                }
                unfinishedChoiceCount -= chunk.signals.finishes
                if let range = pending, range.upperBound == frame.lowerBound {
                    pending = range.lowerBound..<frame.upperBound
                } else {
                    sendPending()
                    pending = frame
                }
            case .joined(let json, let signals):
                sendPending()
                write(json: ByteBuffer(bytes: json), signals)
            case .event(let event):
                sendPending()
                comesAsEvents = true
                if let json = encoder.chunk(event) { write(ByteBuffer(bytes: json), event.signals) }
            case .embeddings: break  // never streamed
            case .buffered(let range, let signals):
                sendPending()
                writeConverted(bytes.readableBytesSpan.extracting(range), signals)
            }
        }
        sendPending()
    }

    func commit(_ record: CallRecord) {
        isCommitted = true
        self.record = record
        sendHead()
        let bytes = staged
        staged = ByteBuffer()
        send(bytes)
    }

    func resume(_ record: CallRecord) {
        self.record = record
        encoder = OpenAIChunkWriter(id: exchange.requestID, created: created, model: record.model ?? "")
        // The first chunk after the resume point has a `_router` that lists the resume.
        hasWrittenFirstChunk = false
    }

    func flush() {
        guard isCommitted, hasUnflushedBytes else { return }
        hasUnflushedBytes = false
        server.flush()
        lastWrite = .now()
    }

    /// Streams are not checked.
    func isJSON(_ response: [(parts: [ResponsePart], bytes: ByteBuffer)]) -> Bool { true }

    func finish(_ record: CallRecord) {
        self.record = record
        if wantsUsage, comesAsEvents, record.usage.source == .reported {
            write(ByteBuffer(bytes: encoder.usageChunk(record.usage.usage)), Signals())
        }
        releaseTail(isComplete: true)
        send(ByteBuffer(staticString: "data: [DONE]\n\n"))
        end(status: 200, error: nil)
    }

    func fail(_ failure: CallFailure, _ record: CallRecord) {
        self.record = record
        if failure.cause == .clientLeft {
            stopTimers()
            return exchange.end(status: 499, record: record, error: exchange.departure)
        }
        let error = exchange.error(failure, record, afterCommit: isCommitted)
        guard isHeadSent else {
            stopTimers()
            return exchange.respond(error, record: record)
        }
        if !isCommitted {
            // Only keep-alive comments have been sent so far. The staged bytes are dropped, and the error is sent at
            // once.
            staged.clear()
            tail = nil
            isCommitted = true
        }
        releaseTail(isComplete: false)
        var writer = JSONWriter()
        writer.object {
            error.write(to: &$0, withStatus: true)
            if exchange.wantsMetadata { RouterMetadata.write(record, to: &$0, isComplete: true) }
        }
        writeFrame(writer.bytes)
        end(status: 200, error: error)
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

    /// Sends bytes to the client, or stages them until the commit.
    private func send(_ bytes: ByteBuffer) {
        guard isCommitted else {
            staged.writeImmutableBuffer(bytes)
            return
        }
        server.write(bytes)
        hasUnflushedBytes = true
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
            appendToTail(json, holdTime: hasContent ? Self.contentHoldTime : Self.holdTime)
            // The tail is bounded, because held bytes cause no backpressure on the upstream.
            if let tail, tail.bytes.readableBytes > Self.maxHeldBytes { releaseTail(isComplete: false) }
            return
        }
        if hasWrittenFirstChunk || !exchange.wantsMetadata {
            hasWrittenFirstChunk = true
            return writeFrame(json.readableBytesView)
        }
        hasWrittenFirstChunk = true
        var member = JSONWriter()
        if let record { RouterMetadata.write(record, to: &member, isComplete: false) }
        writeFrame(BufferedCompletion.appending(member, to: json).readableBytesView)
    }

    private func appendToTail(_ json: ByteBuffer, holdTime: TimeAmount) {
        guard var tail else { return }
        self.tail = nil  // With one reference left, the bytes grow in place.
        defer { self.tail = tail }
        if tail.bytes.readableBytes == 0 { holdTimer.set(.now() + holdTime) }
        let (body, isEmpty) = BufferedCompletion.withoutClosingBrace(json.readableBytesSpan)
        tail.bytes.writeStaticString("data: ")
        tail.lastBrace = tail.bytes.readableBytes + body.count
        tail.lastFrameIsEmpty = isEmpty
        if let slice = json.getSlice(at: json.readerIndex, length: body.count) { tail.bytes.writeImmutableBuffer(slice) }
        tail.bytes.writeStaticString("}\n\n")
    }

    /// Sends the held frames, with `_router` in the last one.
    private func releaseTail(isComplete: Bool) {
        guard let tail else { return }
        // Not nil: later frames still belong to the tail.
        self.tail = Tail()
        holdTimer.set(nil)
        guard tail.bytes.readableBytes > 0 else { return }
        guard exchange.wantsMetadata, let record, let before = tail.bytes.getSlice(at: 0, length: tail.lastBrace) else {
            return send(tail.bytes)
        }
        var member = JSONWriter(capacity: 512)
        RouterMetadata.write(record, to: &member, isComplete: isComplete)
        var bytes = before
        if !tail.lastFrameIsEmpty { bytes.writeStaticString(",") }
        member.withBytes { _ = bytes.writeBytes($0) }
        bytes.writeStaticString("}\n\n")
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

    private func sendSlice(_ range: Range<Int>, of bytes: ByteBuffer) {
        if let slice = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) { send(slice) }
    }

    private func writeFrame(_ json: some Collection<UInt8>) {
        var frame = ByteBuffer.unshared(capacity: json.count + 8)
        frame.writeStaticString("data: ")
        frame.writeBytes(json)
        frame.writeStaticString("\n\n")
        send(frame)
    }

    // MARK: Head, keep-alive, end

    private func sendHead() {
        guard !isHeadSent else { return }
        isHeadSent = true
        var head = ResponseHead(status: 200)
        head.add("content-type", "text/event-stream; charset=utf-8")
        head.add("cache-control", "no-cache")
        head.add("x-accel-buffering", "no")
        exchange.addCommonFields(to: &head)
        if isCommitted, let record { exchange.addFields(record, to: &head) }
        server.begin(head)
    }

    private func sendKeepAlive(_ now: NIODeadline) {
        guard !hasEnded else { return }
        guard lastWrite + keepAliveTime <= now else { return keepAliveTimer.set(lastWrite + keepAliveTime) }
        sendHead()
        server.write(ByteBuffer(staticString: Self.keepAliveComment))
        server.flush()
        lastWrite = now
        keepAliveTimer.set(now + keepAliveTime)
    }

    private func end(status: Int, error: APIError?) {
        stopTimers()
        server.end()
        exchange.end(status: status, record: record, error: error)
    }

    private func stopTimers() {
        hasEnded = true
        keepAliveTimer.invalidate()
        holdTimer.invalidate()
    }
}
