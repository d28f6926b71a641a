import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit

/// Answers a call with server-sent events in OpenAI's format.
///
/// Frames that are in that format already pass as slices. `_router` goes into the first chunk, and complete into the last: so the chunk with the (last)
/// finish reason, and what follows it, is held until the end or for a second.
final class StreamedResponseWriter: ResponseWriter {
    private static let holdTime = TimeAmount.seconds(1)
    private static let maxHeldBytes = 64 << 10
    private static let keepAliveComment: StaticString = ": keep-alive\n\n"

    // What each chunk touches stands first.
    private let server: ServerExchange
    private var hasFirst = false
    private var hasUnflushed = false
    private var isCommitted = false
    private var isHeadSent = false
    /// The response comes as typed events, so that its usage chunk is ours to write.
    private var isEncoded = false
    private var hasEnded = false
    private let wantsUsage: Bool
    private var finishesLeft: Int
    private var lastWrite: NIODeadline
    private var tail: Tail?
    private let choices: Int
    private let exchange: Exchange
    private let created: Int
    private let eventLoop: any EventLoop
    private let keepAliveTime: TimeAmount
    private var encoder: ChunkEncoder
    private var record: CallRecord?
    /// What is staged until the commit.
    private var out = ByteBuffer()
    private lazy var keepAlive = LazyDeadline(eventLoop: eventLoop) { [self] now in sendKeepAlive(now) }
    private lazy var hold = LazyDeadline(eventLoop: eventLoop) { [self] _ in releaseTail() }

    /// What is held: the frames from the last finish reason on, and where the last one's JSON ends.
    private struct Tail {
        var bytes = ByteBuffer()
        /// Offset of the closing brace in `bytes`.
        var lastBrace = 0
        var lastIsEmpty = false
    }

    init(_ exchange: Exchange, _ request: ChatRequest, created: Int) {
        self.exchange = exchange
        server = exchange.server
        self.created = created
        wantsUsage = request.wantsUsage
        choices = request.choices
        finishesLeft = request.choices
        eventLoop = exchange.server.eventLoop
        encoder = ChunkEncoder(id: exchange.requestID, created: created, model: "")
        keepAliveTime = TimeAmount(exchange.snapshot.policy.server.keepalive)
        lastWrite = .now()
        keepAlive.set(lastWrite + keepAliveTime)
    }

    var stagedBytes: Int { out.readableBytes }

    func begin(_ record: CallRecord) {
        self.record = record
        encoder = ChunkEncoder(id: exchange.requestID, created: created, model: record.model ?? "")
        out.clear()
        tail = nil
        hasFirst = false
        finishesLeft = choices
    }

