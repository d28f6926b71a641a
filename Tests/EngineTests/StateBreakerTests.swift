import NIOCore
import ProviderKit
import RoutingPolicy
import TestSupport
import Testing

@testable import Engine

@Suite("the breaker")
struct StateBreakerTests {
    /// A breaker whose clock is a time since its start.
    private final class Driver {
        var breaker: Breaker
        var random = SplitMix64(seed: 1)

        init(_ settings: BreakerSettings = .exact()) {
            breaker = Breaker(settings)
        }

        func enter(_ now: Duration, earlyProbe: Bool = false) -> Breaker.Pass? {
            if case .admitted(let pass) = breaker.enter(now: after(now), allowsEarlyProbe: earlyProbe) { pass } else { nil }
        }

        /// False if the attempt was not admitted.
        @discardableResult
        func attempt(_ verdict: Breaker.Verdict, at now: Duration, earlyProbe: Bool = false) -> Bool {
            guard let pass = enter(now, earlyProbe: earlyProbe) else { return false }
            record(verdict, of: pass, at: now)
            return true
        }

        func record(_ verdict: Breaker.Verdict, of pass: Breaker.Pass, at now: Duration) {
            breaker.on(verdict, of: pass, now: after(now), using: &random)
        }

        func availability(_ now: Duration) -> Availability { breaker.availability(now: after(now)) }
    }

    @Test("the breaker opens after `failures` consecutive failures, and not before", arguments: [1, 2, 3, 7])
    func opens(failures: Int) {
        let driver = Driver(.exact(failures: failures))
        for count in 1...failures {
            #expect(driver.availability(.zero) == .ready)
            driver.attempt(.failed, at: .zero)
            #expect(driver.breaker.failuresInRow == count)
        }
        #expect(driver.availability(.zero) == .open(until: after(.seconds(30))))
        #expect(driver.enter(.seconds(29)) == nil)
    }

    @Test("a success resets the count of consecutive failures")
    func successResetsFailures() {
        let driver = Driver()
        for _ in 0..<10 {
            driver.attempt(.failed, at: .zero)
            driver.attempt(.failed, at: .zero)
            driver.attempt(.succeeded, at: .zero)
        }
        #expect(driver.breaker.state == .closed)
        #expect(driver.breaker.failuresInRow == 0)
    }

    @Test("neither an attempt without a verdict nor a 429 changes the count of consecutive failures")
    func noVerdict() {
        let driver = Driver()
        driver.attempt(.failed, at: .zero)
        driver.attempt(.none, at: .zero)
        driver.attempt(.rateLimited(cooldown: .seconds(1)), at: .zero)
        #expect(driver.breaker.failuresInRow == 1)
        driver.attempt(.failed, at: .seconds(1))
        driver.attempt(.failed, at: .seconds(1))
        #expect(driver.availability(.seconds(1)) == .open(until: after(.seconds(31))))
    }

    @Test("after the open time one probe at a time is admitted, and `successes` successful probes close the breaker")
    func halfOpen() throws {
        let driver = Driver(.exact(failures: 1, successes: 2))
        driver.attempt(.failed, at: .zero)
        #expect(driver.availability(.seconds(30)) == .probe)
        let first = try #require(driver.enter(.seconds(30)))
        #expect(first.isProbe)
        #expect(driver.availability(.seconds(30)) == .probing)
        #expect(driver.enter(.seconds(99)) == nil)
        driver.record(.succeeded, of: first, at: .seconds(100))
        #expect(driver.availability(.seconds(100)) == .probe)
        let second = try #require(driver.enter(.seconds(100)))
        #expect(driver.enter(.seconds(100)) == nil)
        driver.record(.succeeded, of: second, at: .seconds(101))
        #expect(driver.breaker.state == .closed)
        #expect(driver.enter(.seconds(101))?.isProbe == false)
    }

