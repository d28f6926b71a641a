import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// One attempt: sends one request to one model, decodes the response as it arrives and passes it to the client's side.
///
/// This is the relay: it runs once per read, on the call's event loop, without a task, a lock or a copy.
final class Attempt {
    enum Outcome {
        case succeeded
        indirect case failed(ProviderError, reason: String)

        var error: ProviderError? { if case .failed(let error, _) = self { error } else { nil } }
    }

    /// The longest non-streamed response, which is buffered until it is complete.
    static let maxBufferedResponseBytes = 64 << 20
    /// The most bytes that an upstream may send before the first content of a stream.
    static let maxStagedBytes = 16 << 20
    static let maxErrorBytes = 64 << 10
    /// The most memory that a `content-length` alone reserves, before the bytes have arrived.
    private static let maxReservedBytes = 8 << 20

    /// The failure if `server.max_buffered` is used up. No other model would help.
    static let buffersFull = ProviderError(
        .routerLimit, message: "the router's buffers are full; 'server.max_buffered' limits them", code: "buffers_full")

    private enum State {
        case waiting
        /// The head has arrived, and the first bytes of the body don't show yet what it is.
        case sniffing
        case decoding
        /// The response's status is not 2xx. Its body is collected.
        case readingError
        /// The response is complete or has failed. Bytes that still arrive are dropped.
        case done
    }

    // Every read touches the properties from here to `contentBytes`. They are adjacent because, with many streams, each
    // cache line that a read touches is a cache miss. The flags stand in two groups of up to eight bytes, because an
    // attempt must stay small enough for the allocator's fast path: 1032 bytes in glibc.
    private var state = State.waiting
    /// Whether the stream belongs to this attempt: its first content has arrived.
    private(set) var isCommitted = false
    private var isClientSlow = false
    private let hasFilterChain: Bool
    /// Whether the response must be JSON. It is held back until that is checked.
    let checksJSON: Bool
    private(set) var hasToolCall = false
    private(set) var hasUnknownFinishReason = false
    /// Whether a choice has its finish reason.
    private var hasFinish = false
    /// The number of choices without a finish reason; nil once content has followed the last one, because then finish
    /// reasons are not final.
    private var unfinishedChoices: Int?
    /// Whether the attempt counts against the process's retry budget.
    let isRepeat: Bool
    /// Whether the response's id and finish reasons are kept, for the attempt's span.
    private let keepsIdentity: Bool
    /// The position of the request's credential, and the number of other ones that it was sent with before.
    let key: UInt8
    let changedKeys: UInt8
    /// Whether the response is in parts, although the client wants it as one: its decoder doesn't wait for the end.
    private var isFolded = false
    /// Whether a part of a stream has been passed on.
    private var hasPassedParts = false
    /// Whether the body itself shows where it ends, which audio and plain text don't.
    private var marksItsEnd = true
    private let writer: any ResponseWriter
    /// The bytes that the decoder has not consumed.
    var pending: ByteBuffer
    let noBytes: ByteBuffer
    private var decoder: (any ResponseDecoder)?
    private var sink = ResponseSink()
    /// The parts that are held back until `forwardHeldParts`; nil if parts go to the writer directly.
    private var heldParts: [(parts: [ResponsePart], bytes: ByteBuffer)]?
    /// The memory that the parts before the commit have taken: their own, because a response that isn't streamed is
    /// kept until its end, and the decoded bytes of those that were held back.
    private var keptBytes = 0
    private(set) var contentBytes = 0

