package import NIOCore
package import RoutingPolicy
import Synchronization

/// A breaker that all event loops share. An attempt takes no lock to begin if the breaker is closed, and none to
/// succeed if no failure came before it.
package final class SharedBreaker: Sendable {
    package let settings: BreakerSettings
    private let breaker: Mutex<Breaker>
    /// The `BreakerWord` of the breaker, written under the lock.
    private let published: Atomic<UInt64>

    /// A breaker for a provider's account: open for 5 minutes after the first refusal, and for twice as long after each
    /// further one, up to an hour.
    package static func account() -> SharedBreaker {
        var settings = BreakerSettings()
        (settings.failures, settings.successes) = (1, 1)
        (settings.cooldown, settings.maxCooldown, settings.jitter) = (.seconds(300), .seconds(3600), 0)
        return SharedBreaker(settings)
    }

    package init(_ settings: BreakerSettings) {
        self.settings = settings
        let breaker = Breaker(settings)
        published = Atomic(breaker.word.rawValue)
        self.breaker = Mutex(breaker)
    }

    /// Takes no lock.
    package func availability(now: NIODeadline) -> Availability { word.availability(now: now) }

    package func enter(now: NIODeadline, allowsEarlyProbe: Bool = false) -> Breaker.Entry {
        if let pass = word.closedPass { return .admitted(pass) }
        return change { $0.enter(now: now, allowsEarlyProbe: allowsEarlyProbe) }
    }

    package func on(_ verdict: Breaker.Verdict, of pass: Breaker.Pass, now: NIODeadline, using random: inout some RandomNumberGenerator) {
        if !pass.isProbe, verdict == .none || verdict == .succeeded && word.isClean { return }
        change { $0.on(verdict, of: pass, now: now, using: &random) }
    }

    /// Reports that a probe has succeeded while its attempt goes on. Returns the pass for the rest of the attempt.
    func succeed(_ probe: Breaker.Pass, now: NIODeadline, using random: inout some RandomNumberGenerator) -> Breaker.Pass {
        change { $0.succeed(probe, now: now, using: &random) }
    }

    /// Returns a pass whose attempt was never made.
    package func cancel(_ pass: Breaker.Pass, now: NIODeadline) {
        // The verdict `none` draws no random number.
        var random = SystemRandomNumberGenerator()
        on(.none, of: pass, now: now, using: &random)
    }

    /// A copy of the breaker.
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
