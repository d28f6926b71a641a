import Testing

@testable import Telemetry

struct HistogramTests {
    @Test
    func `a duration is in the first bucket whose bound it doesn't exceed`() {
        var histogram = Histogram(.queue)
        for microseconds in [0, 1000, 1001, 60_000_000, 60_000_001] { histogram.observe(microseconds: microseconds) }
        #expect(histogram.counts == [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
        #expect(histogram.count == 5 && histogram.sum == 120_002_002)
    }

    @Test
    func `the sum of two histograms has the durations of both`() {
        var one = Histogram(.response), other = Histogram(.response)
        one.observe(microseconds: 5)
        other.observe(microseconds: 5)
        other.observe(microseconds: 15_000)
        one.add(other)
        #expect(one.counts.prefix(3) == [2, 1, 0] && one.sum == 15_010)
    }

    @Test(arguments: [
        Histogram.Buckets.response, .firstToken, .outputToken, .overhead, .queue,
    ])
    func `the bounds ascend`(buckets: Histogram.Buckets) {
        #expect(buckets.bounds == Set(buckets.bounds).sorted() && buckets.bounds.first ?? 0 > 0)
    }
}