    func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        // Neighbouring frames that pass as they are go out as one slice.
        var run: Range<Int>?
        func passRun() {
            if let range = run { append(bytes, range) }
            run = nil
        }
        for part in parts {
            switch part {
            case .chunk(let chunk):
                guard let frame = passable(chunk) else {
                    passRun()
                    if let json = bytes.getSlice(at: bytes.readerIndex + chunk.json.lowerBound, length: chunk.json.count) {
                        write(json: json, chunk.content)
                    }
                    continue
                }
                finishesLeft -= chunk.content.finishes
                if let open = run, open.upperBound == frame.lowerBound {
                    run = open.lowerBound..<frame.upperBound
                } else {
                    passRun()
                    run = frame
                }
            case .joined(let json, let content):
                passRun()
                write(json: ByteBuffer(bytes: json), content)
            case .event(let event):
                passRun()
                isEncoded = true
                if let json = encoder.chunk(event) { write(ByteBuffer(bytes: json), content: event.finishes) }
            case .buffered(let range, let content):
                passRun()
                writeConverted(bytes.readableBytesSpan.extracting(range), content)
            }
        }
        passRun()
    }

    func commit(_ record: CallRecord) {
        isCommitted = true
        self.record = record
        sendHead()
        let staged = out
        out = ByteBuffer()
        send(staged)
    }

    func resume(_ record: CallRecord) {
        self.record = record
        encoder = ChunkEncoder(id: exchange.requestID, created: created, model: record.model ?? "")
        // The chunk at the resume point says so in its `_router`.
        hasFirst = false
    }

    func flush() {
        guard isCommitted, hasUnflushed else { return }
        hasUnflushed = false
        server.flush()
        lastWrite = .now()
    }

    func finish(_ record: CallRecord) {
        self.record = record
        if wantsUsage, isEncoded, record.usage.source == .reported {
            write(ByteBuffer(bytes: encoder.usageChunk(record.usage.usage)), content: 0)
        }
        releaseTail(isComplete: true)
        send(ByteBuffer(staticString: "data: [DONE]\n\n"))
        end(status: 200, error: nil)
    }

    func fail(_ failure: CallFailure, _ record: CallRecord) {
        self.record = record
        if failure.cause == .clientLeft {
            stop()
            return exchange.end(status: 499, record: record, error: exchange.departureCode)
        }
        let error = isCommitted ? APIError(afterCommit: failure) : APIError(failure, errors: record.errors)
        guard isHeadSent else {
            stop()
            return exchange.respond(error, record: record)
        }
        if !isCommitted {
            // Only comments have gone out so far; of what was staged nothing will.
            out.clear()
            tail = nil
            isCommitted = true
        }
        releaseTail(isComplete: false)
        var writer = JSONWriter()
        writer.object {
            error.writeAsEvent(to: &$0)
            if exchange.wantsMetadata { RouterMetadata.write(record, to: &$0, isComplete: true) }
        }
        writeFrame(writer.bytes)
        end(status: 200, error: error.code ?? error.type)
    }

    // MARK: Frames

    /// The frame of a chunk that goes out as it came: not the first, nor from the last finish reason on.
    private func passable(_ chunk: PassedChunk) -> Range<Int>? {
        guard hasFirst, tail == nil, chunk.content.finishes < finishesLeft, !chunk.content.isUsageOnly, !chunk.content.hasRouterMember
        else { return nil }
        return chunk.frame
    }

    private func write(json: ByteBuffer, _ content: ContentSummary) {
        if content.isUsageOnly, !wantsUsage { return }
        write(content.hasRouterMember ? BufferedCompletion.withoutRouter(json) : json, content: content.finishes)
    }

    /// Towards the client, or staged until the commit.
    private func send(_ bytes: ByteBuffer) {
        guard isCommitted else {
            out.writeImmutableBuffer(bytes)
            return
        }
        server.write(bytes)
        hasUnflushed = true
    }

    /// One chunk's JSON: into the tail from the last finish reason on, with `_router` if it is the first.
    private func write(_ json: ByteBuffer, content finishes: Int) {
        finishesLeft -= finishes
        if tail == nil, finishesLeft <= 0, finishes > 0 {
            tail = Tail()
        }
        if tail != nil {
            hasFirst = true
            keep(json)
            // A flood behind the finish is not held: only what is sent is felt by the upstream.
            if let tail, tail.bytes.readableBytes > Self.maxHeldBytes { releaseTail(isComplete: false) }
            return
        }
        if hasFirst || !exchange.wantsMetadata {
            hasFirst = true
            return writeFrame(json.readableBytesView)
        }
        hasFirst = true
        var member = JSONWriter()
        if let record { RouterMetadata.write(record, to: &member, isComplete: false) }
        writeFrame(BufferedCompletion.appending(member, to: json).readableBytesView)
    }

    private func keep(_ json: ByteBuffer) {
        guard var tail else { return }
        self.tail = nil  // one owner, so that the bytes grow in place
        defer { self.tail = tail }
        if tail.bytes.readableBytes == 0 { hold.set(.now() + Self.holdTime) }
        let (body, isEmpty) = BufferedCompletion.withoutEnd(json.readableBytesSpan)
        tail.bytes.writeStaticString("data: ")
        tail.lastBrace = tail.bytes.readableBytes + body.count
        tail.lastIsEmpty = isEmpty
        if let slice = json.getSlice(at: json.readerIndex, length: body.count) { tail.bytes.writeImmutableBuffer(slice) }
        tail.bytes.writeStaticString("}\n\n")
    }

    /// Moves what is held to the output, with `_router` in its last chunk.
    private func releaseTail(isComplete: Bool) {
        guard let tail else { return }
        self.tail = Tail()
        hold.set(nil)
        guard tail.bytes.readableBytes > 0 else { return }
        guard exchange.wantsMetadata, let record, let before = tail.bytes.getSlice(at: 0, length: tail.lastBrace) else {
            return send(tail.bytes)
        }
        var member = JSONWriter(capacity: 512)
        RouterMetadata.write(record, to: &member, isComplete: isComplete)
        var bytes = before
        if !tail.lastIsEmpty { bytes.writeStaticString(",") }
        member.withBytes { _ = bytes.writeBytes($0) }
        bytes.writeStaticString("}\n\n")
        send(bytes)
    }

    /// The end has not come within a second of the finish reason.
    private func releaseTail() {
        guard !hasEnded else { return }
        releaseTail(isComplete: false)
        flush()
    }

    private func writeConverted(_ buffered: RawSpan, _ content: ContentSummary) {
        guard let chunks = BufferedCompletion.chunks(of: buffered) else { return }
        write(ByteBuffer(bytes: chunks.response), content: max(content.finishes, finishesLeft))
        if wantsUsage, let usage = chunks.usage { write(ByteBuffer(bytes: usage), content: 0) }
    }

    private func append(_ bytes: ByteBuffer, _ range: Range<Int>) {
        if let slice = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) { send(slice) }
    }

    private func writeFrame(_ json: some Collection<UInt8>) {
        var frame = ByteBuffer.unshared(capacity: json.count + 8)
        frame.writeStaticString("data: ")
        frame.writeBytes(json)
        frame.writeStaticString("\n\n")
        send(frame)
    }

    // MARK: Head, silence, end

    private func sendHead() {
        guard !isHeadSent else { return }
        isHeadSent = true
        var head = ResponseHead(status: 200)
        head.add("content-type", "text/event-stream; charset=utf-8")
        head.add("cache-control", "no-cache")
        head.add("x-accel-buffering", "no")
        head.add("x-request-id", exchange.requestID)
        if isCommitted, let record { RouterMetadata.addFields(record, to: &head) }
        server.begin(head)
    }

    private func sendKeepAlive(_ now: NIODeadline) {
        guard !hasEnded else { return }
        guard lastWrite + keepAliveTime <= now else { return keepAlive.set(lastWrite + keepAliveTime) }
        sendHead()
        server.write(ByteBuffer(staticString: Self.keepAliveComment))
        server.flush()
        lastWrite = now
        keepAlive.set(now + keepAliveTime)
    }

    private func end(status: Int, error: String?) {
        stop()
        server.end()
        exchange.end(status: status, record: record, error: error)
    }

    private func stop() {
        hasEnded = true
        keepAlive.invalidate()
        hold.invalidate()
    }
}

extension APIError {
    /// What ends a stream that has begun.
    init(afterCommit failure: CallFailure) {
        switch failure.cause {
        case .shuttingDown: self.init(503, failure.error.message, code: "shutting_down")
        case .allFailed, .upstream, .total, .unavailable, .clientLeft:
            self.init(failure.status, failure.error.message, code: failure.error.code ?? "upstream_truncated", param: failure.error.param)
            upstreamType = failure.error.type
        }
    }

    /// As an event, whose HTTP status can't tell any more: with a member `status`.
    func writeAsEvent(to writer: inout JSONWriter) {
        writer.key("error")
        writer.object {
            $0.member("message", message)
            $0.member("type", type)
            $0.member("param", param)
            $0.member("code", code)
            $0.member("status", status)
        }
    }
}

extension ChatEvent {
    fileprivate var finishes: Int {
        if case .finish = self { 1 } else { 0 }
    }
}
