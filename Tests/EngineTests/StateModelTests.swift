import NIOCore
import ProviderKit
import RoutingPolicy
import TestSupport
import Testing

@testable import Engine

@Suite("a model's state")
struct StateModelTests {
    private let good = AttemptOutcome.succeeded(latency: .milliseconds(200), firstToken: .milliseconds(50))

    @Test(
        "successes and failures that reveal something about the model are samples; other outcomes are not", arguments: FailureClass.allCases
    )
    func samples(failure: FailureClass) {
        let model = modelState(breaker: .exact(failures: 9))
        model.tryAttempt(at: after(.zero)).attempt?.end(.abandoned, at: after(.zero))
        model.tryAttempt(at: after(.zero)).attempt?.end(good, at: after(.zero))
        model.tryAttempt(at: after(.zero)).attempt?.end(.failed(failure, retryAfter: nil), at: after(.zero))
        let counts: Set<FailureClass> = [.unreachable, .reset, .timeout, .upstreamError, .notFound, .providerRejected]
        let reading = model.reading(now: after(.zero))
        #expect(reading.statistics.samples == (counts.contains(failure) ? 2 : 1))
        #expect(reading.statistics.successRate == (counts.contains(failure) ? 0.5 : 1))
        #expect(reading.statistics.meanLatencyMilliseconds == 200)
        #expect(reading.inFlight == 0)
    }

    @Test("each failure class has its effect on the breakers", arguments: FailureClass.allCases)
    func breaker(failure: FailureClass) {
        let model = modelState(breaker: .exact(failures: 2))
        for _ in 0..<2 { model.tryAttempt(at: after(.zero)).attempt?.end(.failed(failure, retryAfter: .seconds(7)), at: after(.zero)) }
        let expected: Availability =
            switch failure {
            case .unreachable, .reset, .timeout, .upstreamError: .open(until: after(.seconds(30)))
            case .providerRejected: .open(until: after(.seconds(300)))
            case .notFound: .open(until: after(.seconds(60)))
            case .rateLimited: .coolingDown(until: after(.seconds(7)))
            case .contextOverflow, .contentFilter, .unsupported, .invalidJSON, .clientError, .routerLimit, .cancelled: .ready
            }
        #expect(model.reading(now: after(.zero)).availability == expected)
        #expect(model.tryAttempt(at: after(.zero)).refusal == (expected == .ready ? nil : expected))
    }

    @Test(
        "only the classes in 'counts' count, and those in 'opens_at_once' open the breaker by themselves", arguments: FailureClass.allCases)
    func chosenClasses(failure: FailureClass) throws {
        func availability(_ counts: Set<FailureClass>, _ opensAtOnce: Set<FailureClass>, failures: Int = 1) -> Availability {
            var settings = BreakerSettings.exact(failures: 2)
            (settings.counts, settings.opensAtOnce) = (counts, opensAtOnce)
            let model = modelState(breaker: settings)
            for _ in 0..<failures { model.tryAttempt(at: after(.zero)).attempt?.end(.failed(failure, retryAfter: .zero), at: after(.zero)) }
            return model.availability(now: after(.zero))
        }
        let cooldown: Duration = failure == .notFound ? .seconds(60) : failure == .providerRejected ? .seconds(300) : .seconds(30)
        #expect(availability([], []) == .ready)
        #expect(availability([], [], failures: 9) == .ready)
        #expect(availability([failure], [], failures: 1) == .ready)
        #expect(availability([failure], [], failures: 2) == .open(until: after(.seconds(30))))
        #expect(availability([], [failure]) == .open(until: after(cooldown)))
        #expect(availability([failure], [failure]) == .open(until: after(cooldown)))
    }

    @Test("with 'breaker: off' a 429 still puts the model into cooldown")
    func offCoolsDown() {
        var settings = BreakerSettings.exact(failures: 1)
        (settings.counts, settings.opensAtOnce) = ([], [])
        let model = modelState(breaker: settings)
        model.tryAttempt(at: after(.zero)).attempt?.end(.failed(.rateLimited, retryAfter: .seconds(7)), at: after(.zero))
        #expect(model.availability(now: after(.zero)) == .coolingDown(until: after(.seconds(7))))
    }

    @Test("a success resets the count of consecutive failures")
    func row() {
        let model = modelState(breaker: .exact(failures: 2))
        for _ in 0..<5 {
            model.tryAttempt(at: after(.zero)).attempt?.end(.failed(.timeout, retryAfter: nil), at: after(.zero))
            #expect(model.view(now: after(.zero)).failuresInRow == 1)
            model.tryAttempt(at: after(.zero)).attempt?.end(good, at: after(.zero))
            #expect(model.view(now: after(.zero)).failuresInRow == 0)
        }
        #expect(model.availability(now: after(.zero)) == .ready)
    }

    @Test("attempts in progress are counted, however they end")
    func inFlight() {
        let model = modelState()
        let attempts = (0..<4).compactMap { _ in model.tryAttempt(at: after(.zero)).attempt }
        #expect(model.inFlight == 4)
        attempts[0].end(good, at: after(.zero))
        attempts[1].end(.failed(.timeout, retryAfter: nil), at: after(.zero))
        attempts[2].end(.abandoned, at: after(.zero))
        attempts[3].giveBack(at: after(.zero))
        #expect(model.inFlight == 0)
    }

