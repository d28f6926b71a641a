import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// One model asked once: sends the request, decodes the response as it arrives and hands it to the client's side. This is the relay: it runs once for each
/// read, on the call's event loop, without a task, a lock or a copy.
final class Attempt {
    /// How it went. `isCommitted` says whether anything has reached the client.
    enum Outcome {
        case answered
        case failed(ProviderError, reason: String)
    }

    /// A response that is not streamed is held whole.
    static let maxBufferedResponseBytes = 64 << 20
    /// What an upstream may send before its first content.
    static let maxStagedBytes = 16 << 20
    static let maxErrorBytes = 64 << 10
    /// Of what a head announces, so much is believed before it has come.
    private static let maxReservedBytes = 8 << 20

    /// No fault of the upstream's, and no other model would help.
    static let buffersFull = ProviderError(
        .upstreamError, message: "the router's buffers are full (`server.max_buffered`)", code: "buffers_full")

    private enum State {
        case waiting
        case decoding
        /// The status is none of success; its body is gathered.
        case refusing
        /// The response is complete or has failed; what still arrives is dropped.
        case done
    }

    // What each read touches stands first, side by side: with many streams every line of memory comes from afar.
    private var state = State.waiting
    private var isCommitted = false
    private var isClientSlow = false
    private let hasFilterChain: Bool
    private(set) var hasToolCall = false
    /// It counts against the process's budget of repeats.
    let isRepeat: Bool
    private let writer: any ResponseWriter
    /// Bytes that the decoder has not consumed.
    private var pending: ByteBuffer
    private let noBytes: ByteBuffer
    private var decoder: (any ResponseDecoder)?
    private var sink = ResponseSink()
    /// What is held back until `showHeld`; nil: nothing is.
    private var held: [(parts: [ResponsePart], bytes: ByteBuffer)]?
    private var heldBytes = 0
    private(set) var contentBytes = 0

    let step: AttemptSequence.Step
    /// What it holds of the model's and the provider's limits, and of its breaker.
    private var permit: AttemptPermit?
    let startedAt: NIODeadline
    let provider: LoopProvider
    /// The provider's: each look through it would copy it.
    private let translator: any Provider
    private let call: RunningCall
    private let providerCall: Call
    private let timeouts: Timeouts
    private var transport: (any AttemptTransport)?
    private var refusedHead: UpstreamHead?
    /// Of a response that is not streamed, until it is known that one read doesn't bring it all.
    private var bufferedHead: UpstreamHead?
    private var share: BufferShare
    private(set) var firstByteAt: NIODeadline?
    /// Of a stream.
    private(set) var firstContentAt: NIODeadline?

    /// What no response costs is no report.
    var usage: Usage? { sink.usage.flatMap { $0.isPlausible ? $0 : nil } }

    /// The response's text so far, where the call keeps it.
    var text: String { sink.text ?? "" }

    var keepsText: Bool { providerCall.keepsText }

    /// - Parameter isHeld: the client gets another attempt's response, or may: this one's is held back.
    init(
        call: RunningCall, step: AttemptSequence.Step, permit: consuming AttemptPermit, isRepeat: Bool, isHeld: Bool,
        startedAt: NIODeadline, provider: LoopProvider,
        timeouts: Timeouts, hasFilterChain: Bool, budget: BufferBudget
    ) {
        self.call = call
        writer = call.writer
        noBytes = call.loop.noBytes
        pending = noBytes
        self.step = step
        self.permit = consume permit
        self.isRepeat = isRepeat
        self.startedAt = startedAt
        held = isHeld ? [] : nil
        self.provider = provider
        translator = provider.translator
        providerCall = call.providerCall(for: step)
        self.timeouts = timeouts
        self.hasFilterChain = hasFilterChain
        share = BufferShare(budget)
    }

    /// Once, when it has ended.
    func takePermit() -> AttemptPermit? { permit.take() }

    /// Ends it from outside: the client left, or the process stops. The upstream's connection is closed at once.
    func abort(_ error: ProviderError) {
        fail(error, reason: error.failure.rawValue)
    }

    /// Before the commit the client's side takes everything, and after the end nothing is for it.
    var mayRead: Bool { !isClientSlow || !isCommitted || isDone }

    private var isDone: Bool {
        if case .done = state { true } else { false }
    }

