import Glibc
import Synchronization

/// Writes lines to a file descriptor from a thread of its own. Bounded: where the descriptor is slower than the lines come, lines are dropped and counted,
/// and nobody ever waits.
package final class LineWriter: Sendable {
    private static let maxQueuedBytes = 8 << 20
    private static let maxKeptBytes = 1 << 20
    /// Lines are gathered for so long, so that a busy router writes few large blocks.
    private static let gatherMicroseconds: UInt32 = 20_000

    private struct Queue {
        var bytes: [UInt8] = []
        var isClosed = false
        /// The thread is awake, or has been woken.
        var isAwake = false
    }

    private let queue = Mutex(Queue())
    private let dropped = Atomic(0)
    private let wake: Semaphore
    private let finished: Semaphore
    private let descriptor: Int32

    /// - Parameter descriptor: stays the client's.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
        wake = Semaphore()
        finished = Semaphore()
        Thread.detach { [self] in run() }
    }

    /// Lines that were not written, since start.
    package var droppedLines: Int { dropped.load(ordering: .relaxed) }

    /// - Parameter line: without a line feed.
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

    /// Writes what is queued and ends the thread; waits for that at most `milliseconds`.
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
                if queue.withLock({ !$0.isClosed }) { usleep(Self.gatherMicroseconds) }
                queue.withLock { swap(&$0.bytes, &block) }
                put(block)
                // Both buffers are used again, but what a burst took isn't kept.
                if block.capacity > Self.maxKeptBytes { block = [] } else { block.removeAll(keepingCapacity: true) }
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
            let count = block[start...].withUnsafeBytes { unistd_write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                start += count
            } else if errno == EAGAIN {
                usleep(Self.gatherMicroseconds)
            } else if errno != EINTR {
                // The reader is gone or the disk is full: these lines are lost, and counted.
                let lines = block[start...].reduce(into: 0) { $0 += $1 == 0x0A ? 1 : 0 }
                dropped.add(lines, ordering: .relaxed)
                return
            }
        }
    }
}

private func unistd_write(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
