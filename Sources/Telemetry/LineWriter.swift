import Glibc
import Synchronization

/// Writes lines to a file descriptor on a separate thread. `write` never waits: if the descriptor is too slow, the
/// queue reaches its limit, and further lines are dropped and counted.
package final class LineWriter: Sendable {
    private static let maxQueuedBytes = 8 << 20
    /// A buffer with a larger capacity is released instead of reused.
    private static let maxReusedBytes = 1 << 20
    /// The thread waits this long for more lines, so that a busy router writes few large blocks.
    private static let batchMicroseconds: UInt32 = 20_000

    private struct Queue {
        var bytes: [UInt8] = []
        var isClosed = false
        /// Whether the thread is awake or has been signalled.
        var isAwake = false
    }

    private let queue = Mutex(Queue())
    private let dropped = Atomic(0)
    private let wake: Semaphore
    private let finished: Semaphore
    private let descriptor: Int32

    /// - Parameter descriptor: the writer does not close it.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
        wake = Semaphore()
        finished = Semaphore()
        Thread.detach { [self] in run() }
    }

    /// The number of lines dropped since the start.
    package var droppedLines: Int { dropped.load(ordering: .relaxed) }

    /// Queues a line.
    ///
    /// - Parameter line: the bytes without the line feed.
    package func write(_ line: UnsafeRawBufferPointer) {
        let mustWake = queue.withLock { queue -> Bool in
            guard !queue.isClosed, queue.bytes.count + line.count < Self.maxQueuedBytes else {
                dropped.add(1, ordering: .relaxed)
                return false
            }
            queue.bytes.append(contentsOf: line)
            queue.bytes.append(0x0A)
            defer { queue.isAwake = true }
            return !queue.isAwake
        }
        if mustWake { wake.signal() }
    }

    /// Writes the queued lines and ends the thread. Waits for at most `milliseconds`.
    package func close(within milliseconds: Int) {
        queue.withLock { $0.isClosed = true }
        wake.signal()
        finished.wait(milliseconds: milliseconds)
    }

    private func run() {
        var isOpen = true
        var block: [UInt8] = []
        while isOpen {
            wake.wait()
            var hasMore = true
            while hasMore {
                if queue.withLock({ !$0.isClosed }) { usleep(Self.batchMicroseconds) }
                queue.withLock { swap(&$0.bytes, &block) }
                put(block)
                // The two buffers are reused, unless a burst has enlarged them.
                if block.capacity > Self.maxReusedBytes { block = [] } else { block.removeAll(keepingCapacity: true) }
                hasMore = queue.withLock { queue in
                    isOpen = !queue.isClosed
                    queue.isAwake = !queue.bytes.isEmpty
                    return queue.isAwake
                }
            }
        }
        finished.signal()
    }

    private func put(_ block: [UInt8]) {
        var start = 0
        while start < block.count {
            let count = block[start...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                start += count
            } else if errno == EAGAIN {
                usleep(Self.batchMicroseconds)
            } else if errno != EINTR {
                // The reader has closed its end, or the disk is full.
                let lines = block[start...].reduce(into: 0) { $0 += $1 == 0x0A ? 1 : 0 }
                dropped.add(lines, ordering: .relaxed)
                return
            }
        }
    }
}
