package import NIOCore
package import RoutingPolicy
import Synchronization

/// The owner of a breaker. An attempt at a closed one takes no lock to begin, and none to succeed where no failure came before it.
package final class SharedBreaker: Sendable {
    package let settings: BreakerSettings
    private let breaker: Mutex<Breaker>
    /// The breaker's `BreakerWord`, written under the lock.
    private let published: Atomic<UInt64>

    package init(_ settings: BreakerSettings) {
        self.settings = settings
        let breaker = Breaker(settings)
        published = Atomic(breaker.word.rawValue)
        self.breaker = Mutex(breaker)
    }

    /// Takes no lock.
    package func availability(now: NIODeadline) -> Availability { word.availability(now: now) }

    package func enter(now: NIODeadline, mayProbeEarly: Bool = false) -> Breaker.Entry {
        if let pass = word.freePass { return .admitted(pass) }
        return change { $0.enter(now: now, mayProbeEarly: mayProbeEarly) }
    }

    package func on(_ verdict: Breaker.Verdict, of pass: Breaker.Pass, now: NIODeadline, using random: inout some RandomNumberGenerator) {
        if !pass.isProbe, verdict == .none || verdict == .succeeded && word.isClean { return }
        change { $0.on(verdict, of: pass, now: now, using: &random) }
    }

    package func reset() {
        change { $0.reset() }
    }

    /// A copy.
    package var value: Breaker { breaker.withLock { $0 } }

    private var word: BreakerWord { BreakerWord(rawValue: published.load(ordering: .relaxed)) }

    private func change<Result: Sendable>(_ change: (inout Breaker) -> Result) -> Result {
        breaker.withLock { breaker in
            let result = change(&breaker)
            published.store(breaker.word.rawValue, ordering: .relaxed)
            return result
        }
    }
}
