import NIOCore
import RoutingPolicy
import TestSupport
import Testing

@testable import Engine

@Suite("the limiter of a model, a provider or a key")
struct StateLimiterTests {
    private func take(_ limiter: Limiter, _ tokens: Int = 1, at now: NIODeadline = after(.zero)) -> Limiter.Reservation? {
        if case .taken(let reservation) = limiter.take(tokens: tokens, now: now) { reservation } else { nil }
    }

    private func wait(_ limiter: Limiter, _ tokens: Int = 1, at now: NIODeadline = after(.zero)) -> Duration? {
        if case .refused(let wait) = limiter.take(tokens: tokens, now: now) { wait } else { nil }
    }

    @Test("empty limits create no limiter")
    func empty() {
        #expect(Limiter(Limits()) == nil)
        #expect(Limiter(Limits(concurrent: 1)) != nil)
    }

    @Test("a request takes its request and its tokens together, or neither")
    func allOrNothing() throws {
        let limiter = try #require(Limiter(Limits(requestsPerMinute: 2, tokensPerMinute: 100)))
        #expect(take(limiter, 80) != nil)
        #expect(wait(limiter, 30) == .seconds(6))
        #expect(limiter.view(now: after(.zero)).requestsLeft == 1)
        #expect(take(limiter, 20) != nil)
        #expect(limiter.view(now: after(.zero)).tokensLeft == 0)
        #expect(wait(limiter, 1) == .seconds(30))
    }

    @Test("the wait ends when the last bucket has refilled, and the request is then admitted")
    func trueWait() throws {
        let limiter = try #require(Limiter(Limits(requestsPerMinute: 1, tokensPerMinute: 7)))
        #expect(take(limiter, 7) != nil)
        for tokens in [1, 3, 7] {
            let time = try #require(wait(limiter, tokens))
            #expect(wait(limiter, tokens, at: after(time - .nanoseconds(1))) == .nanoseconds(1))
        }
        #expect(take(limiter, 3, at: after(.seconds(60))) != nil)
    }

    @Test("a full limiter admits a request above tokens_per_minute, and the next one waits for the debt")
    func larger() throws {
        let limiter = try #require(Limiter(Limits(tokensPerMinute: 60)))
        #expect(take(limiter, 1) != nil)
        #expect(wait(limiter, 120) == .seconds(1))
        #expect(take(limiter, 120, at: after(.seconds(1))) != nil)
        #expect(wait(limiter, 1, at: after(.seconds(1))) == .seconds(61))
    }

    @Test("a request that was admitted before its tokens were known takes them later, or returns everything")
    func laterTokens() throws {
        let limiter = try #require(Limiter(Limits(requestsPerMinute: 2, tokensPerMinute: 60)))
        var first = try #require(take(limiter, 0)), second = try #require(take(limiter, 0))
        #expect(limiter.take(moreTokens: 50, for: &first, now: after(.zero)) == nil)
        #expect(limiter.take(moreTokens: 20, for: &second, now: after(.zero)) == .seconds(10))
        limiter.giveBack(second, now: after(.zero))
        #expect(limiter.view(now: after(.zero)).requestsLeft == 1 && limiter.view(now: after(.zero)).tokensLeft == 10)
        limiter.giveBack(first, now: after(.zero))
        #expect(limiter.view(now: after(.zero)).tokensLeft == 60)
    }

    @Test("a request that was never sent returns its request and its tokens")
    func giveBack() throws {
        let limiter = try #require(Limiter(Limits(requestsPerMinute: 1, tokensPerMinute: 10)))
        for _ in 0..<5 { limiter.giveBack(try #require(take(limiter, 10)), now: after(.zero)) }
        #expect(take(limiter, 10) != nil)
    }

    @Test("settling corrects the tokens, but not the requests")
    func settle() throws {
        let limiter = try #require(Limiter(Limits(requestsPerMinute: 5, tokensPerMinute: 100)))
        limiter.settle(try #require(take(limiter, 50)), usedTokens: 10, now: after(.zero))
        limiter.settle(try #require(take(limiter, 50)), usedTokens: 150, now: after(.zero))
        let view = limiter.view(now: after(.zero))
        #expect(view.requestsLeft == 3)
        #expect(view.tokensLeft == -60)
    }

    @Test("limitedUntil is exactly the time until which the smallest request is refused", arguments: 0..<20)
    func limitedUntil(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed)), now = after(.zero), open: [Limiter.Reservation] = []
        let limiter = try #require(Limiter(Limits(requestsPerMinute: 20, tokensPerMinute: 1000)))
        for _ in 0..<500 {
            now = now + .milliseconds(random.below(2000))
            if let reservation = take(limiter, 1 + random.below(300), at: now) { open.append(reservation) }
            if !open.isEmpty, random.below(2) == 0 {
                let reservation = open.removeFirst()
                if random.below(3) == 0 {
                    limiter.giveBack(reservation, now: now)
                } else {
                    limiter.settle(reservation, usedTokens: random.below(400), now: now)
                }
            }
            guard let until = limiter.limitedUntil(now: now) else {
                let probe = try #require(take(limiter, 1, at: now))
                limiter.giveBack(probe, now: now)
                continue
            }
            #expect(wait(limiter, 1, at: now) == until - now)
        }
    }

    @Test("eight threads take exactly N requests from one limiter")
    func threads() throws {
        let limiter = try #require(Limiter(Limits(requestsPerMinute: 100, tokensPerMinute: 1_000_000)))
        let taken = try Threads.run(8, within: .seconds(30), file: #filePath, line: #line) { _ in
            (0..<125).reduce(into: 0) { count, _ in
                if case .taken = limiter.take(tokens: 10, now: after(.zero)) { count += 1 }
            }
        }
        #expect(taken.reduce(0, +) == 100)
        let left = try #require(limiter.view(now: after(.zero)).tokensLeft)
        #expect(left == 999_000)
    }

    @Test("a chain takes from both limiters or from neither")
    func chain() throws {
        let own = try #require(Limiter(Limits(requestsPerMinute: 5, concurrent: 5))),
            shared = try #require(Limiter(Limits(tokensPerMinute: 100, concurrent: 2)))
        let chain = LimitChain(own: own, shared: shared)
        func begin(_ tokens: Int) -> Availability? {
            switch chain.begin(tokens: tokens, now: after(.zero)) {
            case .granted(let permit):
                permit.giveBack(now: after(.zero))
                return nil
            case .refused(let availability): return availability
            }
        }
        #expect(begin(100) == nil)
        #expect(take(shared, 60) != nil)
        #expect(begin(50) == .limited(until: after(.seconds(6))))
        #expect(try #require(shared.gate).tryEnter() && #require(shared.gate).tryEnter())
        #expect(begin(1) == .full)
        #expect(own.view(now: after(.zero)) == LimiterView(limits: own.limits, requestsLeft: 5, tokensLeft: nil, slotsInUse: 0, waiting: 0))
    }
}
