/// Checks the frames of one streamed response: all numbered chunks in order, a finish reason, the end marker and
/// nothing after it.
struct StreamReader {
    private var pending = ByteQueue(capacity: 4096)
    private let marks: StreamFormat.Marks
    private let chunks: UInt64
    private var nextNumber: UInt64 = 0
    private var finished = false
    private var done = false
    private(set) var isBroken = false

    init(_ marks: StreamFormat.Marks, chunks: Int) {
        self.marks = marks
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
        while let end = pending.bytes.end(of: marks.frameEnd) {
            if let stamp = read(UnsafeRawBufferPointer(rebasing: pending.bytes[..<end])) { arrived(stamp) }
            pending.consume(end)
        }
    }

    private mutating func read(_ frame: UnsafeRawBufferPointer) -> Nanoseconds? {
        guard frame.hasBytes(marks.start, at: 0) else {
            // A comment (keep-alive) is allowed anywhere. Other fields are not.
            if !frame.hasBytes(":", at: 0) { isBroken = true }
            return nil
        }
        if done || frame.hasBytes(marks.failure, at: 0) { isBroken = true }
        if let end = marks.end, frame.hasBytes(end, at: 0) { done = true }
        if !finished, frame.end(of: marks.finish) != nil {
            finished = true
            if marks.end == nil { done = true }
        }
        return stamp(frame)
    }

    private mutating func stamp(_ frame: UnsafeRawBufferPointer) -> Nanoseconds? {
        guard let text = frame.end(of: marks.text), let number = frame.decimal(at: text) else { return nil }
        guard number.value == nextNumber, let stamp = frame.decimal(at: number.end) else {
            isBroken = true
            return nil
        }
        nextNumber += 1
        return stamp.value
    }
}