    func clientWritable(_ isWritable: Bool) {
        isClientSlow = !isWritable
        // The silence of an upstream that nobody reads from is no fault of its own; the client's write stall bounds it.
        if isCommitted { transport?.watch(.idle, for: isWritable ? timeouts.idle : nil) }
        if isWritable { transport?.resumeReading() }
    }

    /// Sends the request. `call.ended` follows, once: when the response is whole or the attempt has failed.
    func start(deadline: NIODeadline) {
        let body = call.request.body
        do throws(ProviderError) {
            guard provider.pool != nil else {
                let local = LocalUpstream(
                    translator.response(to: providerCall, body: body.readableBytesSpan), eventLoop: call.loop.eventLoop, attempt: self)
                transport = local
                return local.start(deadline: deadline)
            }
            let request = try translator.request(for: providerCall, body: body.readableBytesSpan)
            let limits = UpstreamTimeouts(
                queue: timeouts.queue, connect: timeouts.connect, write: timeouts.write,
                firstByte: providerCall.isStream ? timeouts.firstByte : nil, total: deadline)
            transport = provider.start(request, clientBody: body, isStream: providerCall.isStream, timeouts: limits, delegate: self)
        } catch {
            fail(error, reason: error.failure.rawValue)
        }
    }

    func requestSent() {
        transport?.watch(
            providerCall.isStream ? .firstContent : .response, for: providerCall.isStream ? timeouts.firstContent : timeouts.response)
    }

    func headArrived(_ head: UpstreamHead) {
        firstByteAt = .now()
        guard (200..<300).contains(head.status) else {
            refusedHead = head
            state = .refusing
            return
        }
        do throws(ProviderError) {
            decoder = try translator.decoder(for: providerCall, head: head)
            state = .decoding
            if !providerCall.isStream { bufferedHead = head }
        } catch {
            fail(error, reason: error.failure.rawValue)
        }
    }

    func bodyArrived(_ bytes: ByteBuffer) {
        switch state {
        case .waiting, .done:
            return
        case .refusing:
            let room = Self.maxErrorBytes - pending.readableBytes
            if room > 0 {
                pending.writeImmutableBuffer(bytes.getSlice(at: bytes.readerIndex, length: min(room, bytes.readableBytes)) ?? bytes)
            }
        case .decoding:
            guard pending.readableBytes > 0 else { return decode(bytes) }
            // One owner while it grows; and what is read next needs a buffer that nobody holds.
            var all = noBytes
            swap(&all, &pending)
            if let length = bufferedHead.take()?["content-length"].flatMap({ Int($0) }) {
                all.reserveCapacity(min(max(length, 0), Self.maxReservedBytes))
            }
            all.writeImmutableBuffer(bytes)
            decode(all)
        }
    }

    func readCompleted() {
        if isCommitted { writer.flush() }
    }

    func ended() {
        switch state {
        case .done: return
        case .waiting: fail(ProviderError(.upstreamError, message: "the upstream sent no response"))
        case .refusing: fail(refusal())
        case .decoding: finishDecoding()
        }
    }

    func failed(_ failure: UpstreamFailure) {
        if isDone { return }
        if case .refusing = state {
            // The status is known, and that is what counts; its body may be cut.
            return fail(refusal())
        }
        if isCommitted, hasEndedByItself() { return complete() }
        let (error, reason) = failure.described()
        fail(error, reason: reason)
    }

    private func refusal() -> ProviderError {
        let bytes = pending
        return translator.failure(head: refusedHead ?? UpstreamHead(status: 502), body: bytes.readableBytesSpan)
    }

    /// A stream that had its finish reason is whole, however its connection ends.
    private func hasEndedByItself() -> Bool {
        let bytes = pending
        do throws(ProviderError) {
            try decoder?.finish(bytes.readableBytesSpan, into: &sink)
            pass(of: bytes)
            return true
        } catch {
            return false
        }
    }

    private func decode(_ bytes: consuming ByteBuffer) {
        do throws(ProviderError) {
            let consumed = try decoder?.decode(bytes.readableBytesSpan, into: &sink) ?? 0
            pass(of: bytes)
            bytes.moveReaderIndex(forwardBy: min(max(0, consumed), bytes.readableBytes))
        } catch {
            pass(of: bytes)
            return fail(error)
        }
        if isDone { return }
        if sink.isComplete { return complete() }
        guard bytes.readableBytes > 0 else { return }
        pending = bytes
        let limit = providerCall.isStream ? Self.maxStagedBytes + (64 << 10) : Self.maxBufferedResponseBytes
        guard pending.readableBytes <= limit else {
            return fail(
                ProviderError(
                    .upstreamError, message: "the upstream's response is longer than \(limit >> 20) MiB", code: "upstream_too_large"))
        }
        guard share.cover(pending.readableBytes + stagedBytes) else {
            return fail(Self.buffersFull)
        }
    }

