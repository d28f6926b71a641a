import NIOCore
import Synchronization

/// The latest summary, for readers without a lock.
struct SummaryCache: ~Copyable, Sendable {
    /// The success rate and the mean latency, as the bits of two Floats. NaN represents nil.
    private let rateAndLatency = Atomic(pack(Float(1).bitPattern, Float.nan.bitPattern))
    /// The mean time to the first content, as the bits of a Float, and the number of samples.
    private let firstTokenAndSamples = Atomic(pack(Float.nan.bitPattern, 0))
    /// The number of samples since the start that the summary includes.
    private let samplesSeen = Atomic<UInt64>(0)
    /// The time at which samples leave the window, in nanoseconds of uptime.
    private let freshUntil = Atomic(Int64.max)

    /// nil if there are newer samples, or if samples may have left the window since.
    @inline(__always)
    func summary(samples: UInt64, now: NIODeadline) -> StatisticsSummary? {
        // An acquiring load sees every store before the value that it reads, so the words below are never older than
        // `samplesSeen`.
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

    /// Must be called by one thread at a time.
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
