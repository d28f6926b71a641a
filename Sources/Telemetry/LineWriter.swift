import Glibc
import Synchronization

/// Writes lines to a log on a separate thread. `write` never waits: if the log's reader or its disk is too slow, the
/// queue reaches its limit, and further lines are dropped and counted.
///
/// A file that was renamed, or removed, is opened anew before the next line; ``reopen()`` does so at once.
package final class LineWriter: Sendable {
    private static let maxQueuedBytes = 8 << 20
    /// A buffer with a larger capacity is released instead of reused.
    private static let maxReusedBytes = 1 << 20
    /// The thread waits this long for more lines, so that a busy router writes few large blocks.
    private static let batchMicroseconds: UInt32 = 20_000
    /// How often a closed writer waits that long for a reader before it gives up: 5 seconds.
    private static let maxClosingWaits = 250

    private struct Queue {
        var bytes: [UInt8] = []
        var isClosed = false
        /// Whether the thread is awake or has been signalled.
        var isAwake = false
    }

    private let queue = Mutex(Queue())
    private let dropped: LineCounter
    private let mustReopen = Atomic(false)
    private let wake: Semaphore
    private let finished: Semaphore
    private let report: @Sendable (LogFileFailure?) -> Void

    /// - Parameter descriptor: the writer does not close it.
    package convenience init(descriptor: Int32) {
        self.init(LogFile(descriptor: descriptor))
    }

    /// - Parameters:
    ///   - file: closed at the end.
    ///   - dropped: counts the dropped lines.
    ///   - report: called on the writer's thread when lines can't be written, once, and with nil when they can again.
    init(_ file: LogFile, dropped: LineCounter = LineCounter(), report: @escaping @Sendable (LogFileFailure?) -> Void = { _ in }) {
        self.dropped = dropped
        self.report = report
        wake = Semaphore()
        finished = Semaphore()
        Thread.detach { [self] in
            var output = Output(file: file)
            run(&output)
            output.file.close()
            finished.signal()
        }
    }

    /// The number of lines dropped since the start.
    package var droppedLines: Int { dropped.count }

    /// Queues a line. Returns false if the writer is closed.
    ///
    /// - Parameter line: the bytes without the line feed.
    @discardableResult
    package func write(_ line: UnsafeRawBufferPointer) -> Bool {
        let (isOpen, mustWake) = queue.withLock { queue -> (Bool, Bool) in
            guard !queue.isClosed else { return (false, false) }
            guard queue.bytes.count + line.count < Self.maxQueuedBytes else {
                dropped.add(1)
                return (true, false)
            }
            queue.bytes.append(contentsOf: line)
            queue.bytes.append(0x0A)
            defer { queue.isAwake = true }
            return (true, !queue.isAwake)
        }
        if mustWake { wake.signal() }
        return isOpen
    }

    /// Opens the file anew when the lines that are queued have been written.
    package func reopen() {
        mustReopen.store(true, ordering: .releasing)
        wake.signal()
    }

    /// Writes the queued lines and ends the thread. Waits for at most `milliseconds`.
    package func close(within milliseconds: Int) {
        queue.withLock { $0.isClosed = true }
        wake.signal()
        finished.wait(milliseconds: milliseconds)
    }

    // MARK: The thread

    private struct Output {
        var file: LogFile
        /// Whether a block was cut off inside a line.
        var isInsideLine = false
        /// Why the last block could not be written, and why the file could not be opened anew; nil if it could.
        var writing: LogFileFailure?
        var opening: LogFileFailure?
    }

    private func run(_ output: inout Output) {
        var isOpen = true
        var block: [UInt8] = []
        while isOpen {
            wake.wait()
            var hasMore = true
            while hasMore {
                if queue.withLock({ !$0.isClosed }) { usleep(Self.batchMicroseconds) }
                queue.withLock { swap(&$0.bytes, &block) }
                if !block.isEmpty, output.file.hasMoved { reopen(&output) }
                put(block, &output)
                if mustReopen.exchange(false, ordering: .acquiring) { reopen(&output) }
                // The two buffers are reused, unless a burst has enlarged them.
                if block.capacity > Self.maxReusedBytes { block = [] } else { block.removeAll(keepingCapacity: true) }
                hasMore = queue.withLock { queue in
                    isOpen = !queue.isClosed
                    queue.isAwake = !queue.bytes.isEmpty
                    return queue.isAwake
                }
            }
        }
    }

    private func reopen(_ output: inout Output) {
        do throws(LogFileFailure) {
            try output.file.reopen()
            output.isInsideLine = false
            note(nil, \.opening, &output)
        } catch {
            note(error, \.opening, &output)
        }
    }

    private func put(_ block: [UInt8], _ output: inout Output) {
        guard !block.isEmpty else { return }
        if output.isInsideLine {
            // What was cut off must not spoil the next line too.
            guard write([0x0A], &output) == 1 else { return drop(block[...]) }
            output.isInsideLine = false
        }
        let count = write(block, &output)
        guard count < block.count else { return note(nil, \.writing, &output) }
        output.isInsideLine = count > 0 && block[count - 1] != 0x0A
        drop(block[count...])
    }

    /// Writes bytes. Returns how many were written, which is fewer after a failure.
    private func write(_ bytes: [UInt8], _ output: inout Output) -> Int {
        var start = 0, waits = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { Glibc.write(output.file.descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                start += count
            } else if errno == EAGAIN, waits < Self.maxClosingWaits {
                if queue.withLock({ $0.isClosed }) { waits += 1 }
                usleep(Self.batchMicroseconds)
            } else if errno != EINTR {
                // The reader has closed its end, or the disk is full.
                note(LogFileFailure(errno), \.writing, &output)
                return start
            }
        }
        return start
    }

    private func drop(_ lines: ArraySlice<UInt8>) {
        dropped.add(lines.reduce(into: 0) { $0 += $1 == 0x0A ? 1 : 0 })
    }

    /// Remembers whether something fails, and reports a change of that.
    private func note(_ failure: LogFileFailure?, _ what: WritableKeyPath<Output, LogFileFailure?>, _ output: inout Output) {
        if (failure == nil) != (output[keyPath: what] == nil) { report(failure) }
        output[keyPath: what] = failure
    }
}

/// Counts lines, for several writers that follow each other.
final class LineCounter: Sendable {
    private let stored = Atomic(0)

    var count: Int { stored.load(ordering: .relaxed) }

    func add(_ lines: Int) { stored.add(lines, ordering: .relaxed) }
}
