import Synchronization

/// A fixed number of slots, and a queue with at most the same number of waiters.
///
/// A slot that becomes free goes directly to the next waiter. No slot is free while a request waits, so no request can
/// overtake the queue.
package final class ConcurrencyGate: Sendable {
    package typealias Grant = @Sendable () -> Void

    /// A place in the queue.
    package struct Ticket: Sendable, Hashable {
        fileprivate var number: Int
    }

    package enum Entry: Sendable, Equatable {
        /// The request has a slot.
        case entered
        case queued(Ticket)
        /// All slots are taken and the queue is full.
        case full
    }

    private struct State {
        var inUse = 0
        var queue = FairQueue<Grant>()
    }

    package let slots: Int
    private let state = Mutex(State())
    /// A copy of `State.inUse` for readers without the lock.
    private let occupied = Atomic(0)

    /// - Parameter slots: at least 1.
    package init(slots: Int) {
        self.slots = max(slots, 1)
    }

    /// A separate gate with as many taken slots and nobody in its queue.
    func copy() -> ConcurrencyGate {
        let copy = ConcurrencyGate(slots: slots)
        for _ in 0..<inUse { _ = copy.tryEnter() }
        return copy
    }

    /// The number of taken slots, including those granted to waiters.
    package var inUse: Int { occupied.load(ordering: .relaxed) }

    package var isFull: Bool { inUse >= slots }

    package var waiting: Int { state.withLock { $0.queue.count } }

    /// Takes a slot if one is free.
    package func tryEnter() -> Bool {
        state.withLock { takeSlot(&$0) }
    }

    /// Takes a slot or a place in the queue.
    ///
    /// - Parameters:
    ///   - fairnessKey: the owner of the request; the queue serves the owners in rotation.
    ///   - onGrant: called once when a queued request gets a slot. It runs outside the lock, on the thread that freed
    ///     the slot, possibly before this function returns.
    package func enter(fairnessKey: String?, onGrant: @escaping Grant) -> Entry {
        state.withLock { state in
            if takeSlot(&state) { return .entered }
            guard state.queue.count < slots else { return .full }
            return .queued(Ticket(number: state.queue.append(onGrant, fairnessKey: fairnessKey)))
        }
    }

    /// Hands the slot to the next waiter, or frees it if the queue is empty.
    package func leave() {
        let grant = state.withLock { state -> Grant? in
            if let next = state.queue.popFirst() { return next }
            precondition(state.inUse > 0, "a slot was freed twice")
            state.inUse -= 1
            occupied.store(state.inUse, ordering: .relaxed)
            return nil
        }
        grant?()
    }

    /// Whether the request still waits. False after a slot was granted, and after `cancel`.
    package func isQueued(_ ticket: Ticket) -> Bool {
        state.withLock { $0.queue.contains(ticket.number) }
    }

    /// Removes the request from the queue. False if it already has a slot, which the caller must then free with
    /// `leave`.
    package func cancel(_ ticket: Ticket) -> Bool {
        state.withLock { $0.queue.remove(ticket.number) }
    }

    private func takeSlot(_ state: inout State) -> Bool {
        guard state.inUse < slots else { return false }
        state.inUse += 1
        occupied.store(state.inUse, ordering: .relaxed)
        return true
    }
}
