import Synchronization

/// So many slots, and a queue of at most as many waiters.
///
/// A slot that becomes free goes to the next waiter: while anybody waits, none is free, so nobody passes the queue.
package final class ConcurrencyGate: Sendable {
    package typealias Grant = @Sendable () -> Void

    /// A place in the queue.
    package struct Ticket: Sendable, Hashable {
        fileprivate var number: Int
    }

    package enum Entry: Sendable, Equatable {
        /// A slot is held.
        case entered
        case queued(Ticket)
        /// Neither a slot nor a place in the queue is free.
        case full
    }

    private struct State {
        var inUse = 0
        var line = FairQueue<Grant>()
    }

    package let slots: Int
    private let state = Mutex(State())
    /// `State.inUse`, for readers without the lock.
    private let occupied = Atomic(0)

    /// - Parameter slots: at least 1.
    package init(slots: Int) {
        self.slots = max(slots, 1)
    }

    /// Slots held, those granted to waiters included.
    package var inUse: Int { occupied.load(ordering: .relaxed) }

    package var isFull: Bool { inUse >= slots }

    package var waiting: Int { state.withLock { $0.line.count } }

    /// Takes a slot if one is free.
    package func tryEnter() -> Bool {
        state.withLock { takeSlot(&$0) }
    }

    /// Takes a slot or a place in the queue.
    ///
    /// - Parameters:
    ///   - fairness: whom the slot is for; the queue serves them in turn.
    ///   - onGrant: a place in the queue has become a slot. Called once, outside the lock, on the thread of whoever left, maybe before this returns.
    package func enter(fairness: String?, onGrant: @escaping Grant) -> Entry {
        state.withLock { state in
            if takeSlot(&state) { return .entered }
            guard state.line.count < slots else { return .full }
            return .queued(Ticket(number: state.line.append(onGrant, fairness: fairness)))
        }
    }

    /// Gives a slot to the next waiter, or frees it.
    package func leave() {
        let grant = state.withLock { state -> Grant? in
            if let next = state.line.popFirst() { return next }
            precondition(state.inUse > 0, "a slot was left twice")
            state.inUse -= 1
            occupied.store(state.inUse, ordering: .relaxed)
            return nil
        }
        grant?()
    }

    /// False: the place has become a slot, or was given up.
    package func isQueued(_ ticket: Ticket) -> Bool {
        state.withLock { $0.line.contains(ticket.number) }
    }

    /// Gives the place up. False: it has become a slot, which is to be left.
    package func cancel(_ ticket: Ticket) -> Bool {
        state.withLock { $0.line.remove(ticket.number) }
    }

    private func takeSlot(_ state: inout State) -> Bool {
        guard state.inUse < slots else { return false }
        state.inUse += 1
        occupied.store(state.inUse, ordering: .relaxed)
        return true
    }
}
