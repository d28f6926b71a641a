import Engine
import HTTPWire
import NIOCore
import ProviderKit

/// Answers a call with server-sent events in OpenAI's format.
///
/// Frames that are in that format already pass as slices. `_router` goes into the first chunk, and complete into the last: so the chunk with the (last)
/// finish reason, and what follows it, is held until the end or for a second.
final class StreamWriter: AnswerWriter {
    private static let holdTime = TimeAmount.seconds(1)
    private static let keepAliveComment = ": keep-alive\n\n"

    private let api: APIExchange
    private let wantsUsage: Bool
    private let created: Int
    private let eventLoop: any EventLoop
    private let keepAliveTime: TimeAmount
    private var encoder: ChunkEncoder
    private var facts: AnswerFacts?
    /// Encoded and not yet sent: before the commit all of it, after it what the current read brought.
    private var out = ByteBuffer()
    private var hasFirst = false
    private var isCommitted = false
    private var isHeadSent = false
    private var finishesLeft: Int
    private let choices: Int
    private var tail: Tail?
    /// The answer comes as typed events, so that its usage chunk is ours to write.
    private var isEncoded = false
    private var hasEnded = false
    private lazy var keepAlive = LazyDeadline(eventLoop: eventLoop) { [self] _ in sayAlive() }
    private lazy var hold = LazyDeadline(eventLoop: eventLoop) { [self] _ in releaseTail() }

    /// What is held: the frames from the last finish reason on, and where the last one's JSON ends.
    private struct Tail {
        var bytes = ByteBuffer()
        /// Offset of the closing brace in `bytes`.
        var lastBrace = 0
        var lastIsEmpty = false
    }

    init(_ api: APIExchange, _ request: ChatRequest, created: Int) {
        self.api = api
        self.created = created
        wantsUsage = request.wantsUsage
        choices = request.choices
        finishesLeft = request.choices
        eventLoop = api.exchange.eventLoop
        encoder = ChunkEncoder(id: api.requestID, created: created, model: "")
        keepAliveTime = TimeAmount(api.snapshot.policy.server.keepalive)
        keepAlive.set(.now() + keepAliveTime)
    }

    var stagedBytes: Int { isCommitted ? 0 : out.readableBytes }

    func begin(_ facts: AnswerFacts) {
        self.facts = facts
        encoder = ChunkEncoder(id: api.requestID, created: created, model: facts.model ?? "")
        out.clear()
        tail = nil
        hasFirst = false
        finishesLeft = choices
    }

