import NIOCore

/// A connection that can postpone its flush to the end of the event loop's tick.
protocol Flushing: AnyObject {
    /// Called once for each `add`. The connection may have been closed in the meantime.
    func flushAtTickEnd()
}

/// Collects the flushes of one event loop tick, so that everything is read and processed first and then written.
/// Consecutive writes wake a peer process once for many messages and run from warm caches; alternating reads and writes
/// wake it for every message. Measured on two cores: without it, a request costs 14 % more CPU time with 64
/// connections, and 20 % more with 16. For non-streamed messages; the chunks of a stream are flushed when they arrive.
final class FlushQueue: @unchecked Sendable {  // confined to its event loop
    private let eventLoop: any EventLoop
    private var waiting: [any Flushing] = []
    private var flushed: [any Flushing] = []

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func add(_ member: any Flushing) {
        waiting.append(member)
        guard waiting.count == 1 else { return }
        // Runs after all events of this tick are handled.
        eventLoop.execute { [self] in flush() }
    }

    private func flush() {
        swap(&waiting, &flushed)
        for member in flushed { member.flushAtTickEnd() }
        flushed.removeAll(keepingCapacity: true)
    }
}
