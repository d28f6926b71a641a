import NIOCore
import Testing

@testable import Engine
@testable import RoutingPolicy

/// Breakers that open and close as those of other routers.
struct BreakerFollowingTests {
    private var breaker = SharedBreaker(.exact(failures: 1, cooldown: .seconds(30)))
    private var random = SplitMix64(seed: 1)

    private mutating func attempt(_ verdict: Breaker.Verdict, at now: NIODeadline) -> Breaker.Transition? {
        guard case .admitted(let pass) = breaker.enter(now: now) else { return nil }
        return breaker.on(verdict, of: pass, now: now, using: &random)
    }

    @Test
    mutating func `a closed breaker opens for as long, and then a probe decides`() {
        #expect(breaker.follow(openFor: .seconds(20), now: after(.zero)) == .opened)
        #expect(breaker.follow(openFor: .seconds(19), now: after(.seconds(1))) == nil)
        #expect(breaker.availability(now: after(.seconds(19))) == .open(until: after(.seconds(20))))
        // The other's time is over, or a few milliseconds from it.
        #expect(breaker.follow(openFor: nil, now: after(.seconds(19))) == nil)
        #expect(breaker.follow(openFor: nil, now: after(.seconds(21))) == nil)
        #expect(breaker.availability(now: after(.seconds(21))) == .probe)
    }

    @Test
    mutating func `it closes when the others have, if they knew that it was open`() {
        #expect(breaker.follow(openFor: .seconds(20), now: after(.zero)) == .opened)
        #expect(breaker.follow(openFor: nil, now: after(.seconds(5))) == .closed)
        #expect(breaker.availability(now: after(.seconds(5))) == .ready)
        _ = attempt(.failed, at: after(.seconds(6)))
        // They haven't heard of it yet.
        #expect(breaker.follow(openFor: nil, now: after(.seconds(7))) == nil)
        #expect(breaker.availability(now: after(.seconds(7))) == .open(until: after(.seconds(36))))
        #expect(breaker.follow(openFor: .seconds(28), now: after(.seconds(8))) == nil)
        #expect(breaker.follow(openFor: nil, now: after(.seconds(9))) == .closed)
    }

    @Test
    mutating func `what it does by itself is a transition, what it follows is none`() {
        let before = breaker.value
        #expect(breaker.follow(openFor: .seconds(20), now: after(.zero)) == .opened)
        #expect(breaker.value.transition(from: before) == nil)
        _ = attempt(.succeeded, at: after(.seconds(20)))
        let closing = attempt(.succeeded, at: after(.seconds(20)))
        #expect(closing == .closed)
        // News that are older than the probe's success.
        #expect(breaker.follow(openFor: .seconds(20), now: after(.seconds(21))) == nil)
        #expect(breaker.follow(openFor: .seconds(20), now: after(.seconds(23))) == .opened)
    }

    @Test
    mutating func `a model cools down as in another router, and no longer`() {
        breaker.follow(coolsDownFor: .seconds(20), now: after(.zero))
        breaker.follow(coolsDownFor: .milliseconds(19_005), now: after(.seconds(1)))
        #expect(breaker.availability(now: after(.seconds(19))) == .coolingDown(until: after(.seconds(20))))
        #expect(breaker.availability(now: after(.seconds(20))) == .ready)
        breaker.follow(coolsDownFor: nil, now: after(.seconds(20)))
        breaker.follow(coolsDownFor: .seconds(60), now: after(.seconds(30)))
        // An operator has ended it there.
        breaker.follow(coolsDownFor: nil, now: after(.seconds(31)))
        #expect(breaker.availability(now: after(.seconds(31))) == .ready)
    }

    @Test
    mutating func `its own cooldown goes on until the others have heard of it`() {
        breaker.follow(coolsDownFor: .seconds(5), now: after(.zero))
        _ = attempt(.rateLimited(cooldown: .seconds(30)), at: after(.seconds(5)))
        breaker.follow(coolsDownFor: nil, now: after(.seconds(6)))
        #expect(breaker.availability(now: after(.seconds(6))) == .coolingDown(until: after(.seconds(35))))
        breaker.follow(coolsDownFor: .seconds(28), now: after(.seconds(7)))
        #expect(breaker.availability(now: after(.seconds(7))) == .coolingDown(until: after(.seconds(35))))
    }
}
