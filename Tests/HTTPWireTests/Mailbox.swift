import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// An ordered list of events that tests can wait for. A wait ends as soon as its condition is met, or after 20 s.
final class Mailbox<Element: Sendable>: Sendable {
    struct TimedOut: Error, CustomStringConvertible {
        let seen: String
        var description: String { "the expected event did not occur; seen: \(seen)" }
    }

    private struct Waiter {
        let id: Int
        let check: @Sendable ([Element]) -> Bool
        let continuation: CheckedContinuation<[Element], any Error>
    }

    private struct State {
        var elements: [Element] = []
        var waiters: [Waiter] = []
        var nextID = 0
    }

    private let state = NIOLockedValueBox(State())

    var elements: [Element] { state.withLockedValue { $0.elements } }

    func append(_ element: Element) {
        let ready = state.withLockedValue { state in
            state.elements.append(element)
            let ready = state.waiters.filter { $0.check(state.elements) }
            state.waiters.removeAll { waiter in ready.contains { $0.id == waiter.id } }
            return ready.map { ($0.continuation, state.elements) }
        }
        for (continuation, elements) in ready { continuation.resume(returning: elements) }
    }

    /// All elements, once `check` returns true for them.
    @discardableResult
    func wait(until check: @escaping @Sendable ([Element]) -> Bool) async throws -> [Element] {
        try await withCheckedThrowingContinuation { continuation in
            let pending: Int? = state.withLockedValue { state in
                if check(state.elements) {
                    continuation.resume(returning: state.elements)
                    return nil
                }
                state.nextID += 1
                state.waiters.append(Waiter(id: state.nextID, check: check, continuation: continuation))
                return state.nextID
            }
            guard let id = pending else { return }
            _ = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: .seconds(20)) { self.timeOut(id) }
        }
    }

    private func timeOut(_ id: Int) {
        let late: (Waiter, [Element])? = state.withLockedValue { state in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return (state.waiters.remove(at: index), state.elements)
        }
        late?.0.continuation.resume(throwing: TimedOut(seen: "\(late?.1 ?? [])".prefix(2000).description))
    }
}

extension Mailbox where Element: Equatable {
    func wait(for element: Element) async throws { try await wait { $0.contains(element) } }
}

/// Returns as soon as the condition holds.
func eventually(_ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while !condition() {
        guard ContinuousClock.now < deadline else { throw Mailbox<Int>.TimedOut(seen: "a condition that stays false") }
        await Task.yield()
    }
}