    @Test("the open time doubles with each failed probe up to max_cooldown, and is reset when the breaker closes")
    func doubling() {
        let driver = Driver(.exact(failures: 1, cooldown: .seconds(30), max: .seconds(100), successes: 1))
        driver.attempt(.failed, at: .zero)
        var now = 30
        for length in [60, 100, 100] {
            #expect(driver.attempt(.failed, at: .seconds(now)))
            #expect(driver.availability(.seconds(now)) == .open(until: after(.seconds(now + length))))
            now += length
        }
        driver.attempt(.succeeded, at: .seconds(now))
        driver.attempt(.failed, at: .seconds(now))
        #expect(driver.availability(.seconds(now)) == .open(until: after(.seconds(now + 30))))
    }

    @Test("a failed probe resets the count of successful probes")
    func failedProbeResetsSuccesses() {
        let driver = Driver(.exact(failures: 1, successes: 2))
        driver.attempt(.failed, at: .zero)
        driver.attempt(.succeeded, at: .seconds(30))
        driver.attempt(.failed, at: .seconds(30))
        driver.attempt(.succeeded, at: .seconds(90))
        #expect(driver.breaker.state == .halfOpen(good: 1, isProbing: false))
    }

    @Test(
        "a probe without a verdict makes room for the next probe and does not count",
        arguments: [Breaker.Verdict.none, .rateLimited(cooldown: .zero)])
    func probeWithoutVerdict(verdict: Breaker.Verdict) throws {
        let driver = Driver(.exact(failures: 1, successes: 2))
        driver.attempt(.failed, at: .zero)
        driver.attempt(.succeeded, at: .seconds(30))
        let probe = try #require(driver.enter(.seconds(31)))
        driver.record(verdict, of: probe, at: .seconds(32))
        #expect(driver.breaker.state == .halfOpen(good: 1, isProbing: false))
        #expect(driver.enter(.seconds(33)) != nil)
    }

    @Test("each open time is drawn at random, between (1 - jitter) and (1 + jitter) times 'cooldown'")
    func jitter() {
        var lengths: Set<Int64> = []
        for seed in 0..<200 {
            let driver = Driver(.exact(failures: 1, cooldown: .seconds(10), jitter: 0.2))
            driver.random = SplitMix64(seed: UInt64(seed))
            driver.attempt(.failed, at: .zero)
            guard case .open(let until) = driver.breaker.state else {
                Issue.record("the breaker is not open")
                return
            }
            let length: Duration = until - after(.zero)
            #expect(length >= .seconds(8) && length <= .seconds(12))
            lengths.insert(length.components.attoseconds)
        }
        #expect(lengths.count > 150)
    }