    private func finishDecoding() {
        let bytes = pending
        do throws(ProviderError) {
            try decoder?.finish(bytes.readableBytesSpan, into: &sink)
            pass(of: bytes)
        } catch {
            pass(of: bytes)
            return fail(error)
        }
        if isDone { return }
        complete()
    }

    /// Hands what was decoded to the client's side, and commits to this model at its first content.
    private func pass(of bytes: ByteBuffer) {
        guard !sink.parts.isEmpty else { return }
        let content = sink.content
        contentBytes &+= content.contentBytes
        if content.isFiltered, hasFilterChain, !isCommitted {
            sink.removeParts()
            return fail(
                ProviderError(
                    .contentFilter, status: 200, message: "the provider's content filter stopped the response", code: "content_filter"))
        }
        if content.hasToolCall { hasToolCall = true }
        if held == nil {
            writer.write(sink.parts, of: bytes)
        } else {
            held?.append((sink.parts, bytes))
            heldBytes &+= bytes.readableBytes
        }
        sink.removeParts()
        guard !isCommitted else { return }
        if providerCall.isStream, content.hasBegun { commit() }
        if !isCommitted, stagedBytes > (providerCall.isStream ? Self.maxStagedBytes : Self.maxBufferedResponseBytes) {
            fail(ProviderError(.upstreamError, message: "the upstream sent too much before its first content", code: "upstream_too_large"))
        }
    }

    private var stagedBytes: Int { held == nil ? writer.stagedBytes : heldBytes }

    /// From now on the response is the client's; what was held back comes first.
    func showHeld() {
        guard let parts = held else { return }
        held = nil
        heldBytes = 0
        for (parts, bytes) in parts { writer.write(parts, of: bytes) }
    }

    private func commit() {
        isCommitted = true
        firstContentAt = .now()
        transport?.watch(.firstContent, for: nil)
        transport?.watch(.idle, for: timeouts.idle)
        call.committed(self)
    }

    private func complete() {
        guard isCommitted || !providerCall.isStream else {
            return fail(ProviderError(.upstreamError, message: "the upstream's stream was empty", code: "upstream_empty"))
        }
        state = .done
        // The connection is worth keeping if its framing ends soon.
        transport?.watch(.firstContent, for: nil)
        transport?.watch(.response, for: nil)
        transport?.watch(.idle, for: .seconds(1))
        end(.answered)
    }

    private func fail(_ error: ProviderError, reason: String? = nil) {
        if isDone { return }
        state = .done
        transport?.cancel()
        end(.failed(provider.instance.mask(error), reason: reason ?? error.failure.rawValue))
    }

    private func end(_ outcome: Outcome) {
        transport = nil
        _ = share.cover(0)
        call.ended(self, outcome)
    }
}

extension Attempt: UpstreamDelegate {
    var upstreamMayRead: Bool { mayRead }

    func upstreamRequestSent(_ call: UpstreamCall) {
        transport = call  // it may come before `start` returns
        requestSent()
    }

    func upstream(_ call: UpstreamCall, head: UpstreamResponseHead) {
        // Only an error may name a point in time.
        let receivedAt = head.status < 400 ? nil : WallClock.seconds
        headArrived(UpstreamHead(status: head.status, fields: WireFields(fields: head.fields), receivedAt: receivedAt))
    }

    func upstream(_ call: UpstreamCall, body: ByteBuffer) { bodyArrived(body) }

    func upstreamReadComplete(_ call: UpstreamCall) { readCompleted() }

    func upstreamEnd(_ call: UpstreamCall) { ended() }

    func upstream(_ call: UpstreamCall, failed failure: UpstreamFailure) { failed(failure) }
}

/// An upstream's header fields, read where they lie.
private struct WireFields: HTTPFieldLookup {
    var fields: HTTPFields

    func value(_ name: String) -> String? { fields.value(name) }
}
