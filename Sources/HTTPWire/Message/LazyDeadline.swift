package import NIOCore

/// A deadline that is moved often and reached rarely, with one scheduled callback. Moving it to later costs only a
/// store; a callback that runs too early schedules the next one.
package final class LazyDeadline: @unchecked Sendable {  // confined to its event loop
    /// The longest time that the callback is scheduled ahead. An earlier deadline then rarely has to cancel it, which
    /// scans all timers of the event loop.
    private static let stride = TimeAmount.seconds(4)

    private let eventLoop: any EventLoop
    private var action: ((NIODeadline) -> Void)?
    private var scheduledAt: NIODeadline?
    private var callback: NIOScheduledCallback?
    /// nil if disarmed.
    private var deadline: NIODeadline?

    package init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    package convenience init(eventLoop: any EventLoop, action: @escaping (NIODeadline) -> Void) {
        self.init(eventLoop: eventLoop)
        run(action)
    }

    /// Sets the action. It gets the current time, at or after the deadline; the deadline is disarmed before it runs.
    /// The action is retained until `invalidate`, which an owner that it captures must call at its end. (A weak
    /// reference would make every later retain of the owner slow.)
    package func run(_ action: @escaping (NIODeadline) -> Void) { self.action = action }

    /// Sets or moves the deadline; nil disarms it.
    package func set(_ deadline: NIODeadline?) {
        self.deadline = deadline
        guard let deadline else { return }
        if let scheduledAt, scheduledAt <= deadline { return }
        callback?.cancel()
        schedule(deadline, now: eventLoop.now)
    }

    /// Disarms the deadline permanently and releases the action.
    package func invalidate() {
        deadline = nil
        action = nil
    }

    /// Sets the deadline unless an earlier one is set.
    package func setEarlier(_ deadline: NIODeadline) {
        if let current = self.deadline, current <= deadline { return }
        set(deadline)
    }

    private func schedule(_ deadline: NIODeadline, now: NIODeadline) {
        let next = min(deadline, now + Self.stride)
        scheduledAt = next
        // Fails only if the event loop is shut down; then deadlines no longer matter.
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
