import NIOCore
import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

/// The breaker of a provider's account, which all models of the provider share.
@Suite("the state of an account")
struct StateAccountTests {
    private let account = SharedBreaker.account()
    private let refused = AttemptOutcome.failed(.providerRejected, retryAfter: nil)

    private func model(_ name: String) -> ModelState {
        ModelState(
            key: ModelStateKey(provider: "p", name: name, upstream: name), statistics: ModelStatistics(window: .seconds(600)),
            breaker: SharedBreaker(.exact()), account: account, limits: LimitChain(own: nil), attemptsInFlight: Gauge())
    }

    @Test(
        "one refusal of the account makes every model of the provider unavailable for 5 minutes, twice as long after each refused probe, at most an hour"
    )
    func cooldown() throws {
        let (a, b) = (model("a"), model("b"))
        try #require(a.tryAttempt(at: after(.zero)).attempt).end(refused, at: after(.zero))
        var now = 0
        for minutes in [5, 10, 20, 40, 60, 60] {
            let end = now + minutes * 60
            #expect(b.availability(now: after(.seconds(now))) == .open(until: after(.seconds(end))))
            #expect(b.tryAttempt(at: after(.seconds(end - 1))).refusal != nil)
            let probe = try #require(b.tryAttempt(at: after(.seconds(end))).attempt)
            #expect(probe.isProbe)
            #expect(a.tryAttempt(at: after(.seconds(end))).refusal == .probing)
            probe.end(refused, at: after(.seconds(end)))
            now = end
        }
        #expect(a.view(now: after(.seconds(now))).breaker == .open)
    }

    @Test(
        "a response that is no refusal shows that the account is accepted again",
        arguments: [FailureClass.notFound, .contextOverflow, .contentFilter, .unsupported, .invalidJSON, .clientError, nil])
    func accepted(failure: FailureClass?) throws {
        let (a, b) = (model("a"), model("b"))
        try #require(a.tryAttempt(at: after(.zero)).attempt).end(refused, at: after(.zero))
        let outcome = failure.map { AttemptOutcome.failed($0, retryAfter: nil) } ?? .succeeded(latency: .seconds(1), firstToken: nil)
        try #require(a.tryAttempt(at: after(.seconds(300))).attempt).end(outcome, at: after(.seconds(300)))
        #expect(b.availability(now: after(.seconds(300))) == .ready)
    }

    @Test(
        "a probe that does not reach the account leaves it to the next one",
        arguments: [FailureClass.unreachable, .timeout, .upstreamError, .reset, .rateLimited])
    func noVerdict(failure: FailureClass) throws {
        let (a, b) = (model("a"), model("b"))
        try #require(a.tryAttempt(at: after(.zero)).attempt).end(refused, at: after(.zero))
        try #require(a.tryAttempt(at: after(.seconds(300))).attempt).end(.failed(failure, retryAfter: nil), at: after(.seconds(300)))
        #expect(try #require(b.tryAttempt(at: after(.seconds(301))).attempt).isProbe)
    }

    @Test("an attempt that the model's breaker or a limit refuses returns the account's probe")
    func returnedProbe() throws {
        let a = model("a"), b = model("b")
        try #require(a.tryAttempt(at: after(.zero)).attempt).end(.failed(.notFound, retryAfter: nil), at: after(.zero))
        try #require(b.tryAttempt(at: after(.zero)).attempt).end(refused, at: after(.zero))
        try #require(a.tryAttempt(at: after(.seconds(300))).attempt).end(.failed(.notFound, retryAfter: nil), at: after(.seconds(300)))
        #expect(a.tryAttempt(at: after(.seconds(301))).refusal != nil)
        #expect(b.tryAttempt(at: after(.seconds(301))).attempt != nil)
    }

    @Test("a refusal says nothing about the model, whose own breaker stays closed")
    func modelBreaker() throws {
        let a = model("a")
        try #require(a.tryAttempt(at: after(.zero)).attempt).end(refused, at: after(.zero))
        #expect(a.breaker.value.state == .closed)
        #expect(a.breaker.value.failuresInRow == 0)
    }

    @Test("a call without another candidate can probe the account early, 10 seconds after its last refusal")
    func early() throws {
        let (a, b) = (model("a"), model("b"))
        try #require(a.tryAttempt(at: after(.zero)).attempt).end(refused, at: after(.zero))
        for time in [Duration.zero, .seconds(1), .milliseconds(9999)] {
            #expect(b.tryAttempt(at: after(time), early: true).refusal == .open(until: after(.seconds(300))))
        }
        #expect(a.tryAttempt(at: after(.seconds(10))).refusal != nil)
        try #require(b.tryAttempt(at: after(.seconds(10)), early: true).attempt).end(refused, at: after(.seconds(11)))
        #expect(a.tryAttempt(at: after(.seconds(20)), early: true).refusal == .open(until: after(.seconds(311))))
        try #require(a.tryAttempt(at: after(.seconds(21)), early: true).attempt).end(
            .succeeded(latency: .seconds(1), firstToken: nil), at: after(.seconds(22)))
        #expect(b.availability(now: after(.seconds(22))) == .ready)
    }
}