    let candidate: CallMachine.Candidate
    /// The right to this attempt under the limits and the breaker of the model; nil after `takePermit`.
    private var permit: AttemptPermit?
    let startedAt: NIODeadline
    let provider: LoopProvider
    /// `provider.translator`, stored here because each access through `provider` would copy it.
    let translator: any Provider
    let call: RunningCall
    let providerCall: Call
    /// The request as typed values; nil if the provider speaks the client's format.
    let translation: Translation?
    var transport: (any AttemptTransport)?
    /// The response's head. A stream's is dropped when its decoder is made, because it keeps the first read in memory.
    private(set) var head: UpstreamHead?
    /// The upstream's own id of the request; nil if it sent none.
    private(set) var requestID: String?
    /// The fields of the head that go to the client.
    private(set) var passedFields: [HTTPField] = []
    /// The path and query of the request; nil before it is made, and for a provider inside the process.
    private(set) var target: String?
    /// nil if the head names none, as it should.
    private(set) var contentCoding: ContentCoding?
    /// Decodes a compressed body; nil if the body isn't compressed.
    var inflater: BodyInflater?
    private(set) var deadline = NIODeadline.distantFuture
    /// The repair for which the request is sent again. It is remembered if it helps.
    private let triedRepair: Repair?
    /// nil as long as little is buffered: a share retains the budget, whose reference count all loops change.
    var bufferShare: BufferShare?
    private(set) var firstByteAt: NIODeadline?
    /// When the first content arrived; nil for a non-streamed response.
    private(set) var firstContentAt: NIODeadline?

    /// The usage that the provider reported; nil if its numbers are implausible.
    var usage: Usage? { sink.usage.flatMap { $0.isPlausible ? $0 : nil } }

    /// Who made the response behind the provider; nil if the provider hasn't said.
    var servedBy: ServedBy? { sink.servedBy }

    /// Not stored, because an attempt must stay small enough for the allocator's fast path.
    var timeouts: Timeouts { call.snapshot.timeouts(ofModel: candidate.model, on: call.plan.timeoutRoute) }

    /// The response's text so far, if `keepsText`.
    var text: String { sink.text ?? "" }

    var keepsText: Bool { providerCall.keepsText }

    /// - Parameters:
    ///   - isHeldBack: whether the parts are held back at first, because the attempt is a hedge or continues a broken
    ///     stream.
    ///   - checksJSON: whether the response must be JSON.
    ///   - hasFilterChain: whether the route has `fallback_on` for `content_filter`.
    init(
        call: RunningCall, candidate: CallMachine.Candidate, permit: consuming AttemptPermit, isRepeat: Bool, isHeldBack: Bool,
        startedAt: NIODeadline, provider: LoopProvider, repairs: [Repair], triedRepair: Repair?, changedKeys: UInt8, checksJSON: Bool,
        hasFilterChain: Bool
    ) {
        self.call = call
        writer = call.writer
        noBytes = call.loop.noBytes
        pending = noBytes
        self.candidate = candidate
        self.permit = consume permit
        self.isRepeat = isRepeat
        self.startedAt = startedAt
        self.checksJSON = checksJSON
        heldParts = isHeldBack || checksJSON ? [] : nil
        self.provider = provider
        key = UInt8(truncatingIfNeeded: provider.instance.keys?.next(now: startedAt) ?? 0)
        self.changedKeys = changedKeys
        translator = provider.translator
        self.triedRepair = triedRepair
        let format = call.upstreamFormat(for: candidate, at: provider)
        translation = format == call.request.kind.format ? nil : call.translation
        let providerCall = call.providerCall(for: candidate, translation, in: format, repairs: repairs)
        unfinishedChoices = providerCall.choices(asked: call.request.choices)
        self.hasFilterChain = hasFilterChain
        keepsIdentity = call.request.trace?.isSampled == true && providerCall.operation.hasIdentity
        self.providerCall = consume providerCall
    }

    /// Hands the permit over to the call, once, when the attempt has ended.
    func takePermit() -> AttemptPermit? { permit.take() }

    /// Ends the attempt from outside: the client left, another attempt was faster, or the process stops. The upstream's
    /// connection is closed at once.
    func abort(_ error: ProviderError) {
        fail(error)
    }

    /// Whether bytes may be read from the upstream. A slow client stops the reading only after the commit: before it,
    /// the client's side stages everything, and after the end the bytes are dropped.
    var canRead: Bool { !isClientSlow || !isCommitted || isDone }

    var isDone: Bool {
        if case .done = state { true } else { false }
    }

    func clientWritable(_ isWritable: Bool) {
        isClientSlow = !isWritable
        if !canRead { call.loop.holds &+= 1 }
        // While the client is slow, nothing is read from the upstream, so its silence must not count as idle time.
        // `server.write_stall` limits how long the client may take.
        if isCommitted { transport?.watch(.idle, for: isWritable ? timeouts.idle : nil) }
        if isWritable { transport?.resumeReading() }
    }

