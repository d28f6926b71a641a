import Synchronization

/// The states of models that the policy does not list: those that a wildcard stands for, and those that requests name
/// as their `fallback_model`. The states of the last 1,000 are kept. All event loops share them.
final class UnlistedStates: Sendable {
    static let capacity = 1000

    private let entries: Mutex<RecentEntries<ModelStateKey, ModelState>>

    init() {
        entries = Mutex(RecentEntries(capacity: Self.capacity))
    }

    /// Keeps the states of `running` whose providers are in `providers`.
    init(keeping running: UnlistedStates, of providers: Set<String>) {
        entries = Mutex(running.entries.withLock { $0 }.filter { key, _ in providers.contains(key.provider) })
    }

    var count: Int { entries.withLock { $0.count } }

    /// The states, without an order.
    var states: [ModelState] { entries.withLock { Array($0.values) } }

    /// The state of a model. If it is new and there are too many, the one that was used least recently is dropped; its
    /// running attempts keep it until they end.
    ///
    /// - Parameter make: creates the state, over the one that is kept.
    func state(_ key: ModelStateKey, make: (ModelState?) -> ModelState) -> ModelState {
        entries.withLock { entries in
            let state = make(entries.peek(key))
            entries.set(key, to: state)
            return state
        }
    }
}
