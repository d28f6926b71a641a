package import NIOCore
package import RoutingPolicy

/// The breaker of a provider's model: a value, which decides and does nothing.
///
///     closed     -- `failures` in a row, a 404, a refusal of the router's key --> open
///     open       -- its time has passed -------------------------------------> half-open
///     half-open  -- `successes` good probes in a row, one at a time ---------> closed
///     half-open  -- a failed probe: the cool-down doubles -------------------> open
///
/// A 429 is no failure: the model rests, in whatever state.
package struct Breaker: Sendable {
    package enum State: Sendable, Equatable {
        case closed
        case open(until: NIODeadline)
        /// `good`: probes in a row that succeeded.
        case halfOpen(good: Int, isProbing: Bool)
    }

    /// The right to one attempt, and what its verdict counts for.
    package struct Pass: Sendable, Equatable {
        fileprivate enum Kind: Equatable {
            case plain
            case probe
            /// A probe ahead of the breaker's time, which was this.
            case earlyProbe(NIODeadline)
        }

        fileprivate var generation: UInt64
        fileprivate var kind: Kind

        /// Of a closed breaker.
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
        /// The provider doesn't know the model.
        case notFound
        /// The provider refuses the router's key or account.
        case rejected
        /// It asked to be left alone for so long.
        case rateLimited(rest: Duration)
        /// The attempt says nothing about the model.
        case none
    }

    /// How long a 404 opens it for; doubled with each further one.
    package static let firstAbsence: Duration = .seconds(60)
    package static let maxAbsence: Duration = .seconds(3600)
    package static let maxRest = Backoff.maxRetryAfter

    package let settings: BreakerSettings
    package private(set) var state = State.closed
    package private(set) var failuresInRow = 0
    /// May lie in the past.
    package private(set) var coolsDownUntil: NIODeadline?
    /// Counts openings and closings: the verdict on an attempt that began before the last of them is none any more.
    private var generation: UInt64 = 0
    /// The next one's length, before its jitter.
    private var cooldown: Duration
    private var absence = firstAbsence

    package init(_ settings: BreakerSettings) {
        self.settings = settings
        cooldown = settings.cooldown
    }

    /// What readers see without a lock.
    var word: BreakerWord {
        switch state {
        case .closed:
            if let coolsDownUntil { return .coolingDown(until: coolsDownUntil) }
            return failuresInRow == 0 ? .clean(generation: generation) : .strained(generation: generation)
        case .open(let until): return .open(until: max(until, coolsDownUntil ?? until))
        case .halfOpen(_, isProbing: true): return .probing
        case .halfOpen(_, isProbing: false): return coolsDownUntil.map { .coolingHalfOpen(until: $0) } ?? .halfOpen
        }
    }

    package func availability(now: NIODeadline) -> Availability { word.availability(now: now) }

    /// - Parameter mayProbeEarly: admits a probe to an open breaker whose time has not come: for a call that has no other candidate. One at a time, as
    ///   ever, and not while the model rests.
    package mutating func enter(now: NIODeadline, mayProbeEarly: Bool = false) -> Entry {
        if let rest = coolsDownUntil, now >= rest { coolsDownUntil = nil }
        let availability = availability(now: now)
        switch state {
        case .closed where availability.mayBeTried:
            return .admitted(Pass(generation: generation))
        case .halfOpen(let good, isProbing: false) where availability.mayBeTried:
            return probe(.probe, good: good)
        case .open where availability.mayBeTried:
            return probe(.probe, good: 0)
        case .open(let until) where mayProbeEarly && coolsDownUntil == nil:
            return probe(.earlyProbe(until), good: 0)
        case .open where mayProbeEarly:
            return .refused(coolsDownUntil.map { .coolingDown(until: $0) } ?? availability)
        case .closed, .open, .halfOpen:
            return .refused(availability)
        }
    }

    /// How the attempt went that `enter` admitted; once for each.
    package mutating func on(_ verdict: Verdict, of pass: Pass, now: NIODeadline, using random: inout some RandomNumberGenerator) {
        if case .rateLimited(let rest) = verdict {
            let end = now + min(max(rest, .zero), Self.maxRest)
            coolsDownUntil = max(coolsDownUntil ?? end, end)
        }
        guard pass.generation == generation else { return }
        switch pass.kind {
        case .plain: onPlain(verdict, now, &random)
        case .probe: onProbe(verdict, now, &random, orElse: .halfOpen(good: goodProbes, isProbing: false))
        case .earlyProbe(let until): onProbe(verdict, now, &random, orElse: .open(until: until), isEarly: true)
        }
    }

    /// Closes it, by hand.
    package mutating func reset() {
        coolsDownUntil = nil
        close()
    }

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
            if failuresInRow >= settings.failures { cool(now, &random) }
        case .rejected:
            failuresInRow += 1
            cool(now, &random)
        case .notFound:
            failuresInRow += 1
            openForAbsence(now)
        case .rateLimited, .none:
            break
        }
    }

    /// - Parameters:
    ///   - orElse: where a probe without a verdict leaves the breaker.
    ///   - isEarly: its failure opens the breaker again, but doubles nothing: the cool-down was not over.
    private mutating func onProbe(
        _ verdict: Verdict, _ now: NIODeadline, _ random: inout some RandomNumberGenerator, orElse: State, isEarly: Bool = false
    ) {
        switch verdict {
        case .succeeded:
            failuresInRow = 0
            absence = Self.firstAbsence
            let good = goodProbes + 1
            if good >= settings.successes { close() } else { state = .halfOpen(good: good, isProbing: false) }
        case .failed, .rejected:
            failuresInRow += 1
            if !isEarly { cooldown = min(cooldown * 2, max(settings.maxCooldown, settings.cooldown)) }
            cool(now, &random)
        case .notFound:
            failuresInRow += 1
            openForAbsence(now)
        case .rateLimited, .none:
            state = orElse
        }
    }

    private mutating func cool(_ now: NIODeadline, _ random: inout some RandomNumberGenerator) {
        generation += 1
        state = .open(until: now + cooldown.jittered(by: settings.jitter, using: &random))
    }

    private mutating func openForAbsence(_ now: NIODeadline) {
        generation += 1
        state = .open(until: now + absence)
        absence = min(absence * 2, Self.maxAbsence)
    }

    private mutating func close() {
        generation += 1
        state = .closed
        failuresInRow = 0
        cooldown = settings.cooldown
        absence = Self.firstAbsence
    }
}