    /// Sends the request. `call.ended` follows once, when the response is complete or the attempt has failed.
    func start(_ timeouts: Timeouts, deadline: NIODeadline) {
        self.deadline = deadline
        let body = call.request.body, bytes = body.bytes
        do throws(ProviderError) {
            if case .failed(let error)? = translation { throw error }
            guard provider.pool != nil else {
                let local = LocalUpstream(
                    try provider.response(to: providerCall, body: bytes.readableBytesSpan), eventLoop: call.loop.eventLoop, attempt: self)
                transport = local
                return local.start(deadline: deadline)
            }
            let request = try translator.request(for: providerCall, body: bytes.readableBytesSpan)
            target = request.target
            let limits = UpstreamTimeouts(
                queue: timeouts.queue, connect: timeouts.connect, write: timeouts.write,
                firstByte: providerCall.isStream ? timeouts.firstByte : nil, total: deadline)
            transport = try provider.start(
                request, key: Int(key), clientBody: body, isStream: providerCall.isStream, trace: trace, timeouts: limits,
                delegate: self)
        } catch {
            fail(error)
        }
    }

    func requestSent() {
        transport?.watch(
            providerCall.isStream ? .firstContent : .response, for: providerCall.isStream ? timeouts.firstContent : timeouts.response)
    }

    func headArrived(_ head: UpstreamHead, requestID: String? = nil, passedFields: [HTTPField] = []) {
        firstByteAt = .now()
        self.head = head
        self.requestID = requestID
        self.passedFields = passedFields
        contentCoding = head["content-encoding"].map { ContentCoding($0) }
        guard (200..<300).contains(head.status) else {
            state = .readingError
            return
        }
        state = .sniffing
    }

    func bodyArrived(_ bytes: ByteBuffer) {
        if inflater != nil { return inflate(bytes) }
        switch state {
        case .waiting, .done: return
        case .sniffing: sniff(bytes)
        case .readingError: collectError(bytes)
        case .decoding:
            if isCommitted { call.loop.chunkSizes.add(bytes.readableBytes) }
            guard pending.readableBytes > 0 else { return decode(bytes) }
            decode(pendingBytes(with: bytes))
        }
    }

    /// Takes the bytes that the decoder has not consumed, followed by `bytes`.
    func pendingBytes(with bytes: ByteBuffer) -> ByteBuffer {
        // `pending` gives up its reference, so that the buffer is unique and grows in place.
        var all = noBytes
        swap(&all, &pending)
        if all.writableBytes < bytes.readableBytes, let length = head?["content-length"].flatMap({ Int($0) }) {
            all.reserveCapacity(min(max(length, 0), Self.maxReservedBytes))
        }
        all.writeImmutableBuffer(bytes)
        return all
    }

    private func collectError(_ bytes: ByteBuffer) {
        let room = Self.maxErrorBytes - pending.readableBytes
        guard room > 0 else { return }
        pending.writeImmutableBuffer(bytes.getSlice(at: bytes.readerIndex, length: min(room, bytes.readableBytes)) ?? bytes)
    }

    func readCompleted() {
        if isCommitted { writer.flush() }
    }

    func ended() {
        switch state {
        case .done: return
        case .waiting: fail(ProviderError(.upstreamError, message: "the upstream sent no response"))
        case .readingError: refused()
        case .sniffing, .decoding:
            if let inflater, !inflater.isComplete { return failed(.truncated) }
            if case .sniffing = state { beginDecoding(pending.readableBytes > 0 ? .other : nil) }
            if !isDone { finishDecoding() }
        }
    }

    func failed(_ failure: UpstreamFailure) {
        if isDone { return }
        if case .readingError = state {
            // The status decides, even if the body is cut off.
            return fail(upstreamError())
        }
        if isCommitted || isFolded, marksItsEnd, !failure.isTimeout || hasFinish, finishesStream() { return complete() }
        let (error, reason) = failure.classified(attemptTimeout: call.isOverdue ? nil : call.plan.attemptTimeout)
        fail(error, reason: reason)
    }

