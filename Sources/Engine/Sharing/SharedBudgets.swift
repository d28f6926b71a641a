import NIOCore
import RoutingPolicy

extension Engine {
    /// The longest wait for a store that does not respond.
    private static let readingTime = TimeAmount.milliseconds(100)

    /// Asks the shared store what all routers have spent of the keys' budgets, so that the accounts of this one know it
    /// also for keys that it has served no request of. Returns at once if nothing is shared.
    package func readSharedBudgets() async {
        let snapshot = store.current
        let terms = snapshot.policy.keys.compactMap { key in
            key.budget == nil ? nil : SharedTerms(key: key.name, limits: key.limits, budget: key.budget)
        }
        guard snapshot.sharesState, !terms.isEmpty, let loop = loops.first, loop.shared != nil else { return }
        let eventLoop = loop.eventLoop, done = eventLoop.makePromise(of: Void.self)
        eventLoop.execute {
            let isDone = NIOLoopBoundBox(false, eventLoop: eventLoop)
            @Sendable func finish() {
                guard !isDone.value else { return }
                isDone.value = true
                done.succeed()
            }
            eventLoop.scheduleTask(in: Self.readingTime) { finish() }
            let missing = NIOLoopBoundBox(terms.count, eventLoop: eventLoop)
            for terms in terms {
                // A settlement of nothing.
                loop.shared?.settle(SharedSettlement(terms: terms)) { view in
                    if let budget = terms.budget, let account = snapshot.states.keyAccounts[terms.key] {
                        _ = account.receive(view, budget, now: WallClock.second)
                    }
                    missing.value -= 1
                    if missing.value == 0 { finish() }
                }
            }
        }
        try? await done.futureResult.get()
    }
}