    func write(_ parts: [AnswerPart], of bytes: ByteBuffer) {
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
                    write(chunk, of: bytes)
                    continue
                }
                finishesLeft -= chunk.content.finishes
                if let open = run, open.upperBound == frame.lowerBound {
                    run = open.lowerBound..<frame.upperBound
                } else {
                    passRun()
                    run = frame
                }
            case .event(let event):
                passRun()
                isEncoded = true
                if let json = encoder.chunk(event) { write(ByteBuffer(bytes: json), content: event.finishes) }
            case .whole(let range, let content):
                passRun()
                writeConverted(bytes.readableBytesSpan.extracting(range), content)
            }
        }
        passRun()
    }

    func commit(_ facts: AnswerFacts) {
        isCommitted = true
        self.facts = facts
        sendHead()
    }

    func flush() {
        guard isCommitted, out.readableBytes > 0 else { return }
        api.exchange.write(out)
        out.clear()
        api.exchange.flush()
        keepAlive.set(.now() + keepAliveTime)
    }

    func finish(_ facts: AnswerFacts) {
        self.facts = facts
        if wantsUsage, isEncoded, facts.usage.source == .reported {
            write(ByteBuffer(bytes: encoder.usageChunk(facts.usage.usage)), content: 0)
        }
        releaseTail(isComplete: true)
        out.writeStaticString("data: [DONE]\n\n")
        end(status: 200, error: nil)
    }

    func fail(_ failure: CallFailure, _ facts: AnswerFacts) {
        self.facts = facts
        if failure.cause == .callerLeft {
            stop()
            return api.end(status: 499, facts: facts, error: "caller_left")
        }
        let error = isCommitted ? APIError(afterCommit: failure) : APIError(failure, errors: facts.errors)
        guard isHeadSent else {
            stop()
            return api.respond(error, facts: facts)
        }
        if !isCommitted { out.clear() }
        releaseTail()
        var writer = JSONWriter()
        writer.object {
            error.writeAsEvent(to: &$0)
            if api.wantsMetadata { RouterMetadata.write(facts, to: &$0, isComplete: true) }
        }
        writeFrame(writer.bytes)
        end(status: 200, error: error.code ?? error.type)
    }

    // MARK: Frames

    /// The frame of a chunk that goes out as it came: not the first, nor from the last finish reason on.
    private func passable(_ chunk: PassedChunk) -> Range<Int>? {
        guard hasFirst, tail == nil, chunk.content.finishes < finishesLeft, !chunk.content.isUsageOnly else { return nil }
        return chunk.frame
    }

    private func write(_ chunk: PassedChunk, of bytes: ByteBuffer) {
        if chunk.content.isUsageOnly, !wantsUsage { return }
        let json = chunk.joined.map { ByteBuffer(bytes: $0) } ?? bytes.getSlice(at: bytes.readerIndex + chunk.json.lowerBound, length: chunk.json.count)
        if let json { write(json, content: chunk.content.finishes) }
    }

    /// One chunk's JSON: into the tail from the last finish reason on, with `_router` if it is the first.
    private func write(_ json: ByteBuffer, content finishes: Int) {
        finishesLeft -= finishes
        if tail == nil, finishesLeft <= 0, finishes > 0 {
            tail = Tail()
        }
        if tail != nil {
            hasFirst = true
            return keep(json)
        }
        if hasFirst || !api.wantsMetadata {
            hasFirst = true
            return writeFrame(json.readableBytesView)
        }
        hasFirst = true
        var member = JSONWriter()
        if let facts { RouterMetadata.write(facts, to: &member, isComplete: false) }
        writeFrame(WholeAnswer.appending(member.bytes, to: json).readableBytesView)
    }

    private func keep(_ json: ByteBuffer) {
        guard var tail else { return }
        self.tail = nil  // one owner, so that the bytes grow in place
        defer { self.tail = tail }
        if tail.bytes.readableBytes == 0 { hold.set(.now() + Self.holdTime) }
        let (body, isEmpty) = WholeAnswer.withoutEnd(json.readableBytesSpan)
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
        guard api.wantsMetadata, let facts, let before = tail.bytes.getSlice(at: 0, length: tail.lastBrace) else {
            out.writeImmutableBuffer(tail.bytes)
            return
        }
        var member = JSONWriter()
        RouterMetadata.write(facts, to: &member, isComplete: isComplete)
        out.writeImmutableBuffer(before)
        if !tail.lastIsEmpty { out.writeStaticString(",") }
        out.writeBytes(member.bytes)
        out.writeStaticString("}\n\n")
    }

    /// The end has not come within a second of the finish reason.
    private func releaseTail() {
        guard !hasEnded else { return }
        releaseTail(isComplete: false)
        flush()
    }

    private func writeConverted(_ whole: RawSpan, _ content: ContentSummary) {
        guard let chunks = WholeAnswer.chunks(of: whole) else { return }
        write(ByteBuffer(bytes: chunks.answer), content: max(content.finishes, finishesLeft))
        if wantsUsage, let usage = chunks.usage { write(ByteBuffer(bytes: usage), content: 0) }
    }

    private func append(_ bytes: ByteBuffer, _ range: Range<Int>) {
        if let slice = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) { out.writeImmutableBuffer(slice) }
    }

    private func writeFrame(_ json: some Collection<UInt8>) {
        out.writeStaticString("data: ")
        out.writeBytes(json)
        out.writeStaticString("\n\n")
    }

    // MARK: Head, silence, end

    private func sendHead() {
        guard !isHeadSent else { return }
        isHeadSent = true
        var head = ResponseHead(status: 200)
        head.add("content-type", "text/event-stream; charset=utf-8")
        head.add("cache-control", "no-cache")
        head.add("x-accel-buffering", "no")
        head.add("x-request-id", api.requestID)
        if isCommitted, let facts { RouterMetadata.addFields(facts, to: &head) }
        api.exchange.begin(head)
    }

    private func sayAlive() {
        guard !hasEnded else { return }
        sendHead()
        api.exchange.write(ByteBuffer(string: Self.keepAliveComment))
        api.exchange.flush()
        keepAlive.set(.now() + keepAliveTime)
    }

    private func end(status: Int, error: String?) {
        stop()
        if out.readableBytes > 0 { api.exchange.write(out) }
        api.exchange.end()
        api.end(status: status, facts: facts, error: error)
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
        case .allFailed, .upstream, .total, .callerLeft:
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
