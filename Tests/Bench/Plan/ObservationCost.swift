import Telemetry

/// The time to count one value in a histogram.
struct ObservationCost {
    private static let batches = 15
    private static let valuesInBatch = 1_000_000

    /// The median of the batches' means, in nanoseconds.
    let median: Double

    var line: String { "\nTime to observe one value in a histogram: \(decimal(median, 1)) ns (median of \(Self.batches) batches)\n" }

    /// The values are spread over all buckets, and so many that the processor can't foresee them.
    static func measure() -> ObservationCost {
        var random = SystemRandomNumberGenerator()
        let values = (0..<65_536).map { _ in Int(random.next() >> UInt64.random(in: 36...60, using: &random)) }
        var histogram = Telemetry.Histogram(.firstToken)
        let means = (0..<batches).map { _ in
            let start = monotonicNow()
            for count in 0..<valuesInBatch { histogram.observe(microseconds: values[count & 65_535]) }
            return Double(monotonicNow() - start) / Double(valuesInBatch)
        }
        precondition(histogram.count == batches * valuesInBatch)
        return ObservationCost(median: means.sorted()[batches / 2])
    }
}
