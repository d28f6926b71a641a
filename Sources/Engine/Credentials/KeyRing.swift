package import NIOCore
import ProviderKit
import Synchronization

/// The keys of a provider that has several, which take turns, and the cooldown of each. All event loops share it.
///
/// A key that the provider limits, or refuses for itself or its credit, cools down alone. While one key is left, the
/// models of the provider and its account learn nothing of it. If all cool down, the one that is due first is used, and
/// what happens to it is judged as for a provider with one key.
package final class KeyRing: Sendable {
    /// How long a key cools down that is limited, if the provider doesn't say.
    static let limitCooldown = Duration.seconds(15)
    /// How long a refused key cools down at first, and at most. Each further refusal in a row doubles it. The account
    /// of a provider with one key has the same times.
    static let refusalCooldown = Duration.seconds(300), maxRefusalCooldown = Duration.seconds(3600)

    /// What has made a key cool down.
    package enum Reason: String, Sendable, CaseIterable {
        /// It has sent too many requests.
        case limited
        /// The provider refuses it, or its account has no credit.
        case refused
    }

    private struct Key {
        var until: NIODeadline = .uptimeNanoseconds(0)
        var since: NIODeadline = .uptimeNanoseconds(0)
        var reason = Reason.limited
        /// In a row.
        var refusals = 0
    }

    private struct State {
        var keys: [Key]
        var turn = 0
    }

    /// The number of keys.
    package let count: Int
    private let state: Mutex<State>

    init(count: Int) {
        self.count = count
        state = Mutex(State(keys: Array(repeating: Key(), count: count)))
    }

    /// The position of the key for a request, from 0: the next one that doesn't cool down, or else the one that is due
    /// first.
    func next(now: NIODeadline) -> Int {
        state.withLock { state in
            for step in 1...state.keys.count {
                let position = (state.turn + step) % state.keys.count
                guard state.keys[position].until <= now else { continue }
                state.turn = position
                return position
            }
            return state.keys.indices.min { state.keys[$0].until < state.keys[$1].until } ?? 0
        }
    }

    /// What follows the failure of a key.
    struct Failure: Equatable {
        /// The end of the key's cooldown.
        var until: NIODeadline
        /// Whether the key was not cooling down before.
        var isNew: Bool
        /// Whether another key can be used now.
        var hasOther: Bool
        /// When the first key is due; nil if all are refused.
        var firstDue: NIODeadline?
    }

    /// Makes a key cool down.
    ///
    /// - Parameter wait: the wait that the provider asks for; nil if it asks for none.
    func failed(_ position: Int, _ reason: Reason, wait: Duration?, now: NIODeadline) -> Failure {
        state.withLock { state in
            let isNew = state.keys[position].until <= now
            let cooldown: Duration
            switch reason {
            case .limited: cooldown = max(wait ?? Self.limitCooldown, .seconds(1))
            case .refused:
                // Requests that were under way at the same time are one refusal.
                if isNew { state.keys[position].refusals = min(state.keys[position].refusals + 1, 16) }
                cooldown = min(Self.refusalCooldown * (1 << max(0, state.keys[position].refusals - 1)), Self.maxRefusalCooldown)
            }
            let until = max(state.keys[position].until, now + cooldown)
            (state.keys[position].until, state.keys[position].since, state.keys[position].reason) = (until, now, reason)
            let hasLimited = state.keys.contains { $0.until <= now || $0.reason == .limited }
            return Failure(
                until: until, isNew: isNew, hasOther: state.keys.contains { $0.until <= now },
                firstDue: hasLimited ? state.keys.map(\.until).min() : nil)
        }
    }

    /// A request with the key has succeeded, which ends a cooldown that has begun before the request.
    func succeeded(_ position: Int, startedAt: NIODeadline) {
        state.withLock { state in
            guard state.keys[position].since < startedAt else { return }
            state.keys[position] = Key()
        }
    }

    /// Ends all cooldowns.
    package func reset() {
        state.withLock { state in
            for position in state.keys.indices { state.keys[position] = Key() }
        }
    }

    /// The keys that cool down, in order: their positions from 1, why and until when.
    package func cooling(now: NIODeadline) -> [(position: Int, reason: Reason, until: NIODeadline)] {
        state.withLock { state in
            state.keys.enumerated().filter { $0.element.until > now }.map { ($0.offset + 1, $0.element.reason, $0.element.until) }
        }
    }
}

extension KeyRing.Reason {
    /// nil for a failure that says nothing about the key.
    init?(_ failure: FailureClass) {
        switch failure {
        case .rateLimited: self = .limited
        case .providerRejected: self = .refused
        case .unreachable, .reset, .timeout, .upstreamError, .notFound, .contextOverflow, .contentFilter, .unsupported, .invalidJSON,
            .clientError, .routerLimit, .cancelled:
            return nil
        }
    }
}
