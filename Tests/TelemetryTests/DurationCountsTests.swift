import Testing

@testable import Telemetry

struct DurationCountsTests {
    @Test(arguments: [1, 7, 8, 9, 15, 16, 1000, 12_345, 999_999, 30_000_000, 3_600_000_000])
    func `a quantile is off by at most a sixteenth`(microseconds: Int) throws {
        var counts = DurationCounts()
        for _ in 0..<10 { counts.add(microseconds: microseconds) }
        let median = try #require(counts.quantile(0.5))
        #expect(abs(median - Double(microseconds)) <= max(1, Double(microseconds) / 16))
    }

    @Test
    func `quantiles split the durations`() throws {
        var counts = DurationCounts()
        for milliseconds in 1...1000 { counts.add(microseconds: milliseconds * 1000) }
        for (part, milliseconds) in [(0.5, 500.0), (0.95, 950), (0.99, 990)] {
            let quantile = try #require(counts.quantile(part)) / 1000
            #expect(abs(quantile - milliseconds) <= milliseconds / 16, "\(part): \(quantile)")
        }
    }

    @Test
    func `sums have the durations of both, and cleared counts none`() {
        var one = DurationCounts(), other = DurationCounts()
        for _ in 0..<3 { one.add(microseconds: 10) }
        for _ in 0..<5 { other.add(microseconds: 1_000_000) }
        one.add(other)
        one.add(DurationCounts())
        #expect(one.count == 8)
        #expect(one.quantile(0.25) ?? 0 < 12 && one.quantile(0.5) ?? 0 > 900_000)
        one.clear()
        #expect(one.count == 0 && one.quantile(0.5) == nil)
    }

    @Test(arguments: [Int.min, -1, 0, Int.max])
    func `no duration is out of range`(microseconds: Int) {
        var counts = DurationCounts()
        counts.add(microseconds: microseconds)
        #expect(counts.count == 1 && counts.quantile(1) != nil)
    }
}
