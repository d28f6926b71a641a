package import NIOCore

/// A deadline that is moved often and reached seldom: one scheduled callback per owner. A later deadline than the one scheduled costs a store;
/// a callback that comes too early schedules the next one. Used on its event loop alone.
package final class LazyDeadline: @unchecked Sendable {  // confined to its event loop
    /// The callback is never scheduled further ahead than this, so that a shorter deadline seldom has to cancel it: that scans all timers of the loop.
    private static let stride = TimeAmount.seconds(4)

    private let eventLoop: any EventLoop
    private var action: ((NIODeadline) -> Void)?
    private var scheduledAt: NIODeadline?
    private var callback: NIOScheduledCallback?
    /// What was asked for; nil asks for nothing.
    package private(set) var deadline: NIODeadline?

    package init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    package convenience init(eventLoop: any EventLoop, action: @escaping (NIODeadline) -> Void) {
        self.init(eventLoop: eventLoop)
        run(action)
    }

    /// `action` gets the time at which it runs, at or after the deadline, and the deadline is forgotten before it runs. It is held until `invalidate`: an owner that it
    /// captures calls that at its end. (A weak capture would make every retain of the owner slow, for good.)
    package func run(_ action: @escaping (NIODeadline) -> Void) { self.action = action }

    /// Replaces the deadline; nil disarms.
    package func set(_ deadline: NIODeadline?) {
        self.deadline = deadline
        guard let deadline else { return }
        if let scheduledAt, scheduledAt <= deadline { return }
        callback?.cancel()
        schedule(deadline, now: eventLoop.now)
    }

    /// Disarms it for ever, and lets go of the action.
    package func invalidate() {
        deadline = nil
        action = nil
    }

    /// Moves the deadline to `deadline` where that is earlier.
    package func setEarlier(_ deadline: NIODeadline) {
        if let current = self.deadline, current <= deadline { return }
        set(deadline)
    }

    private func schedule(_ deadline: NIODeadline, now: NIODeadline) {
        let next = min(deadline, now + Self.stride)
        scheduledAt = next
        // Fails only where the loop has been shut down: then no deadline matters any more.
        callback = try? eventLoop.scheduleCallback(at: next, handler: self)
    }
}

extension LazyDeadline: NIOScheduledCallbackHandler {
    package func handleScheduledCallback(eventLoop: some EventLoop) {
        scheduledAt = nil
        callback = nil
        guard let deadline else { return }
        let now = eventLoop.now
        if deadline <= now {
            self.deadline = nil
            action?(now)
        } else {
            schedule(deadline, now: now)
        }
    }
}
