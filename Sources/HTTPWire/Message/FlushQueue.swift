import NIOCore

/// What has written something that is to be flushed at the end of the event loop's tick.
protocol Flushing: AnyObject {
    /// Once for each time it was added; it may have been closed meanwhile.
    func flushAtTickEnd()
}

/// Gathers the flushes of one tick of an event loop: all that is ready is read and worked on first, then everything is written. Each write wakes its peer; write
/// after write, with nothing between them, wake it once for many messages, where read and write in turn would wake it for each, and run from warm caches.
/// Measured with 64 connections on two cores: a third less kernel time per request. For what goes out as one message; a stream's chunks are flushed as they come.
final class FlushQueue: @unchecked Sendable {  // confined to its event loop
    private let eventLoop: any EventLoop
    private var waiting: [any Flushing] = []
    private var flushed: [any Flushing] = []

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func add(_ member: any Flushing) {
        waiting.append(member)
        guard waiting.count == 1 else { return }
        // Runs when the events that this tick began with have been handled.
        eventLoop.execute { [self] in flush() }
    }

    private func flush() {
        swap(&waiting, &flushed)
        for member in flushed { member.flushAtTickEnd() }
        flushed.removeAll(keepingCapacity: true)
    }
}
