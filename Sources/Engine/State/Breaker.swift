package import NIOCore
import ProviderKit
package import RoutingPolicy

/// The circuit breaker of a provider's model, or of a provider's account: a value that only decides, without side
/// effects.
///
///     closed     -- `failures` in a row, or one that opens at once -----------------> open
///     open       -- the cooldown is over -------------------------------------------> half-open
///     half-open  -- `successes` successful probes in a row, one at a time ----------> closed
///     half-open  -- a failed probe: the cooldown doubles ---------------------------> open
///
/// A 429 is not a failure: it puts the model into cooldown, in any state of the breaker.
package struct Breaker: Sendable {
    package enum State: Sendable, Equatable {
        case closed
        case open(until: NIODeadline)
        /// - good: the number of consecutive probes that have succeeded.
        case halfOpen(good: Int, isProbing: Bool)
    }

    /// The right to make one attempt. It determines how the verdict on that attempt counts.
    package struct Pass: Sendable, Equatable {
        fileprivate enum Kind: Equatable {
            case plain
            case probe
            /// A probe before the end of the cooldown, which is the associated time.
            case earlyProbe(NIODeadline)
        }

        fileprivate var generation: UInt64
        fileprivate var kind: Kind

        /// A pass of a closed breaker.
        init(generation: UInt64) {
            self.init(generation: generation, kind: .plain)
        }

        fileprivate init(generation: UInt64, kind: Kind) {
            self.generation = generation
            self.kind = kind
        }

        package var isProbe: Bool { kind != .plain }
    }

    package enum Entry: Sendable, Equatable {
        case admitted(Pass)
        case refused(Availability)
    }

    package enum Verdict: Sendable, Equatable {
        case succeeded
        case failed
        /// A failure that opens the breaker by itself.
        case opens
        /// The provider does not know the model, which opens the breaker for longer.
        case notFound
        /// The upstream is rate limiting and must not be called during the cooldown.
        case rateLimited(cooldown: Duration, Weight = .nothing)
        /// The attempt reveals nothing about the model.
        case none
    }

    /// A change that the operator should know of.
    package enum Transition: Sendable, Equatable {
        /// - isReopening: a probe has failed, so the breaker was half-open before.
        case opened(until: NIODeadline, isReopening: Bool)
        case closed
    }

    /// What a breaker did because another router's breaker did it.
    package enum Following: Sendable {
        case opened, closed
    }

    /// How a failure of one class counts, as `counts` and `opens_at_once` have it.
    package enum Weight: Sendable, Equatable {
        case nothing, counts, opens, opensForLonger

        /// A refused account opens the breaker of the account, not that of the model.
        init(_ failure: FailureClass, _ settings: BreakerSettings) {
            if failure != .providerRejected, settings.opensAtOnce.contains(failure) {
                self = failure == .notFound ? .opensForLonger : .opens
            } else {
                self = settings.counts.contains(failure) ? .counts : .nothing
            }
        }

        var verdict: Verdict {
            switch self {
            case .nothing: .none
            case .counts: .failed
            case .opens: .opens
            case .opensForLonger: .notFound
            }
        }
    }

    /// How long the first 404 opens the breaker. The time doubles with each further 404.
    package static let firstNotFoundCooldown: Duration = .seconds(60)
    package static let maxNotFoundCooldown: Duration = .seconds(3600)

    package let settings: BreakerSettings
    /// For this long after it has opened, the breaker admits no early probe.
    private let earlyProbeDelay: Duration
    private var earliestEarlyProbe = NIODeadline.uptimeNanoseconds(0)
    package private(set) var state = State.closed
    package private(set) var failuresInRow = 0
    /// The end of the cooldown after a 429. It may be in the past.
    package private(set) var coolsDownUntil: NIODeadline?
    /// Counts how often the breaker has opened, or was closed by something other than its probes. The verdict on an
    /// attempt that began before is ignored.
    ///
    /// Probes that close the breaker change nothing here: until then each attempt is one of them, and one whose first
    /// content has counted may still break.
    private var generation: UInt64 = 0
    /// Whether the other routers know that it is open, so that it closes when theirs have.
    private var isKnownElsewhere = false
    /// Whether the other routers know of its cooldown, so that it ends when theirs has.
    private var isCoolingElsewhere = false
    /// News of other routers may be older than what this one has just found out itself.
    private var followsAgainAt = NIODeadline.uptimeNanoseconds(0)
    /// Counts the transitions, of which a cooldown has at most one.
    private var transitions: UInt64 = 0
    /// The end of the cooldown that the last transition to an open breaker has begun.
    private var reportedUntil = NIODeadline.uptimeNanoseconds(0)
    /// The length of the next cooldown, before jitter.
    private var cooldown: Duration
    /// The length of the last cooldown after a 404; nil if no 404 came since the last success.
    private var notFoundCooldown: Duration?

    package init(_ settings: BreakerSettings, earlyProbeDelay: Duration = .zero) {
        self.settings = settings
        self.earlyProbeDelay = earlyProbeDelay
        cooldown = settings.cooldown
    }

    /// The state that readers see without a lock.
    var word: BreakerWord {
        switch state {
        case .closed:
            if let coolsDownUntil { return .coolingDown(until: coolsDownUntil) }
            return failuresInRow == 0 ? .clean(generation: generation) : .failing(generation: generation)
        case .open(let until): return .open(until: max(until, coolsDownUntil ?? until))
        case .halfOpen(_, isProbing: true): return .probing
        case .halfOpen(_, isProbing: false): return coolsDownUntil.map { .halfOpenCoolingDown(until: $0) } ?? .halfOpen
        }
    }

    package func availability(now: NIODeadline) -> Availability { word.availability(now: now) }

    /// - Parameter allowsEarlyProbe: lets an open breaker admit a probe before the end of its cooldown, for a call that
    ///   has no other candidate. There is still at most one probe at a time, none while the model is in cooldown after
    ///   a 429, and none during `earlyProbeDelay`.
    package mutating func enter(now: NIODeadline, allowsEarlyProbe: Bool = false) -> Entry {
        if let end = coolsDownUntil, now >= end { coolsDownUntil = nil }
        let availability = availability(now: now)
        switch state {
        case .closed where availability.isAvailable:
            return .admitted(Pass(generation: generation))
        case .halfOpen(let good, isProbing: false) where availability.isAvailable:
            return probe(.probe, good: good)
        case .open where availability.isAvailable:
            return probe(.probe, good: 0)
        case .open(let until) where allowsEarlyProbe && coolsDownUntil == nil && now >= earliestEarlyProbe:
            return probe(.earlyProbe(until), good: 0)
        case .open where allowsEarlyProbe:
            return .refused(coolsDownUntil.map { .coolingDown(until: $0) } ?? availability)
        case .closed, .open, .halfOpen:
            return .refused(availability)
        }
    }

    /// Reports the verdict on an attempt that `enter` admitted. Called once for each attempt.
    package mutating func on(_ verdict: Verdict, of pass: Pass, now: NIODeadline, using random: inout some RandomNumberGenerator) {
        var verdict = verdict
        if case .rateLimited(let cooldown, let weight) = verdict {
            let end = now + max(cooldown, .zero)
            coolsDownUntil = max(coolsDownUntil ?? end, end)
            isCoolingElsewhere = false
            verdict = weight.verdict
        }
        guard pass.generation == generation else { return }
        switch pass.kind {
        case .plain: onPlain(verdict, now, &random)
        case .probe: onProbe(verdict, now, &random, orElse: .halfOpen(good: goodProbes, isProbing: false))
        case .earlyProbe(let until): onProbe(verdict, now, &random, orElse: .open(until: until), isEarly: true)
        }
    }

    /// Reports that a probe has succeeded while its attempt goes on. Returns the pass for the rest of the attempt,
    /// which no longer occupies the probe's place.
    mutating func succeed(_ probe: Pass, now: NIODeadline, using random: inout some RandomNumberGenerator) -> Pass {
        guard probe.isProbe, probe.generation == generation else { return probe }
        on(.succeeded, of: probe, now: now, using: &random)
        return Pass(generation: generation)
    }

    /// The change since an earlier value of this breaker; nil if it has neither opened nor closed since. An early probe
    /// that fails is no change, nor is any other during a cooldown that has been reported.
    func transition(from earlier: Breaker) -> Transition? {
        guard transitions != earlier.transitions else { return nil }
        switch state {
        case .open(let until): return .opened(until: until, isReopening: earlier.state != .closed)
        case .closed: return .closed
        case .halfOpen: return nil
        }
    }

    /// Closes the breaker and ends the cooldown, as if nothing had failed. Verdicts on attempts that began before are
    /// ignored.
    mutating func reset() {
        generation += 1
        close(.now())
        coolsDownUntil = nil
    }

    /// Opens or closes as the breaker of another router.
    ///
    /// - Parameter duration: for how long that one is open; nil if it isn't.
    mutating func follow(openFor duration: Duration?, now: NIODeadline) -> Following? {
        guard now >= followsAgainAt else { return nil }
        switch (state, duration) {
        case (.closed, let duration?):
            open(until: now + duration, now, isReported: false)
            isKnownElsewhere = true
            return .opened
        case (.open(let until), nil) where isKnownElsewhere && until > now + Self.followingDelay:
            // Otherwise the time of the other one is just over: then a probe decides.
            isKnownElsewhere = false
            generation += 1
            state = .closed
            failuresInRow = 0
            return .closed
        case (.open, _?):
            isKnownElsewhere = true
            return nil
        case (.closed, nil), (.open, nil), (.halfOpen, _):
            return nil
        }
    }

    /// Cools down after a 429 as in another router.
    ///
    /// - Parameter duration: for how long it still does there; nil if it doesn't.
    mutating func follow(coolsDownFor duration: Duration?, now: NIODeadline) {
        guard now >= followsAgainAt else { return }
        let known = coolsDownUntil ?? now
        if let duration {
            isCoolingElsewhere = true
            // The other times may differ by as much as they were late.
            if now + duration > known + Self.followingDelay || known <= now { coolsDownUntil = now + duration }
        } else if isCoolingElsewhere {
            isCoolingElsewhere = false
            if known > now + Self.followingDelay { coolsDownUntil = nil }
        }
    }

    /// How late news may be.
    private static let followingDelay: Duration = .seconds(2)

    private var goodProbes: Int {
        if case .halfOpen(let good, _) = state { good } else { 0 }
    }

    private mutating func probe(_ kind: Pass.Kind, good: Int) -> Entry {
        state = .halfOpen(good: good, isProbing: true)
        return .admitted(Pass(generation: generation, kind: kind))
    }

    private mutating func onPlain(_ verdict: Verdict, _ now: NIODeadline, _ random: inout some RandomNumberGenerator) {
        switch verdict {
        case .succeeded:
            failuresInRow = 0
        case .failed:
            failuresInRow += 1
            // A probe that fails after its first content was no success after all.
            if case .halfOpen(_, let isProbing) = state { state = .halfOpen(good: 0, isProbing: isProbing) }
            if failuresInRow >= settings.failures { open(now, &random) }
        case .opens:
            failuresInRow += 1
            open(now, &random)
        case .notFound:
            failuresInRow += 1
            openAfterNotFound(now)
        case .rateLimited, .none:
            break
        }
    }

    /// - Parameters:
    ///   - orElse: the state of the breaker after a probe without a verdict.
    ///   - isEarly: the probe began before the end of the cooldown. If it fails, the breaker opens again, but the
    ///     cooldown does not double.
    private mutating func onProbe(
        _ verdict: Verdict, _ now: NIODeadline, _ random: inout some RandomNumberGenerator, orElse: State, isEarly: Bool = false
    ) {
        switch verdict {
        case .succeeded:
            failuresInRow = 0
            notFoundCooldown = nil
            let good = goodProbes + 1
            if good >= settings.successes { close(now) } else { state = .halfOpen(good: good, isProbing: false) }
        case .failed, .opens:
            failuresInRow += 1
            if !isEarly { cooldown = min(cooldown * 2, max(settings.maxCooldown, settings.cooldown)) }
            open(now, &random, isReported: !isEarly)
        case .notFound:
            failuresInRow += 1
            openAfterNotFound(now, isEarly: isEarly)
        case .rateLimited, .none:
            state = orElse
        }
    }

    private mutating func open(_ now: NIODeadline, _ random: inout some RandomNumberGenerator, isReported: Bool = true) {
        open(until: now + cooldown.jittered(by: settings.jitter, using: &random), now, isReported: isReported)
    }

    private mutating func openAfterNotFound(_ now: NIODeadline, isEarly: Bool = false) {
        let length = notFoundCooldown.map { isEarly ? $0 : min($0 * 2, Self.maxNotFoundCooldown) } ?? Self.firstNotFoundCooldown
        notFoundCooldown = length
        open(until: now + length, now, isReported: !isEarly)
    }

    private mutating func open(until end: NIODeadline, _ now: NIODeadline, isReported: Bool) {
        if isReported, state == .closed || now >= reportedUntil {
            transitions += 1
            reportedUntil = end
        }
        generation += 1
        isKnownElsewhere = false
        state = .open(until: end)
        earliestEarlyProbe = now + earlyProbeDelay
    }

    private mutating func close(_ now: NIODeadline) {
        isKnownElsewhere = false
        followsAgainAt = now + Self.followingDelay
        transitions += 1
        state = .closed
        failuresInRow = 0
        cooldown = settings.cooldown
        notFoundCooldown = nil
    }
}
