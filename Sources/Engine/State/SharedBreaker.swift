package import NIOCore
package import ProviderKit
package import RoutingPolicy
import Synchronization

/// A breaker that all event loops share. An attempt takes no lock to begin if the breaker is closed, and none to
/// succeed if no failure came before it.
package final class SharedBreaker: Sendable {
    package let settings: BreakerSettings
    private let breaker: Mutex<Breaker>
    private let lastRefusal: Mutex<ProviderError?>
    private let lastOpening = Mutex<BreakerOpening?>(nil)
    /// The `BreakerWord` of the breaker, written under the lock.
    private let published: Atomic<UInt64>

    /// How long after a refusal of the account no early probe asks it again.
    static let accountProbeDelay: Duration = .seconds(10)

    /// A breaker for a provider's account: open for 5 minutes after the first refusal, and for twice as long after each
    /// further one, up to an hour.
    package static func account() -> SharedBreaker {
        var settings = BreakerSettings()
        (settings.failures, settings.successes) = (1, 1)
        (settings.cooldown, settings.maxCooldown, settings.jitter) = (.seconds(300), .seconds(3600), 0)
        return SharedBreaker(settings, earlyProbeDelay: accountProbeDelay)
    }

    package convenience init(_ settings: BreakerSettings, earlyProbeDelay: Duration = .zero) {
        self.init(Breaker(settings, earlyProbeDelay: earlyProbeDelay), lastRefusal: nil)
    }

    private init(_ breaker: Breaker, lastRefusal: ProviderError?) {
        settings = breaker.settings
        published = Atomic(breaker.word.rawValue)
        self.breaker = Mutex(breaker)
        self.lastRefusal = Mutex(lastRefusal)
    }

    /// A separate breaker in the same state.
    func copy() -> SharedBreaker { SharedBreaker(value, lastRefusal: refusal) }

    /// The last failure that opened the breaker, without secrets; nil if none is known. Only an account's is kept.
    package var refusal: ProviderError? { lastRefusal.withLock { $0 } }

    func remember(_ refusal: ProviderError) { lastRefusal.withLock { $0 = refusal } }

    /// Why and when the breaker last opened; nil if it never has.
    package var opening: BreakerOpening? { lastOpening.withLock { $0 } }

    /// Remembers why the breaker has opened.
    ///
    /// - Parameter error: without secrets.
    func remember(_ transition: Breaker.Transition?, after error: ProviderError?) {
        guard case .opened = transition, let error else { return }
        let opening = BreakerOpening(
            failure: error.failure, status: error.status, message: error.message, time: WallClock.second(at: .now()))
        lastOpening.withLock { $0 = opening }
    }

    /// Closes the breaker and forgets its failures.
    func reset() {
        change { $0.reset() }
        lastRefusal.withLock { $0 = nil }
        lastOpening.withLock { $0 = nil }
    }

    /// Whether the breaker is closed, and not in cooldown. Takes no lock.
    var isClosed: Bool { word.closedPass != nil }

    /// Takes no lock.
    package func availability(now: NIODeadline) -> Availability { word.availability(now: now) }

    package func enter(now: NIODeadline, allowsEarlyProbe: Bool = false) -> Breaker.Entry {
        if let pass = word.closedPass { return .admitted(pass) }
        return change { $0.enter(now: now, allowsEarlyProbe: allowsEarlyProbe) }.result
    }

    /// Reports the verdict on an attempt. Returns the transition that it causes; nil if it causes none.
    @discardableResult
    package func on(
        _ verdict: Breaker.Verdict, of pass: Breaker.Pass, now: NIODeadline, using random: inout some RandomNumberGenerator
    ) -> Breaker.Transition? {
        if !pass.isProbe, verdict == .none || verdict == .succeeded && word.isClean { return nil }
        return change { $0.on(verdict, of: pass, now: now, using: &random) }.transition
    }

    /// Opens or closes as the breaker of another router.
    ///
    /// - Parameter duration: for how long that one is open; nil if it isn't.
    func follow(openFor duration: Duration?, now: NIODeadline) -> Breaker.Following? {
        if duration == nil, isClosed { return nil }
        return change { $0.follow(openFor: duration, now: now) }.result
    }

    /// Cools down after a 429 as in another router.
    ///
    /// - Parameter duration: for how long it still does there; nil if it doesn't.
    func follow(coolsDownFor duration: Duration?, now: NIODeadline) {
        if duration == nil, isClosed { return }
        change { $0.follow(coolsDownFor: duration, now: now) }
    }

    /// Reports that a probe has succeeded while its attempt goes on. `pass` becomes the pass for the rest of the
    /// attempt. Returns the transition that the success causes.
    func succeed(
        _ pass: inout Breaker.Pass, now: NIODeadline, using random: inout some RandomNumberGenerator
    ) -> Breaker.Transition? {
        let probe = pass
        let change = change { $0.succeed(probe, now: now, using: &random) }
        pass = change.result
        return change.transition
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

    @discardableResult
    private func change<Result: Sendable>(_ change: (inout Breaker) -> Result) -> (result: Result, transition: Breaker.Transition?) {
        breaker.withLock { breaker in
            let before = breaker
            let result = change(&breaker)
            published.store(breaker.word.rawValue, ordering: .relaxed)
            return (result, breaker.transition(from: before))
        }
    }
}
