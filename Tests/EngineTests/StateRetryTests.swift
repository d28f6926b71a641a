import RoutingPolicy
import TestSupport
import Testing

@testable import Engine

@Suite("the delay before a retry")
struct StateBackoffTests {
    private func settings(delay: Duration = .milliseconds(500), max: Duration = .seconds(30), jitter: Double = 0) -> Retry {
        var retry = Retry()
        retry.delay = delay
        retry.maxDelay = max
        retry.jitter = jitter
        return retry
    }

    private func delay(_ retry: Int, _ settings: Retry, after wait: Duration? = nil, seed: Int = 1) -> Duration {
        var random = SplitMix64(seed: UInt64(seed))
        return Backoff.delay(retry: retry, settings: settings, retryAfter: wait, using: &random)
    }

    @Test("the delay doubles and never exceeds max_delay")
    func doubles() {
        let expected: [Duration] = [
            .milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16), .seconds(30), .seconds(30),
        ]
        #expect((1...8).map { delay($0, settings()) } == expected)
        #expect(delay(Int.max, settings()) == .seconds(30))
        #expect(delay(1, settings(delay: .seconds(60))) == .seconds(30))
    }

    @Test("jitter spreads the delay over (1 - jitter)...(1 + jitter), but never above max_delay", arguments: [1, 3, 9])
    func jitter(retry: Int) {
        let settings = settings(jitter: 0.2), length = min(.milliseconds(500) * (1 << (retry - 1)), .seconds(25))
        let delays = (0..<500).map { delay(retry, settings, seed: $0) }
        for delay in delays { #expect(delay >= length * 0.799 && delay <= length * 1.201 && delay <= .seconds(30)) }
        #expect(delays.contains { $0 < length * 0.85 } && delays.contains { $0 > length * 1.15 })
        #expect(Set(delays).count > 400)
    }

    @Test("the upstream's wait is used even above max_delay, plus at most jitter × the configured delay")
    func retryAfter() {
        #expect(delay(1, settings(), after: .seconds(3)) == .seconds(3))
        #expect(delay(1, settings(), after: .milliseconds(10)) == .milliseconds(10))
        #expect(delay(5, settings(), after: .seconds(100)) == .seconds(100))
        let delays = (0..<300).map { delay(1, settings(jitter: 0.2), after: .seconds(3), seed: $0) }
        for delay in delays { #expect(delay >= .seconds(3) && delay <= .milliseconds(3100)) }
        #expect(Set(delays).count > 200)
    }

    @Test("the upstream's wait counts as it is, even if it is a day, and a past one is none", arguments: 0..<20)
    func bounds(seed: Int) {
        #expect(delay(1, settings(jitter: 0.2), after: .seconds(86400), seed: seed) >= .seconds(86400))
        for past in [Duration.zero, .seconds(-5)] {
            #expect(delay(1, settings(jitter: 0.2), after: past, seed: seed) == delay(1, settings(jitter: 0.2), seed: seed))
        }
    }
}

@Suite("the retry budget")
struct StateRetryBudgetTests {
    private func budget(requests: [Int]) -> RetryBudget {
        let budget = RetryBudget(loops: requests.count)
        for (cell, count) in zip(budget.cells, requests) { for _ in 0..<count { cell.begin() } }
        return budget
    }

    @Test(
        "the budget is a fifth of the requests in progress on all loops, and at least 3",
        arguments: [([0, 0], 3), ([10, 5], 3), ([10, 10], 4), ([50, 49], 19), ([500, 500], 200)])
    func bound(requests: [Int], limit: Int) {
        let budget = budget(requests: requests)
        for _ in 0..<limit { #expect(budget.tryBegin()) }
        #expect(!budget.tryBegin())
        #expect(budget.repeatsInProgress == limit)
        budget.end()
        #expect(budget.tryBegin())
        #expect(!budget.tryBegin())
    }

    @Test("the budget shrinks with the number of requests")
    func shrinks() {
        let budget = budget(requests: [30])
        for _ in 0..<6 { #expect(budget.tryBegin()) }
        for _ in 0..<10 { budget.cells[0].end() }
        for _ in 0..<2 { budget.end() }
        #expect(budget.requests == 20)
        #expect(!budget.tryBegin())
        budget.end()
        #expect(budget.tryBegin())
    }

    @Test("eight threads never exceed the budget", arguments: [0, 100])
    func threads(requests: Int) throws {
        let budget = budget(requests: [requests / 2, requests / 2]), running = Watched((now: 0, most: 0, total: 0))
        _ = try Threads.run(8, within: .seconds(30), file: #filePath, line: #line) { _ in
            for _ in 0..<3000 {
                guard budget.tryBegin() else { continue }
                running.update { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.total + 1) }
                running.update { $0.now -= 1 }
                budget.end()
            }
        }
        #expect(running.read(\.most) <= max(3, requests / 5) && running.read(\.total) > 0)
        #expect(budget.repeatsInProgress == 0)
    }
}