    @Test("the next attempt agrees with the availability of a reading", arguments: 0..<30)
    func agreement(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed)), now = after(.zero), running: [HeldAttempt] = []
        let provider = Limiter(Limits(requestsPerMinute: 40, concurrent: 5))
        let model = modelState(
            Limits(requestsPerMinute: 30, tokensPerMinute: 500, concurrent: 3), provider: provider, breaker: .exact(cooldown: .seconds(3)))
        for step in 0..<400 {
            now = now + .milliseconds(random.below(2500))
            let reading = model.reading(now: now)
            #expect(reading.inFlight == running.count)
            switch model.tryAttempt(tokens: 1, at: now) {
            case .granted(let attempt):
                #expect(reading.availability.isAvailable)
                #expect(attempt.isProbe == (reading.availability == .probe))
                running.append(attempt)
            case .refused(let availability): #expect(availability == reading.availability)
            case .queued: #expect(Bool(false))
            }
            while !running.isEmpty, random.below(3) > 0 {
                let outcome = random.one(of: [
                    good, good, .failed(.upstreamError, retryAfter: nil), .failed(.rateLimited, retryAfter: .seconds(2)),
                    .failed(.clientError, retryAfter: nil), .abandoned,
                ])
                running.remove(at: random.below(running.count)).end(outcome, usedTokens: random.below(60), at: now, seed: step)
            }
        }
    }

    @Test("an attempt that one limit refuses takes nothing from another limit, and does not become the probe")
    func allOrNothing() throws {
        let provider = try #require(Limiter(Limits(tokensPerMinute: 10)))
        let model = modelState(Limits(requestsPerMinute: 5, concurrent: 1), provider: provider, breaker: .exact(failures: 1))
        model.tryAttempt(at: after(.zero)).attempt?.end(.failed(.timeout, retryAfter: nil), usedTokens: 10, at: after(.zero))
        #expect(model.tryAttempt(tokens: 9, at: after(.seconds(30))).refusal == .limited(until: after(.seconds(54))))
        let view = model.view(now: after(.seconds(30)))
        #expect(view.availability == .probe && view.inFlight == 0)
        #expect(view.limits?.requestsLeft == 5 && view.limits?.slotsInUse == 0)
        let probe = try #require(model.tryAttempt(tokens: 1, at: after(.seconds(54))).attempt)
        #expect(probe.isProbe)
        probe.giveBack(at: after(.seconds(54)))
        #expect(model.reading(now: after(.seconds(54))).availability == .probe)
    }

    @Test("an attempt that never reached the upstream uses no request and no tokens; any other attempt uses its request")
    func cost() {
        let model = modelState(Limits(requestsPerMinute: 10, tokensPerMinute: 100), breaker: .exact(failures: 9))
        func left(after outcome: AttemptOutcome, used: Int?) -> [Int?] {
            model.tryAttempt(tokens: 40, at: after(.zero)).attempt?.end(outcome, usedTokens: used, at: after(.zero))
            let limits = model.view(now: after(.zero)).limits
            return [limits?.requestsLeft, limits?.tokensLeft]
        }
        #expect(left(after: .failed(.unreachable, retryAfter: nil), used: nil) == [10, 100])
        #expect(left(after: .failed(.upstreamError, retryAfter: nil), used: 0) == [9, 100])
        #expect(left(after: good, used: 25) == [8, 75])
        #expect(left(after: .abandoned, used: nil) == [7, 35])
    }

    @Test("of 1,000 parallel attempts at a model with 100 requests per minute, exactly 100 are admitted")
    func exact() throws {
        let model = modelState(
            Limits(requestsPerMinute: 100), provider: Limiter(Limits(requestsPerMinute: 100, tokensPerMinute: 1_000_000)))
        let admitted = try Threads.run(8, within: .seconds(30), file: #filePath, line: #line) { thread in
            (0..<125).reduce(into: 0) { count, _ in
                if let attempt = model.tryAttempt(tokens: 10, at: after(.zero)).attempt {
                    attempt.end(.succeeded(latency: .zero, firstToken: nil), usedTokens: 10, at: after(.zero))
                    count += 1
                }
            }
        }
        #expect(admitted.reduce(0, +) == 100)
        #expect(model.inFlight == 0)
    }

    @Test("eight threads at a half-open model make one probe at a time")
    func oneProbe() throws {
        let model = modelState(breaker: .exact(failures: 1, successes: .max)), probes = Watched((now: 0, most: 0, total: 0))
        model.tryAttempt(at: after(.zero)).attempt?.end(.failed(.timeout, retryAfter: nil), at: after(.zero))
        _ = try Threads.run(8, within: .seconds(30), file: #filePath, line: #line) { _ in
            for _ in 0..<500 {
                guard let probe = model.tryAttempt(at: after(.seconds(30))).attempt else { continue }
                probes.update { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.total + 1) }
                probes.update { $0.now -= 1 }
                probe.end(.succeeded(latency: .zero, firstToken: nil), at: after(.seconds(30)))
            }
        }
        #expect(probes.read(\.most) == 1 && probes.read(\.total) > 1)
    }

    @Test("the only candidate is probed early, but its limits still apply")
    func earlyProbe() throws {
        let model = modelState(Limits(concurrent: 1), breaker: .exact(failures: 1))
        model.tryAttempt(at: after(.zero)).attempt?.end(.failed(.timeout, retryAfter: nil), at: after(.zero))
        #expect(model.tryAttempt(at: after(.seconds(1))).refusal == .open(until: after(.seconds(30))))
        let probe = try #require(model.tryAttempt(at: after(.seconds(1)), early: true).attempt)
        #expect(model.tryAttempt(at: after(.seconds(1)), early: true).refusal == .probing)
        probe.end(good, at: after(.seconds(2)))
        #expect(model.view(now: after(.seconds(2))).breaker == .halfOpen)
        #expect(model.view(now: after(.seconds(2))).limits?.slotsInUse == 0)
    }
}
