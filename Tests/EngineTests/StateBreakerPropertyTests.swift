import NIOCore
import RoutingPolicy
import Testing

@testable import Engine

@Suite("the breaker under random orders of events")
struct StateBreakerPropertyTests {
    private struct Running {
        var pass: Breaker.Pass
        /// Openings and closings before it began.
        var era: Int
    }

    /// What must hold at every moment, kept beside the breaker by the plainest means.
    private struct Watch {
        var settings: BreakerSettings
        var era = 0
        var failuresInRow = 0
        var goodProbes = 0
        var probes = 0
        var isClosed = true
        var openedAt: NIODeadline?
        /// The length that the next cool-down is drawn around.
        var cooldown: Duration
    }

    @Test(
        "one probe at a time, never closed after `failures` in a row, closed again only by `successes` good probes, and cool-downs of the length that is due",
        arguments: 0..<200)
    func invariants(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let settings = BreakerSettings.exact(
            failures: 1 + random.below(4), cooldown: .seconds(10), max: .seconds(60), successes: 1 + random.below(3),
            jitter: random.one(of: [0, 0.2]))
        var breaker = Breaker(settings), watch = Watch(settings: settings, cooldown: settings.cooldown)
        var running: [Running] = [], now = after(.zero)
        for _ in 0..<500 {
            now = now + .milliseconds(random.below(8000))
            if running.isEmpty || random.below(2) == 0 {
                enter(&breaker, &watch, &running, now)
            } else {
                let verdict = random.one(of: [
                    Breaker.Verdict.succeeded, .succeeded, .failed, .failed, .failed, .none, .rateLimited(rest: .seconds(3)),
                ])
                end(running.remove(at: random.below(running.count)), verdict, &breaker, &watch, now, &random)
            }
            #expect(breaker.availability(now: now) == BreakerWord(rawValue: breaker.word.rawValue).availability(now: now))
            #expect(watch.probes <= 1)
            #expect((breaker.state == .closed) == watch.isClosed)
            if breaker.state == .closed { #expect(watch.failuresInRow < settings.failures) }
        }
    }

    private func enter(_ breaker: inout Breaker, _ watch: inout Watch, _ running: inout [Running], _ now: NIODeadline) {
        let promised = breaker.availability(now: now)
        switch breaker.enter(now: now) {
        case .admitted(let pass):
            #expect(promised.mayBeTried)
            #expect(pass.isProbe == !watch.isClosed)
            if pass.isProbe { watch.probes += 1 }
            running.append(Running(pass: pass, era: watch.era))
        case .refused(let availability):
            #expect(availability == promised && !promised.mayBeTried)
            if watch.isClosed, case .coolingDown(let until) = availability { #expect(now < until) }
        }
    }

    private func end(
        _ attempt: Running, _ verdict: Breaker.Verdict, _ breaker: inout Breaker, _ watch: inout Watch, _ now: NIODeadline,
        _ random: inout SplitMix64
    ) {
        breaker.on(verdict, of: attempt.pass, now: now, using: &random)
        if attempt.pass.isProbe { watch.probes -= 1 }
        guard attempt.era == watch.era else { return }
        switch verdict {
        case .succeeded where attempt.pass.isProbe:
            watch.goodProbes += 1
            guard watch.goodProbes == watch.settings.successes else { return }
            watch = Watch(settings: watch.settings, era: watch.era + 1, cooldown: watch.settings.cooldown)
        case .succeeded:
            watch.failuresInRow = 0
        case .failed:
            watch.failuresInRow += 1
            guard attempt.pass.isProbe || watch.failuresInRow >= watch.settings.failures else { return }
            if attempt.pass.isProbe { watch.cooldown = min(watch.cooldown * 2, watch.settings.maxCooldown) }
            watch.era += 1
            watch.isClosed = false
            watch.goodProbes = 0
            guard case .open(let until) = breaker.state else { return #expect(Bool(false), "not open after a failure that opens it") }
            let length: Duration = until - now
            let spread = watch.cooldown * watch.settings.jitter + .nanoseconds(1)
            #expect(length >= watch.cooldown - spread && length <= watch.cooldown + spread)
        case .none, .rateLimited, .notFound, .rejected:
            break
        }
    }

    @Test("a published word says what its breaker says", arguments: 0..<50)
    func shared(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed)), now = after(.zero), passes: [Breaker.Pass] = []
        let shared = SharedBreaker(.exact(failures: 2, cooldown: .seconds(5)))
        for _ in 0..<300 {
            now = now + .milliseconds(random.below(3000))
            if case .admitted(let pass) = shared.enter(now: now, mayProbeEarly: random.below(20) == 0) { passes.append(pass) }
            if !passes.isEmpty, random.below(3) > 0 {
                let verdict = random.one(of: [
                    Breaker.Verdict.succeeded, .failed, .none, .rateLimited(rest: .seconds(2)), .notFound, .rejected,
                ])
                shared.on(verdict, of: passes.remove(at: random.below(passes.count)), now: now, using: &random)
            }
            if random.below(50) == 0 { shared.reset() }
            #expect(shared.availability(now: now) == shared.value.availability(now: now))
        }
    }
}