    /// Decodes the rest of a stream whose connection broke, or whose upstream fell silent after a finish reason.
    /// Returns true if the stream is complete nevertheless: it had its finish reason.
    private func finishesStream() -> Bool {
        let bytes = pending
        do throws(ProviderError) {
            try decoder?.finish(bytes.readableBytesSpan, into: &sink)
            forwardParts(of: bytes)
            return true
        } catch {
            return false
        }
    }

    func decode(_ bytes: consuming ByteBuffer) {
        do throws(ProviderError) {
            let consumed = try decoder?.decode(bytes.readableBytesSpan, into: &sink) ?? 0
            forwardParts(of: bytes)
            bytes.moveReaderIndex(forwardBy: min(max(0, consumed), bytes.readableBytes))
        } catch {
            forwardParts(of: bytes)
            return refused(inside: error)
        }
        if isDone { return }
        if sink.isComplete { return complete() }
        if bytes.readableBytes > 0 { pending = bytes } else if isCommitted { return }
        let limit = providerCall.isStream ? Self.maxStagedBytes + (64 << 10) : Self.maxBufferedResponseBytes
        guard pending.readableBytes <= limit else { return failTooLarge(limit) }
        guard covers(pending.readableBytes + (isCommitted ? 0 : stagedBytes)) else {
            return fail(Self.buffersFull)
        }
    }

    private func finishDecoding() {
        let bytes = pending
        do throws(ProviderError) {
            try decoder?.finish(bytes.readableBytesSpan, into: &sink)
            forwardParts(of: bytes)
        } catch {
            forwardParts(of: bytes)
            return refused(inside: error)
        }
        if isDone { return }
        complete()
    }

    /// Creates the decoder.
    ///
    /// - Parameter form: nil if the body is empty.
    func beginDecoding(_ form: BodyForm?) {
        head?.bodyForm = form
        do throws(ProviderError) {
            if inflater == nil, let coding = contentCoding?.unknown {
                throw ProviderError(
                    .upstreamError, message: "the upstream responded with the content encoding '\(coding)', which was not requested",
                    code: "upstream_unreadable")
            }
            decoder = try translator.decoder(for: providerCall, head: head ?? UpstreamHead(status: 502))
        } catch {
            return fail(error)
        }
        state = .decoding
        if providerCall.isStream { head = nil }
        marksItsEnd = form != .other || !providerCall.operation.isAudio
        isFolded = !providerCall.isStream && (form == .eventStream || form == .jsonLines)
    }

    /// Hands the request over to another attempt, which repeats it with a repair or another key.
    func becomeRepeated() {
        state = .done
        transport?.cancel()
        transport = nil
        _ = bufferShare?.cover(0)
    }

    /// Passes the decoded parts to the client's side, and commits to this attempt at its first content.
    private func forwardParts(of bytes: ByteBuffer) {
        guard !sink.parts.isEmpty || sink.notedFinishes > 0 else { return }
        if sink.isOverfull {
            sink.removeParts()
            return failTooLarge(ResponseSink.maxMadeBytes)
        }
        let signals = sink.signals
        contentBytes &+= signals.contentBytes
        if !isCommitted { keptBytes &+= sink.madeBytes }
        if signals.isFiltered, hasFilterChain, !isCommitted {
            sink.removeParts()
            return fail(
                ProviderError(
                    .contentFilter, status: 200, message: "the provider's content filter stopped the response", code: "content_filter"))
        }
        if signals.hasToolCall { hasToolCall = true }
        if signals.hasUnknownFinishReason { hasUnknownFinishReason = true }
        if signals.finishes > 0 { hasFinish = true }
        if keepsIdentity, !isCommitted || signals.finishes > 0 { keepIdentity(in: sink.parts, of: bytes) }
        if providerCall.isStream || isFolded, signals.finishes > 0 || (unfinishedChoices ?? 1) <= 0 { followFinishReasons() }
        if heldParts == nil {
            writer.write(sink.parts, of: bytes)
        } else {
            heldParts?.append((sink.parts, bytes))
            keptBytes &+= bytes.readableBytes
        }
        hasPassedParts = true
        sink.removeParts()
        guard !isCommitted else { return }
        if providerCall.isStream, signals.hasBegun { commit() }
        let limit = providerCall.isStream ? Self.maxStagedBytes : Self.maxBufferedResponseBytes
        guard !isCommitted, stagedBytes > limit else { return }
        guard providerCall.isStream else { return failTooLarge(limit) }
        fail(
            ProviderError(
                .upstreamError, message: "the upstream sent more than \(limit >> 20) MiB before its first content",
                code: "upstream_too_large"))
    }

