import NIOCore
import TestSupport
import Testing

@testable import Engine

@Suite("a model's statistics")
struct StateStatisticsTests {
    private let statistics = ModelStatistics(window: .seconds(600))

    private func succeed(_ milliseconds: Int = 100, first: Int? = nil, at now: Duration = .zero) {
        statistics.recordSuccess(latency: .milliseconds(milliseconds), firstToken: first.map { .milliseconds($0) }, now: after(now))
    }

    @Test("an empty window has a success rate of 1 and unknown times")
    func empty() {
        let summary = statistics.summary(now: after(.zero))
        #expect(summary == StatisticsSummary())
        #expect(summary.successRate == 1 && summary.samples == 0)
        #expect(summary.meanLatencyMilliseconds == nil && summary.meanFirstTokenMilliseconds == nil)
        #expect(statistics.p95FirstToken(now: after(.zero)) == nil)
    }

    @Test("the success rate and the means are those of the samples")
    func means() {
        succeed(100, first: 10)
        succeed(300, first: 40)
        succeed(800)
        statistics.recordFailure(now: after(.zero))
        let summary = statistics.summary(now: after(.zero))
        #expect(summary.successRate == 0.75)
        #expect(summary.meanLatencyMilliseconds == 400)
        #expect(summary.meanFirstTokenMilliseconds == 25)
        #expect(summary.samples == 4)
    }

    @Test("the times are unknown if all samples are failures")
    func failures() {
        statistics.recordFailure(now: after(.zero))
        let summary = statistics.summary(now: after(.zero))
        #expect(summary.successRate == 0 && summary.meanLatencyMilliseconds == nil)
    }

    @Test("a summary includes each sample at once, and stays the same without new samples")
    func fresh() {
        for count in 1...100 {
            succeed(at: .seconds(count))
            #expect(statistics.summary(now: after(.seconds(count))).samples == count)
            #expect(statistics.summary(now: after(.seconds(count))).samples == count)
        }
    }

    @Test(
        "a sample counts for at least 19 and at most 20 twentieths of the window",
        arguments: [Duration.zero, .seconds(1), .seconds(29), .seconds(4000)])
    func slides(start: Duration) {
        succeed(at: start)
        #expect(statistics.summary(now: after(start + .seconds(570))).samples == 1)
        #expect(statistics.summary(now: after(start + .seconds(600))).samples == 0)
        #expect(statistics.summary(now: after(start + .seconds(600))).meanLatencyMilliseconds == nil)
    }

    @Test("the summary equals that of a plain list of samples, with random pauses", arguments: 0..<30)
    func reference(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed)), now = Duration.zero, samples: [(part: Int64, isSuccess: Bool, milliseconds: Int)] = []
        func part(_ now: Duration) -> Int64 { Int64(after(now).uptimeNanoseconds) / 30_000_000_000 }
        for _ in 0..<600 {
            now += random.below(30) == 0 ? .seconds(random.below(1500)) : .milliseconds(random.below(20_000))
            if random.below(3) > 0 {
                let isSuccess = random.below(4) > 0, milliseconds = random.below(5000)
                samples.append((part(now), isSuccess, milliseconds))
                if isSuccess { succeed(milliseconds, at: now) } else { statistics.recordFailure(now: after(now)) }
            }
            let inside = samples.filter { $0.part > part(now) - 20 }, successes = inside.filter(\.isSuccess)
            let summary = statistics.summary(now: after(now))
            #expect(summary.samples == inside.count)
            #expect(summary.successRate == (inside.isEmpty ? 1 : Float(successes.count) / Float(inside.count)))
            let mean = successes.isEmpty ? nil : Float(Double(successes.reduce(0) { $0 + $1.milliseconds }) / Double(successes.count))
            #expect(summary.meanLatencyMilliseconds == mean)
        }
    }

    @Test("the p95 needs 20 samples in the window, and is their nearest rank")
    func p95() {
        for count in 1...19 { succeed(1, first: count, at: .zero) }
        #expect(statistics.p95FirstToken(now: after(.zero)) == nil)
        succeed(1, first: 20, at: .zero)
        #expect(statistics.p95FirstToken(now: after(.zero)) == .milliseconds(19))
        succeed(1, first: 21, at: .zero)
        #expect(statistics.p95FirstToken(now: after(.zero)) == .milliseconds(20))
        for count in 22...100 { succeed(1, first: count, at: .seconds(300)) }
        #expect(statistics.p95FirstToken(now: after(.seconds(300))) == .milliseconds(95))
        // The first 21 have left the window. The p95 of the other 79 is the 76th.
        #expect(statistics.p95FirstToken(now: after(.seconds(600))) == .milliseconds(97))
        #expect(statistics.p95FirstToken(now: after(.seconds(900))) == nil)
    }

    @Test("the p95 covers the last 128 samples")
    func p95Bound() {
        for _ in 0..<128 { succeed(1, first: 5000) }
        for _ in 0..<128 { succeed(1, first: 10) }
        #expect(statistics.p95FirstToken(now: after(.zero)) == .milliseconds(10))
    }

    @Test("a time that is too long or negative is clamped", arguments: [Duration.seconds(-5), .seconds(1 << 60), .zero])
    func bounded(time: Duration) {
        statistics.recordSuccess(latency: time, firstToken: time, now: after(.zero))
        let mean = statistics.summary(now: after(.zero)).meanLatencyMilliseconds ?? -1
        #expect(mean >= 0 && mean <= 4_300_000)
    }

    @Test("no sample of eight threads is lost while the window advances and summaries are read")
    func threads() throws {
        _ = try Threads.run(8, within: .seconds(60), file: #filePath, line: #line) { thread in
            for count in 0..<5000 {
                // The samples span ten twentieths, so none leaves the window.
                let now = after(.milliseconds(count * 60))
                if thread % 2 == 0 {
                    statistics.recordSuccess(latency: .milliseconds(20), firstToken: .milliseconds(10), now: now)
                } else {
                    statistics.recordFailure(now: now)
                }
                if count % 7 == 0 { _ = statistics.summary(now: now) }
            }
        }
        let summary = statistics.summary(now: after(.milliseconds(5000 * 60)))
        #expect(summary.samples == 40_000)
        #expect(summary.successRate == 0.5)
        #expect(summary.meanLatencyMilliseconds == 20)
        #expect(summary.meanFirstTokenMilliseconds == 10)
    }
}
