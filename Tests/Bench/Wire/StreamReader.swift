/// Checks the events of one streamed response: all numbered chunks in order, a finish reason, the end marker and
/// nothing after it.
struct StreamReader {
    private var pending = ByteQueue(capacity: 4096)
    private let format: StreamFormat
    private let chunks: UInt64
    private var nextNumber: UInt64 = 0
    private var finished = false
    private var done = false
    private(set) var isBroken = false

    init(_ format: StreamFormat, chunks: Int) {
        self.format = format
        self.chunks = UInt64(chunks)
    }

    func deallocate() {
        pending.deallocate()
    }

    /// Whether everything that the mock sends has arrived, and nothing else.
    var isComplete: Bool { !isBroken && done && finished && nextNumber == chunks && pending.isEmpty }

    /// Calls `arrived` with the mock's timestamp for each numbered chunk that `bytes` complete.
    @inline(__always)
    mutating func take(_ bytes: UnsafeRawBufferPointer, arrived: (Nanoseconds) -> Void) {
        pending.append(bytes)
        while let end = pending.bytes.end(of: "\n\n") {
            if let stamp = read(UnsafeRawBufferPointer(rebasing: pending.bytes[..<end])) { arrived(stamp) }
            pending.consume(end)
        }
    }

    private mutating func read(_ event: UnsafeRawBufferPointer) -> Nanoseconds? {
        switch format {
        case .openAI: readChunk(event)
        case .anthropic: readMessageEvent(event)
        }
    }

    private mutating func readMessageEvent(_ event: UnsafeRawBufferPointer) -> Nanoseconds? {
        if done || !event.hasBytes("event: ", at: 0) || event.hasBytes("event: error", at: 0) { isBroken = true }
        if event.hasBytes("event: message_stop", at: 0) { done = true }
        if event.end(of: "\"stop_reason\":\"") != nil { finished = true }
        return stamp(event, after: "\"text\":\"")
    }

    private mutating func readChunk(_ event: UnsafeRawBufferPointer) -> Nanoseconds? {
        guard event.hasBytes("data: ", at: 0) else {
            // A comment (keep-alive) is allowed anywhere. Other fields are not.
            if !event.hasBytes(":", at: 0) { isBroken = true }
            return nil
        }
        if done || event.hasBytes("data: {\"error\"", at: 0) { isBroken = true }
        if event.hasBytes("data: [DONE]", at: 0) {
            done = true
            return nil
        }
        if event.end(of: "\"finish_reason\":\"") != nil { finished = true }
        return stamp(event, after: "\"content\":\"")
    }

    private mutating func stamp(_ event: UnsafeRawBufferPointer, after key: StaticString) -> Nanoseconds? {
        guard let content = event.end(of: key), let number = event.decimal(at: content) else { return nil }
        guard number.value == nextNumber, let stamp = event.decimal(at: number.end) else {
            isBroken = true
            return nil
        }
        nextNumber += 1
        return stamp.value
    }
}