    private func failTooLarge(_ limit: Int) {
        fail(
            ProviderError(.upstreamError, message: "the upstream's response is longer than \(limit >> 20) MiB", code: "upstream_too_large"))
    }

    /// Ends a stream that is complete a second after its last finish reason, whatever comments still arrive. Content
    /// after it shows that the finish reasons of this server aren't final, so from then on `idle` counts. It counts too
    /// if the first part has a reason and nothing else: a server that sends a reason in each chunk sends it with the
    /// role, long before the text.
    private func followFinishReasons() {
        guard let before = unfinishedChoices else { return }
        var unfinished = before
        let isFirst = sink.notedFinishes > 0 || sink.parts.first.map { $0.signals.finishes > 0 } == true
        let isOpening = isFirst && !hasPassedParts && sink.signals.contentBytes == 0
        for part in sink.parts {
            if unfinished <= 0, part.signals.contentBytes > 0 {
                unfinishedChoices = nil
                transport?.watch(.response, for: providerCall.isStream ? nil : timeouts.response)
                return
            }
            unfinished &-= part.signals.finishes
        }
        unfinished &-= Int(sink.notedFinishes)
        unfinishedChoices = unfinished
        guard before > 0, unfinished <= 0, !isOpening || providerCall.isStream else { return }
        transport?.watch(.response, for: isOpening ? timeouts.idle : .seconds(1))
    }

    private var stagedBytes: Int { max(heldParts == nil ? writer.stagedBytes : 0, keptBytes) }

    /// Passes the parts that were held back to the client's side. Later parts go there directly.
    func forwardHeldParts() {
        guard let held = heldParts else { return }
        heldParts = nil
        for (parts, bytes) in held { writer.write(parts, of: bytes) }
    }

    private func commit() {
        isCommitted = true
        let now = NIODeadline.now()
        firstContentAt = now
        transport?.watch(.firstContent, for: nil)
        transport?.watch(.idle, for: timeouts.idle)
        if let repair = triedRepair { call.helped(repair, at: self) }
        if let transitions = permit?.recordFirstContent(now: now, using: &call.loop.random) {
            call.loop.report(transitions, of: candidate.model, in: call.snapshot)
        }
        call.committed(self, now: now)
    }

    private func complete() {
        guard providerCall.isStream ? isCommitted : sink.hasBegun else {
            return fail(ProviderError(.upstreamError, message: "the upstream's response was empty", code: "upstream_empty"))
        }
        if sink.lacksFinish { addFinish() }
        if checksJSON, let heldParts, !writer.isJSON(heldParts) {
            return fail(
                ProviderError(
                    .invalidJSON, status: 200, message: "the response is not JSON, which 'response_format' asks for", code: "invalid_json"))
        }
        if !isCommitted, let repair = triedRepair { call.helped(repair, at: self) }
        state = .done
        // The connection can be reused if the response's framing ends within a second.
        transport?.watch(.firstContent, for: nil)
        transport?.watch(.response, for: nil)
        transport?.watch(.idle, for: .seconds(1))
        end(.succeeded)
    }

    /// Ends a chat response whose decoder says that it is complete, but not why it has ended. Without a reason, some
    /// APIs have no place for the end of the text.
    private func addFinish() {
        let parts = [ResponsePart.event(.finish(hasToolCall ? .toolCalls : .stop))]
        if heldParts == nil { writer.write(parts, of: noBytes) } else { heldParts?.append((parts, noBytes)) }
    }

    func fail(_ error: ProviderError, reason: String? = nil) {
        if isDone { return }
        guard let error = failureAfterKeyChange(error) else { return }
        state = .done
        transport?.cancel()
        end(.failed(call.snapshot.mask(error), reason: reason ?? error.reason))
    }

    private func end(_ outcome: Outcome) {
        transport = nil
        _ = bufferShare?.cover(0)
        call.ended(self, outcome)
    }
}
