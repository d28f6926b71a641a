import NIOCore
import Synchronization

/// The latest summary, for readers without a lock.
struct SummaryCache: ~Copyable, Sendable {
    /// The success rate and the mean latency, as bits of Floats. NaN stands for nil.
    private let rateAndLatency = Atomic(pack(Float(1).bitPattern, Float.nan.bitPattern))
    /// The mean time to the first content, as bits of a Float, and the number of samples.
    private let firstTokenAndSamples = Atomic(pack(Float.nan.bitPattern, 0))
    /// How many samples since the start it knows of.
    private let samplesSeen = Atomic<UInt64>(0)
    /// When samples leave the window: nanoseconds of uptime.
    private let freshUntil = Atomic(Int64.max)

    /// nil where there are other samples than it knows of, or where some have left the window.
    @inline(__always)
    func summary(samples: UInt64, now: NIODeadline) -> StatisticsSummary? {
        // Each load sees what was stored before that which it found, so the words are never older than `samplesSeen`.
        guard now.uptimeNanoseconds < UInt64(bitPattern: freshUntil.load(ordering: .acquiring)),
            samplesSeen.load(ordering: .acquiring) == samples
        else {
            return nil
        }
        let first = rateAndLatency.load(ordering: .relaxed), second = firstTokenAndSamples.load(ordering: .relaxed)
        var summary = StatisticsSummary()
        summary.successRate = Float(bitPattern: Self.high(first))
        summary.meanLatencyMilliseconds = Self.number(Self.low(first))
        summary.meanFirstTokenMilliseconds = Self.number(Self.high(second))
        summary.samples = Int(Self.low(second))
        return summary
    }

    /// By one thread at a time.
    func store(_ summary: StatisticsSummary, samples: UInt64, until: Int64) {
        let latency = summary.meanLatencyMilliseconds ?? .nan, firstToken = summary.meanFirstTokenMilliseconds ?? .nan
        rateAndLatency.store(Self.pack(summary.successRate.bitPattern, latency.bitPattern), ordering: .relaxed)
        firstTokenAndSamples.store(Self.pack(firstToken.bitPattern, UInt32(clamping: summary.samples)), ordering: .relaxed)
        samplesSeen.store(samples, ordering: .releasing)
        freshUntil.store(until, ordering: .releasing)
    }

    private static func pack(_ high: UInt32, _ low: UInt32) -> UInt64 { UInt64(high) << 32 | UInt64(low) }
    private static func high(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word >> 32) }
    private static func low(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word) }

    private static func number(_ bits: UInt32) -> Float? {
        let value = Float(bitPattern: bits)
        return value.isNaN ? nil : value
    }
}
