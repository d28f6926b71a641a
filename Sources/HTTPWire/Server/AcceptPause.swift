import Glibc
import NIOCore
import Synchronization

/// Stops accepting connections while the process is short of file descriptors. An accept that fails without one
/// would be tried again at once, and keep an event loop busy with nothing else.
final class AcceptPause: Sendable {
    private static let longestPause = TimeAmount.seconds(1)
    private static let warningInterval = TimeAmount.seconds(60)

    let descriptors: DescriptorLimit
    /// Tells the operator of a shortage, at most once a minute. The argument is the limit on open files.
    private let warn: @Sendable (Int) -> Void
    private let state = Mutex(State())

    private struct State {
        var listeners: [any Channel] = []
        var isPaused = false
        var warnedAt: NIODeadline?
    }

    init(_ descriptors: DescriptorLimit, warn: @escaping @Sendable (Int) -> Void) {
        self.descriptors = descriptors
        self.warn = warn
    }

    func add(_ listener: any Channel) {
        state.withLock { $0.listeners.append(listener) }
        listener.closeFuture.whenComplete { [self] _ in
            state.withLock { state in state.listeners.removeAll { $0 === listener } }
        }
    }

    /// Whether a connection that was accepted with this descriptor is served. It isn't if it has taken one of the last,
    /// which reloads and logs need.
    func accepts(_ descriptor: CInt) -> Bool {
        guard Int(descriptor) >= descriptors.firstForUpstreams else { return true }
        begin()
        return Int(descriptor) < descriptors.firstForFiles
    }

    /// Stops accepting before the next connection would take one of the descriptors for upstreams: a connection that is
    /// accepted and closed again is lost to its client, and one that isn't accepted waits.
    ///
    /// - Parameter connections: the number of the clients' connections. As long as it is small, nothing is checked.
    func accepted(_ connections: Int) {
        if connections >= descriptors.limit / 16, !hasFreeDescriptor { begin() }
    }

    /// Stops accepting until a descriptor below those for upstreams is free. Looks for one when a connection closes,
    /// and every second.
    func begin() {
        let now = NIODeadline.now()
        let (listeners, isWarning) = state.withLock { state -> ([any Channel], Bool) in
            guard !state.isPaused else { return ([], false) }
            state.isPaused = true
            let isWarning = state.warnedAt.map { now - $0 >= Self.warningInterval } ?? true
            if isWarning { state.warnedAt = now }
            return (state.listeners, isWarning)
        }
        if isWarning { warn(descriptors.limit) }
        guard let first = listeners.first else { return }
        for listener in listeners { Self.setAccepting(listener, false) }
        scheduleEnd(on: first.eventLoop)
    }

    private func scheduleEnd(on eventLoop: any EventLoop) {
        eventLoop.scheduleTask(in: Self.longestPause) { [self] in
            if !end() { scheduleEnd(on: eventLoop) }
        }
    }

    /// Accepts again if a descriptor is free. Returns false if none is.
    @discardableResult
    func end() -> Bool {
        guard state.withLock({ $0.isPaused }) else { return true }
        guard hasFreeDescriptor else { return false }
        let listeners = state.withLock { state -> [any Channel] in
            guard state.isPaused else { return [] }
            state.isPaused = false
            return state.listeners
        }
        for listener in listeners { Self.setAccepting(listener, true) }
        return true
    }

    /// Whether the lowest free descriptor is below those for upstreams.
    private var hasFreeDescriptor: Bool {
        let lowest = dup(0)
        guard lowest >= 0 else { return false }
        close(lowest)
        return Int(lowest) < descriptors.firstForUpstreams
    }

    private static func setAccepting(_ listener: any Channel, _ isOn: Bool) {
        _ = listener.setOption(.autoRead, value: isOn)
    }
}
