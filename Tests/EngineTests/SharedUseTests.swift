import NIOCore
import RoutingPolicy
import Testing

@testable import Engine

/// Limits of models and providers that count together with those of other routers.
struct SharedUseTests {
    private let name = SharedName(provider: "p", model: "m", upstream: "u")
    private let limits = Limits(requestsPerMinute: 10, tokensPerMinute: 100)
    private let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func limiter() throws -> Limiter { try #require(Limiter(limits, sharedName: name)) }

    @Test
    func `what attempts take and return is reported once, and one report runs at a time`() throws {
        let limiter = try limiter()
        #expect(limiter.beginReport(isRefused: false, now: now) == nil)
        guard case .taken(let first) = limiter.take(tokens: 20, now: now), case .taken = limiter.take(tokens: 30, now: now) else {
            return #expect(Bool(false), "refused")
        }
        #expect(limiter.beginReport(isRefused: false, now: now) == SharedUse(name: name, limits: limits, requests: 2, tokens: 50))
        limiter.settle(first, usedTokens: 5, now: now)
        #expect(limiter.beginReport(isRefused: false, now: now) == nil)
        // Others have taken four requests and 40 tokens. The store doesn't know yet of the 15 returned tokens.
        limiter.endReport(SharedLeft(requests: 4, tokens: 10), now: now)
        #expect(limiter.view(now: now).requestsLeft == 4 && limiter.view(now: now).tokensLeft == 25)
        #expect(limiter.beginReport(isRefused: false, now: now) == SharedUse(name: name, limits: limits, requests: 0, tokens: -15))
    }

    @Test
    func `a limit that others have used up refuses here too, and asks about once a second`() throws {
        let limiter = try limiter()
        _ = limiter.take(tokens: 1, now: now)
        _ = limiter.beginReport(isRefused: false, now: now)
        limiter.endReport(SharedLeft(requests: -2, tokens: 99), now: now)
        guard case .refused(let wait) = limiter.take(tokens: 1, now: now) else { return #expect(Bool(false), "taken") }
        #expect(wait == .seconds(18) && limiter.limitedUntil(now: now) == now + .seconds(18))
        let later = now + .seconds(1)
        #expect(limiter.beginReport(isRefused: true, now: now) == nil)
        #expect(limiter.beginReport(isRefused: true, now: later) == SharedUse(name: name, limits: limits))
        // Another router has returned what it took.
        limiter.endReport(SharedLeft(requests: 3, tokens: 99), now: later)
        #expect(limiter.limitedUntil(now: later) == nil)
    }

    @Test
    func `without the store, the router goes on by what it knows`() throws {
        let limiter = try limiter()
        _ = limiter.take(tokens: 20, now: now)
        _ = limiter.beginReport(isRefused: false, now: now)
        limiter.endReport(nil, now: now)
        #expect(limiter.view(now: now).requestsLeft == 9 && limiter.view(now: now).tokensLeft == 80)
        #expect(limiter.beginReport(isRefused: false, now: now) == nil)
    }

    @Test
    func `copies for explanations and limiters that no store shares report nothing`() throws {
        let own = try #require(Limiter(limits)), copy = try limiter().copy()
        for limiter in [own, copy] {
            _ = limiter.take(tokens: 20, now: now)
            #expect(limiter.beginReport(isRefused: true, now: now) == nil)
        }
    }
}
