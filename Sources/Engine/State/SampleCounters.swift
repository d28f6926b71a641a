import Synchronization

/// Sums over samples.
struct SampleCounts {
    var samples: UInt64 = 0
    var successes: UInt64 = 0
    /// The total latency of the successes, in microseconds.
    var latency: UInt64 = 0
    /// The number of successes with a time to the first content.
    var firstTokens: UInt64 = 0
    /// The total of these times, in microseconds.
    var firstToken: UInt64 = 0

    /// The difference between these sums and `earlier` ones.
    func since(_ earlier: SampleCounts) -> SampleCounts {
        SampleCounts(
            samples: Self.growth(samples, earlier.samples), successes: Self.growth(successes, earlier.successes),
            latency: Self.growth(latency, earlier.latency), firstTokens: Self.growth(firstTokens, earlier.firstTokens),
            firstToken: Self.growth(firstToken, earlier.firstToken))
    }

    private static func growth(_ now: UInt64, _ before: UInt64) -> UInt64 { now > before ? now - before : 0 }
}

/// Sums over samples, as counters that several threads increment.
struct SampleCounters: ~Copyable, Sendable {
    private let sampleCount = Atomic<UInt64>(0)
    private let successes = Atomic<UInt64>(0)
    private let latency = Atomic<UInt64>(0)
    private let firstTokens = Atomic<UInt64>(0)
    private let firstToken = Atomic<UInt64>(0)

    /// Incremented last, so that a thread that sees a sample here also sees its other sums.
    var samples: UInt64 { sampleCount.load(ordering: .acquiring) }

    var counts: SampleCounts {
        SampleCounts(
            samples: samples, successes: successes.load(ordering: .relaxed), latency: latency.load(ordering: .relaxed),
            firstTokens: firstTokens.load(ordering: .relaxed), firstToken: firstToken.load(ordering: .relaxed))
    }

    func addSuccess(_ microseconds: UInt64) {
        latency.wrappingAdd(microseconds, ordering: .relaxed)
        successes.wrappingAdd(1, ordering: .relaxed)
        sampleCount.wrappingAdd(1, ordering: .releasing)
    }

    func addFailure() {
        sampleCount.wrappingAdd(1, ordering: .releasing)
    }

    /// Must be called before `addSuccess` for the same sample.
    func addFirstToken(_ microseconds: UInt64) {
        firstToken.wrappingAdd(microseconds, ordering: .relaxed)
        firstTokens.wrappingAdd(1, ordering: .relaxed)
    }

    func set(_ counts: SampleCounts) {
        sampleCount.store(counts.samples, ordering: .relaxed)
        successes.store(counts.successes, ordering: .relaxed)
        latency.store(counts.latency, ordering: .relaxed)
        firstTokens.store(counts.firstTokens, ordering: .relaxed)
        firstToken.store(counts.firstToken, ordering: .relaxed)
    }
}
