package import Engine

/// Durations or sizes, counted in fixed buckets, as Prometheus has them. One observation is a few comparisons.
package struct Histogram: Sendable {
    /// The buckets of a family: their upper bounds in ascending order, in microseconds or bytes.
    package struct Buckets: Sendable {
        package let bounds: [Int]
        /// What the bounds and the sum are divided by in metrics: a million for durations, which are shown in seconds.
        package let scale: Double

        /// - Parameter seconds: the bounds.
        private init(_ seconds: [Double]) {
            bounds = seconds.map { Int(($0 * 1e6).rounded()) }
            scale = 1e6
        }

        private init(bytes: [Int]) {
            bounds = bytes
            scale = 1
        }

        /// 10 ms to 11 minutes, each twice the one before. The first 14 are those of
        /// `gen_ai.client.operation.duration`, which reasoning models exceed. Source: OpenTelemetry's semantic
        /// conventions for generative AI.
        static let response = Buckets((0...16).map { 0.01 * Double(1 << $0) })
        /// Those of `gen_ai.server.time_to_first_token`, and 20 s to 80 s. Source: as above.
        package static let firstToken = Buckets(
            [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80])
        /// Those of `gen_ai.server.time_per_output_token`, and 1 ms to 5 ms. Source: as above.
        static let outputToken = Buckets([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5])
        /// What the router itself takes: 10 µs to 100 ms.
        static let overhead = Buckets([0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1])
        static let queue = Buckets([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60])
        static let chunk = Buckets(bytes: ChunkSizes.bounds)
    }

    package let buckets: Buckets
    /// The number in each bucket alone; the last one has no upper bound.
    package private(set) var counts: [Int]
    /// Of all durations, in microseconds, or of all sizes.
    package private(set) var sum = 0
    /// The last duration in each bucket that belongs to a sampled trace; empty if there is none.
    private(set) var exemplars: [Exemplar?] = []

    struct Exemplar: Sendable {
        var trace: TraceContext
        /// In microseconds.
        var duration: Int
        var time: Timestamp
    }

    package init(_ buckets: Buckets) {
        self.buckets = buckets
        counts = Array(repeating: 0, count: buckets.bounds.count + 1)
    }

    init(_ sizes: ChunkSizes) {
        buckets = .chunk
        (counts, sum) = (sizes.counts, sizes.sum)
    }

    package var count: Int { counts.reduce(0, &+) }

    /// - Parameters:
    ///   - microseconds: at least 0.
    ///   - trace: the sampled trace that the duration belongs to; nil if there is none.
    package mutating func observe(microseconds: Int, trace: TraceContext? = nil) {
        var index = 0
        while index < buckets.bounds.count, buckets.bounds[index] < microseconds { index &+= 1 }
        counts[index] &+= 1
        sum &+= microseconds
        guard let trace else { return }
        if exemplars.isEmpty { exemplars = Array(repeating: nil, count: counts.count) }
        exemplars[index] = Exemplar(trace: trace, duration: microseconds, time: .now())
    }

    /// - Parameter other: one with the same buckets.
    mutating func add(_ other: Histogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        sum &+= other.sum
        if exemplars.isEmpty { exemplars = other.exemplars }
        for (index, theirs) in other.exemplars.enumerated() {
            guard let theirs, exemplars[index].map({ $0.time.allNanoseconds < theirs.time.allNanoseconds }) ?? true else { continue }
            exemplars[index] = theirs
        }
    }
}
