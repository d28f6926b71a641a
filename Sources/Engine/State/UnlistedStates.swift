import Synchronization

/// The states of models that the policy does not list, which requests name as their `fallback_model`. The states of the
/// last 1,000 are kept. All event loops share them.
final class UnlistedStates: Sendable {
    static let capacity = 1000

    private struct Entries {
        var states: [ModelStateKey: (state: ModelState, lastUse: Int)] = [:]
        var uses = 0
    }

    private let entries: Mutex<Entries>

    init() {
        entries = Mutex(Entries())
    }

    /// Keeps the states of `running` whose providers are in `providers`.
    init(keeping running: UnlistedStates, of providers: Set<String>) {
        var kept = running.entries.withLock { $0 }
        kept.states = kept.states.filter { providers.contains($0.key.provider) }
        entries = Mutex(kept)
    }

    var count: Int { entries.withLock { $0.states.count } }

    /// The state of a model. If it is new and there are too many, the one that was used least recently is dropped; its
    /// running attempts keep it until they end.
    ///
    /// - Parameter make: creates the state, over the one that is kept.
    func state(_ key: ModelStateKey, make: (ModelState?) -> ModelState) -> ModelState {
        entries.withLock { entries in
            let state = make(entries.states[key]?.state)
            entries.uses += 1
            entries.states[key] = (state, entries.uses)
            if entries.states.count > Self.capacity, let oldest = entries.states.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                entries.states[oldest.key] = nil
            }
            return state
        }
    }
}
