import NIOCore
import RoutingPolicy
import Testing

@testable import Engine

@Suite("the breaker with random sequences of events")
struct StateBreakerPropertyTests {
    private struct Running {
        var pass: Breaker.Pass
        /// How often the breaker had opened or closed before the attempt began.
        var era: Int
    }

    /// A simple model of the breaker, for its invariants.
    private struct Reference {
        var settings: BreakerSettings
        var era = 0
        var failuresInRow = 0
        var goodProbes = 0
        var probes = 0
        var isClosed = true
        var openedAt: NIODeadline?
        /// The length of the next cooldown, before jitter.
        var cooldown: Duration
    }

    @Test(
        "the breaker makes one probe at a time, opens after `failures`, closes after `successes` probes, and has the right cooldown",
        arguments: 0..<200)
    func invariants(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let settings = BreakerSettings.exact(
            failures: 1 + random.below(4), cooldown: .seconds(10), max: .seconds(60), successes: 1 + random.below(3),
            jitter: random.one(of: [0, 0.2]))
        var breaker = Breaker(settings), reference = Reference(settings: settings, cooldown: settings.cooldown)
        var running: [Running] = [], now = after(.zero)
        for _ in 0..<500 {
            now = now + .milliseconds(random.below(8000))
            if running.isEmpty || random.below(2) == 0 {
                enter(&breaker, &reference, &running, now)
            } else {
                let verdict = random.one(of: [
                    Breaker.Verdict.succeeded, .succeeded, .failed, .failed, .failed, .none, .rateLimited(cooldown: .seconds(3)),
                ])
                end(running.remove(at: random.below(running.count)), verdict, &breaker, &reference, now, &random)
            }
            #expect(breaker.availability(now: now) == BreakerWord(rawValue: breaker.word.rawValue).availability(now: now))
            #expect(reference.probes <= 1)
            #expect((breaker.state == .closed) == reference.isClosed)
            if breaker.state == .closed { #expect(reference.failuresInRow < settings.failures) }
        }
    }

    private func enter(_ breaker: inout Breaker, _ reference: inout Reference, _ running: inout [Running], _ now: NIODeadline) {
        let availabilityBefore = breaker.availability(now: now)
        switch breaker.enter(now: now) {
        case .admitted(let pass):
            #expect(availabilityBefore.isAvailable)
            #expect(pass.isProbe == !reference.isClosed)
            if pass.isProbe { reference.probes += 1 }
            running.append(Running(pass: pass, era: reference.era))
        case .refused(let availability):
            #expect(availability == availabilityBefore && !availabilityBefore.isAvailable)
            if reference.isClosed, case .coolingDown(let until) = availability { #expect(now < until) }
        }
    }

    private func end(
        _ attempt: Running, _ verdict: Breaker.Verdict, _ breaker: inout Breaker, _ reference: inout Reference, _ now: NIODeadline,
        _ random: inout SplitMix64
    ) {
        breaker.on(verdict, of: attempt.pass, now: now, using: &random)
        if attempt.pass.isProbe { reference.probes -= 1 }
        guard attempt.era == reference.era else { return }
        switch verdict {
        case .succeeded where attempt.pass.isProbe:
            reference.goodProbes += 1
            guard reference.goodProbes == reference.settings.successes else { return }
            reference = Reference(settings: reference.settings, era: reference.era + 1, cooldown: reference.settings.cooldown)
        case .succeeded:
            reference.failuresInRow = 0
        case .failed:
            reference.failuresInRow += 1
            guard attempt.pass.isProbe || reference.failuresInRow >= reference.settings.failures else { return }
            if attempt.pass.isProbe { reference.cooldown = min(reference.cooldown * 2, reference.settings.maxCooldown) }
            reference.era += 1
            reference.isClosed = false
            reference.goodProbes = 0
            guard case .open(let until) = breaker.state else {
                return #expect(Bool(false), "the breaker is not open after a failure that must open it")
            }
            let length: Duration = until - now
            let spread = reference.cooldown * reference.settings.jitter + .nanoseconds(1)
            #expect(length >= reference.cooldown - spread && length <= reference.cooldown + spread)
        case .none, .rateLimited, .opens, .notFound:
            break
        }
    }

    @Test("the published word gives the same availability as the breaker", arguments: 0..<50)
    func shared(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed)), now = after(.zero), passes: [Breaker.Pass] = []
        let shared = SharedBreaker(.exact(failures: 2, cooldown: .seconds(5)))
        for _ in 0..<300 {
            now = now + .milliseconds(random.below(3000))
            if case .admitted(let pass) = shared.enter(now: now, allowsEarlyProbe: random.below(20) == 0) { passes.append(pass) }
            if !passes.isEmpty, random.below(3) > 0 {
                let verdict = random.one(of: [
                    Breaker.Verdict.succeeded, .failed, .none, .rateLimited(cooldown: .seconds(2)), .notFound,
                ])
                shared.on(verdict, of: passes.remove(at: random.below(passes.count)), now: now, using: &random)
            }
            #expect(shared.availability(now: now) == shared.value.availability(now: now))
        }
    }
}