    @Test(
        "a 404 opens the breaker for a minute, and for twice as long after each further 404, up to an hour; a success resets the open time to a minute"
    )
    func notFound() {
        let driver = Driver(.exact(successes: 1))
        var now = 0
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            #expect(driver.attempt(.notFound, at: .seconds(now)))
            #expect(driver.availability(.seconds(now)) == .open(until: after(.seconds(now + minutes * 60))))
            now += minutes * 60
        }
        driver.attempt(.succeeded, at: .seconds(now))
        driver.attempt(.notFound, at: .seconds(now))
        #expect(driver.availability(.seconds(now)) == .open(until: after(.seconds(now + 60))))
    }

    @Test("one successful probe resets the open time after a 404, even if it does not close the breaker")
    func notFoundAfterProbe() {
        let driver = Driver(.exact(successes: 2))
        driver.attempt(.notFound, at: .zero)
        driver.attempt(.notFound, at: .seconds(60))
        driver.attempt(.succeeded, at: .seconds(180))
        driver.attempt(.notFound, at: .seconds(180))
        #expect(driver.availability(.seconds(180)) == .open(until: after(.seconds(240))))
    }

    @Test("concurrent attempts that all get a 404 count as one")
    func concurrentNotFound() throws {
        let driver = Driver()
        let passes = (0..<50).compactMap { _ in driver.enter(.zero) }
        #expect(passes.count == 50)
        for pass in passes { driver.record(.notFound, of: pass, at: .seconds(1)) }
        #expect(driver.availability(.seconds(1)) == .open(until: after(.seconds(61))))
    }

    @Test("a 429 starts the cooldown that the upstream requests, however long, and never shortens a cooldown")
    func coolingDown() throws {
        let driver = Driver()
        let (first, second, third) = (
            try #require(driver.enter(.zero)), try #require(driver.enter(.zero)), try #require(driver.enter(.zero))
        )
        driver.record(.rateLimited(cooldown: .seconds(20)), of: first, at: .zero)
        #expect(driver.availability(.seconds(1)) == .coolingDown(until: after(.seconds(20))))
        driver.record(.rateLimited(cooldown: .seconds(5)), of: second, at: .seconds(1))
        #expect(driver.availability(.seconds(6)) == .coolingDown(until: after(.seconds(20))))
        driver.record(.rateLimited(cooldown: .seconds(86400)), of: third, at: .seconds(2))
        #expect(driver.availability(.seconds(6)) == .coolingDown(until: after(.seconds(2 + 86400))))
        #expect(driver.enter(.seconds(86401)) == nil)
        #expect(driver.enter(.seconds(86402))?.isProbe == false)
        #expect(driver.breaker.failuresInRow == 0)
    }

    @Test("a model with a half-open breaker that is in cooldown after a 429 is probed after the cooldown")
    func halfOpenCoolingDown() throws {
        let driver = Driver(.exact(failures: 1))
        driver.attempt(.failed, at: .zero)
        driver.attempt(.rateLimited(cooldown: .seconds(10)), at: .seconds(30))
        #expect(driver.availability(.seconds(31)) == .coolingDown(until: after(.seconds(40))))
        #expect(driver.enter(.seconds(39)) == nil)
        #expect(driver.availability(.seconds(40)) == .probe)
        #expect(try #require(driver.enter(.seconds(40))).isProbe)
    }

    @Test("an open breaker stays open until the end of a longer cooldown after a 429")
    func openCoolingDown() throws {
        let driver = Driver(.exact(failures: 1))
        let older = try #require(driver.enter(.zero))
        driver.attempt(.failed, at: .zero)
        driver.record(.rateLimited(cooldown: .seconds(100)), of: older, at: .seconds(1))
        #expect(driver.availability(.seconds(40)) == .open(until: after(.seconds(101))))
        #expect(driver.enter(.seconds(40)) == nil)
        #expect(driver.enter(.seconds(101))?.isProbe == true)
    }

    @Test("a probe counts as a success at its first content, makes room for the next one, and a later failure counts by itself")
    func firstContent() throws {
        let driver = Driver(.exact(failures: 1, successes: 2))
        driver.attempt(.failed, at: .zero)
        let probe = try #require(driver.enter(.seconds(30)))
        let rest = driver.breaker.succeed(probe, now: after(.seconds(31)), using: &driver.random)
        #expect(!rest.isProbe)
        #expect(driver.breaker.state == .halfOpen(good: 1, isProbing: false))
        driver.attempt(.succeeded, at: .seconds(32))
        #expect(driver.breaker.state == .closed)

        driver.attempt(.failed, at: .seconds(40))
        let second = try #require(driver.enter(.seconds(70)))
        let secondRest = driver.breaker.succeed(second, now: after(.seconds(71)), using: &driver.random)
        driver.record(.failed, of: secondRest, at: .seconds(90))
        #expect(driver.availability(.seconds(90)) == .open(until: after(.seconds(120))))
    }

    @Test("exactly one verdict causes each transition, however many attempts were under way")
    func transitions() throws {
        let breaker = SharedBreaker(.exact(failures: 2, successes: 2))
        var random = SplitMix64(seed: 1)
        func pass(_ time: Duration) throws -> Breaker.Pass {
            let entry = breaker.enter(now: after(time))
            return try #require(entry.pass)
        }
        func verdict(_ verdict: Breaker.Verdict, _ pass: Breaker.Pass, _ time: Duration) -> Breaker.Transition? {
            breaker.on(verdict, of: pass, now: after(time), using: &random)
        }
        let passes = try (0..<4).map { _ in try pass(.zero) }
        let opened = passes.map { verdict(.failed, $0, .zero) }
        #expect(opened == [nil, .opened(until: after(.seconds(30)), isReopening: false), nil, nil])
        #expect(verdict(.failed, try pass(.seconds(30)), .seconds(31)) == .opened(until: after(.seconds(91)), isReopening: true))
        var probe = try pass(.seconds(91))
        #expect(breaker.succeed(&probe, now: after(.seconds(92)), using: &random) == nil && !probe.isProbe)
        #expect(verdict(.succeeded, try pass(.seconds(93)), .seconds(94)) == .closed)
        #expect(verdict(.succeeded, probe, .seconds(95)) == nil)
    }

    @Test("verdicts on attempts that began before the breaker opened are ignored")
    func olderAttempts() throws {
        let driver = Driver(.exact(failures: 1, successes: 1))
        let older = (0..<3).compactMap { _ in driver.enter(.zero) }
        driver.attempt(.failed, at: .zero)
        driver.record(.succeeded, of: older[0], at: .seconds(1))
        driver.record(.failed, of: older[1], at: .seconds(1))
        #expect(driver.availability(.seconds(1)) == .open(until: after(.seconds(30))))
        let probe = try #require(driver.enter(.seconds(30)))
        driver.record(.succeeded, of: older[2], at: .seconds(31))
        #expect(driver.availability(.seconds(31)) == .probing)
        driver.record(.succeeded, of: probe, at: .seconds(32))
        #expect(driver.breaker.state == .closed)
    }

    @Test(
        "a call without another candidate can probe early; if that probe fails, the open time starts again without being doubled, and if it has no verdict, nothing changes"
    )
    func earlyProbes() throws {
        let driver = Driver(.exact(failures: 1, successes: 2))
        driver.attempt(.failed, at: .zero)
        #expect(driver.enter(.seconds(5)) == nil)
        let first = try #require(driver.enter(.seconds(5), earlyProbe: true))
        #expect(first.isProbe)
        #expect(driver.enter(.seconds(5), earlyProbe: true) == nil)
        driver.record(.none, of: first, at: .seconds(6))
        #expect(driver.availability(.seconds(6)) == .open(until: after(.seconds(30))))
        driver.attempt(.failed, at: .seconds(10), earlyProbe: true)
        #expect(driver.availability(.seconds(10)) == .open(until: after(.seconds(40))))
        driver.attempt(.succeeded, at: .seconds(11), earlyProbe: true)
        #expect(driver.breaker.state == .halfOpen(good: 1, isProbing: false))
        driver.attempt(.succeeded, at: .seconds(11))
        #expect(driver.breaker.state == .closed)
    }

    @Test("an early probe with a 404 starts the same open time again, and only a later probe doubles it")
    func earlyNotFound() {
        let driver = Driver()
        driver.attempt(.notFound, at: .zero)
        for second in 1...5 {
            driver.attempt(.notFound, at: .seconds(second), earlyProbe: true)
            #expect(driver.availability(.seconds(second)) == .open(until: after(.seconds(second + 60))))
        }
        driver.attempt(.notFound, at: .seconds(65))
        #expect(driver.availability(.seconds(65)) == .open(until: after(.seconds(65 + 120))))
        driver.attempt(.notFound, at: .seconds(66), earlyProbe: true)
        #expect(driver.availability(.seconds(66)) == .open(until: after(.seconds(66 + 120))))
    }

    @Test("a failed early probe is no transition, and a cooldown has at most one, even if early probes succeed within it")
    func reportedTransitions() throws {
        let breaker = SharedBreaker(.exact(failures: 1, successes: 2))
        var random = SplitMix64(seed: 1)
        func attempt(_ verdict: Breaker.Verdict, _ time: Duration) throws -> Breaker.Transition? {
            let pass = try #require(breaker.enter(now: after(time), allowsEarlyProbe: true).pass)
            return breaker.on(verdict, of: pass, now: after(time), using: &random)
        }
        #expect(try attempt(.failed, .zero) == .opened(until: after(.seconds(30)), isReopening: false))
        for verdict in [Breaker.Verdict.failed, .opens, .notFound] { #expect(try attempt(verdict, .seconds(1)) == nil) }
        // An early probe that succeeds, and a regular one that fails.
        for _ in 0..<5 {
            #expect(try attempt(.succeeded, .seconds(2)) == nil)
            #expect(try attempt(.failed, .seconds(2)) == nil)
        }
        guard case .opened(_, isReopening: true) = try attempt(.failed, .seconds(3600)) else {
            Issue.record("the failed probe after the cooldown is a transition")
            return
        }
        #expect(try attempt(.succeeded, .seconds(3601)) == nil)
        #expect(try attempt(.succeeded, .seconds(3601)) == .closed)
        #expect(try attempt(.failed, .seconds(3601)) == .opened(until: after(.seconds(3631)), isReopening: false))
    }

    @Test("a probe that fails after its first content takes its success back, and that of the probes before it")
    func brokenProbe() throws {
        let driver = Driver(.exact(failures: 3, successes: 2))
        for _ in 0..<3 { driver.attempt(.failed, at: .zero) }
        for second in [30, 31, 32] {
            let probe = try #require(driver.enter(.seconds(second)))
            let rest = driver.breaker.succeed(probe, now: after(.seconds(second)), using: &driver.random)
            driver.record(.failed, of: rest, at: .seconds(second))
            if case .halfOpen(let good, _) = driver.breaker.state { #expect(good == 0) }
            #expect(driver.breaker.state != .closed)
        }
    }

    @Test(
        "a probe that fails after its first content counts also when further probes have closed the breaker",
        arguments: [(1, 1, 0), (1, 2, 1), (1, 2, 3), (2, 2, 1), (2, 3, 2), (3, 3, 4)])
    func brokenProbeOfClosed(failures: Int, successes: Int, others: Int) throws {
        let driver = Driver(.exact(failures: failures, successes: successes))
        for _ in 0..<failures { driver.attempt(.failed, at: .zero) }
        let probe = try #require(driver.enter(.seconds(30)))
        let rest = driver.breaker.succeed(probe, now: after(.seconds(31)), using: &driver.random)
        for _ in 0..<others { driver.attempt(.succeeded, at: .seconds(32)) }
        #expect(driver.breaker.state == .closed)
        driver.record(.failed, of: rest, at: .seconds(40))
        #expect(driver.breaker.failuresInRow == 1)
        #expect((driver.breaker.state == .closed) == (failures > 1))
    }

    @Test("a reset closes the breaker, ends a cooldown, and makes the verdicts on earlier attempts void")
    func reset() throws {
        let driver = Driver(.exact(failures: 1))
        let older = try #require(driver.enter(.zero)), limited = try #require(driver.enter(.zero))
        driver.attempt(.failed, at: .zero)
        driver.record(.rateLimited(cooldown: .seconds(100)), of: limited, at: .zero)
        driver.breaker.reset()
        #expect(driver.availability(.zero) == .ready && driver.breaker.failuresInRow == 0)
        driver.record(.failed, of: older, at: .zero)
        #expect(driver.availability(.zero) == .ready && driver.breaker.failuresInRow == 0)
    }

    @Test("a breaker remembers the failure that opened it, and no failure before that")
    func opening() throws {
        let breaker = SharedBreaker(.exact(failures: 2))
        var random = SplitMix64(seed: 1)
        for (failure, isOpening) in [(FailureClass.upstreamError, false), (.timeout, true)] {
            guard case .admitted(let pass) = breaker.enter(now: after(.zero)) else {
                throw TestFailure("refused", CallSite(#fileID, #line))
            }
            let transition = breaker.on(.failed, of: pass, now: after(.zero), using: &random)
            breaker.remember(transition, after: ProviderError(failure, status: 504, message: "slow"))
            #expect((breaker.opening != nil) == isOpening)
        }
        let opening = try #require(breaker.opening)
        #expect(opening.failure == .timeout && opening.status == 504 && opening.message == "slow")
        breaker.reset()
        #expect(breaker.opening == nil && breaker.isClosed)
    }

    @Test("a model in cooldown after a 429 is not probed early")
    func noEarlyProbeInCooldown() throws {
        let driver = Driver(.exact(failures: 1))
        let older = try #require(driver.enter(.zero))
        driver.attempt(.failed, at: .zero)
        driver.record(.rateLimited(cooldown: .seconds(10)), of: older, at: .zero)
        #expect(driver.breaker.enter(now: after(.seconds(5)), allowsEarlyProbe: true) == .refused(.coolingDown(until: after(.seconds(10)))))
        #expect(driver.enter(.seconds(10), earlyProbe: true) != nil)
    }
}

extension Breaker.Entry {
    fileprivate var pass: Breaker.Pass? { if case .admitted(let pass) = self { pass } else { nil } }
}
