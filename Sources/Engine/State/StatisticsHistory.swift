import NIOCore
import Synchronization

/// The counts of a model at the beginning of each twentieth of the window. The counts of the window are the difference
/// between the current counts and the oldest of these.
struct StatisticsHistory: ~Copyable, Sendable {
    private static let partCount: Int64 = 20

    /// The length of a twentieth of the window, in nanoseconds.
    private let partLength: Int64
    /// The end of the current twentieth, in nanoseconds of uptime. Twentieths are numbered from the zero of the clock.
    private let endsAt: Atomic<Int64>
    /// The counts at the beginning of each twentieth, by its number modulo 20.
    private let marks = InlineArray<20, SampleCounters> { _ in SampleCounters() }
    /// Whether a thread is writing the marks or the cache.
    private let isClaimed = Atomic(false)

    init(window: Duration) {
        partLength = max(TimeAmount(window).nanoseconds / Self.partCount, 1)
        endsAt = Atomic(partLength)
    }

    /// Begins the twentieth that contains `now`. It must be called before a sample of that twentieth is counted, since
    /// otherwise the sample counts as an older one. If another thread is just beginning the twentieth, this call
    /// waits for at most a hundred stores.
    func advance(to now: NIODeadline, _ totals: borrowing SampleCounters) {
        while now.nanoseconds >= endsAt.load(ordering: .acquiring) {
            guard tryClaim() else { continue }
            writeMarks(upTo: now, totals)
            release()
        }
    }

    /// The summary of the window that ends now. It is also stored in `cache`, unless another thread is writing.
    func summary(_ totals: borrowing SampleCounters, _ cache: borrowing SummaryCache, now: NIODeadline) -> StatisticsSummary {
        let hasClaimed = tryClaim()
        if hasClaimed { writeMarks(upTo: now, totals) }
        let end = endsAt.load(ordering: .acquiring)
        let before = marks[position(end / partLength)].counts, counts = totals.counts
        let summary = StatisticsSummary(counts.since(before))
        if hasClaimed {
            // An empty window has no sample that could leave it.
            cache.store(summary, samples: counts.samples, until: counts.samples == before.samples ? .max : end)
            release()
        }
        return summary
    }

    private func writeMarks(upTo now: NIODeadline, _ totals: borrowing SampleCounters) {
        let next = now.nanoseconds / partLength, last = endsAt.load(ordering: .relaxed) / partLength - 1
        guard next > last else { return }
        let counts = totals.counts
        for number in max(last + 1, next - Self.partCount + 1)...next { marks[position(number)].set(counts) }
        endsAt.store((next + 1) * partLength, ordering: .releasing)
    }

    private func tryClaim() -> Bool {
        isClaimed.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }

    private func release() {
        isClaimed.store(false, ordering: .releasing)
    }

    private func position(_ number: Int64) -> Int { Int(number % Self.partCount) }
}

extension NIODeadline {
    fileprivate var nanoseconds: Int64 { Int64(clamping: uptimeNanoseconds) }
}
