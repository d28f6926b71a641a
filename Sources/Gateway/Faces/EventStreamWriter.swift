import Engine
import HTTPWire
import NIOCore
import ProviderKit

/// A streamed response: what the streams of all faces have in common, whatever their framing is.
///
/// Until the commit (the first content, after which no other model is called), bytes are staged and not sent. A client
/// that hears nothing for `server.keepalive` gets the face's sign of life; if the head must go out for that, before a
/// model is chosen, it has no call record.
///
/// A subclass writes the frames of its format: it overrides `begin`, `write`, `resume`, `writeEnd`, `writeFailure` and
/// `keepAlive`. A frame is what the format cuts the stream into, such as a server-sent event or a line of JSON.
class EventStreamWriter: ResponseWriter {
    // The properties that every chunk uses come first, so that they share a cache line.
    private final let server: ServerExchange
    private final var hasUnflushedBytes = false
    final private(set) var isCommitted = false
    private final var isHeadSent = false
    final private(set) var hasEnded = false
    /// Whether another model may continue the stream if it breaks.
    final private(set) var mayResume = false
    private final var lastWrite: NIODeadline
    final var record: CallRecord?
    /// The bytes that are staged until the commit.
    private final var staged = ByteBuffer()
    final let exchange: Exchange
    final let eventLoop: any EventLoop
    private final let contentType: String
    private final let keepAliveTime: TimeAmount
    private final lazy var keepAliveTimer = LazyDeadline(eventLoop: eventLoop) { [self] now in sendKeepAlive(now) }

    init(_ exchange: Exchange, contentType: String = "text/event-stream; charset=utf-8") {
        self.exchange = exchange
        self.contentType = contentType
        server = exchange.server
        eventLoop = exchange.server.eventLoop
        keepAliveTime = TimeAmount(exchange.snapshot.policy.server.keepalive)
        lastWrite = .now()
        keepAliveTimer.set(lastWrite + keepAliveTime)
    }

    final var stagedBytes: Int { staged.readableBytes }

    // MARK: Overridden

    func begin(_ record: CallRecord) {
        self.record = record
        mayResume = record.mayResume
        staged.clear()
    }

    func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {}

    func resume(_ record: CallRecord) { self.record = record }

    /// Writes what ends a complete response.
    func writeEnd() {}

    /// What breaks the silence.
    var keepAlive: ByteBuffer { ByteBuffer() }

    /// Writes the frame for an error after the head was sent.
    func writeFailure(_ error: APIError) {}

    func stopTimers() {
        hasEnded = true
        keepAliveTimer.invalidate()
    }

    // MARK: The same for all

    final func commit(_ record: CallRecord) {
        isCommitted = true
        self.record = record
        sendHead()
        let bytes = staged
        staged = ByteBuffer()
        send(bytes)
    }

    final func flush() {
        guard isCommitted, hasUnflushedBytes else { return }
        hasUnflushedBytes = false
        server.flush()
        lastWrite = .now()
    }

    /// Streams are not checked.
    final func isJSON(_ response: [(parts: [ResponsePart], bytes: ByteBuffer)]) -> Bool { true }

    final func finish(_ record: CallRecord) {
        self.record = record
        writeEnd()
        end(error: nil)
    }

    final func fail(_ failure: CallFailure, _ record: CallRecord) {
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
            // Only signs of life have been sent so far. What is staged is dropped, and the error is sent at once.
            begin(record)
            isCommitted = true
        }
        writeFailure(error)
        end(error: error)
    }

    /// Sends bytes to the client, or stages them until the commit.
    final func send(_ bytes: ByteBuffer) {
        guard isCommitted else {
            staged.writeImmutableBuffer(bytes)
            return
        }
        server.write(bytes)
        hasUnflushedBytes = true
    }

    /// Sends a range of bytes, without a copy if they are not staged.
    final func send(_ range: Range<Int>, of bytes: ByteBuffer) {
        if let slice = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) { send(slice) }
    }

    /// Adds a frame to the run of adjacent frames that are sent as one slice.
    @inline(__always)
    final func add(_ frame: Range<Int>, to run: inout Range<Int>?, of bytes: ByteBuffer) {
        if let range = run, range.upperBound == frame.lowerBound {
            run = range.lowerBound..<frame.upperBound
        } else {
            send(&run, of: bytes)
            run = frame
        }
    }

    /// Sends a run of frames.
    @inline(__always)
    final func send(_ run: inout Range<Int>?, of bytes: ByteBuffer) {
        if let range = run { send(range, of: bytes) }
        run = nil
    }

    private final func sendHead() {
        guard !isHeadSent else { return }
        isHeadSent = true
        var head = ResponseHead(status: 200)
        head.add("content-type", contentType)
        head.add("cache-control", "no-cache")
        head.add("x-accel-buffering", "no")
        exchange.addCommonFields(to: &head)
        if isCommitted, let record { exchange.addFields(record, to: &head) }
        exchange.addRequestID(to: &head)
        server.begin(head)
    }

    private final func sendKeepAlive(_ now: NIODeadline) {
        guard !hasEnded else { return }
        guard lastWrite + keepAliveTime <= now else { return keepAliveTimer.set(lastWrite + keepAliveTime) }
        sendHead()
        server.write(keepAlive)
        server.flush()
        lastWrite = now
        keepAliveTimer.set(now + keepAliveTime)
    }

    private final func end(error: APIError?) {
        stopTimers()
        server.end()
        exchange.end(status: 200, record: record, error: error)
    }
}
