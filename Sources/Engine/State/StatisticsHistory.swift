import NIOCore
import Synchronization

/// What a model's counts were when each twentieth of the window began, so that the window is a difference.
struct StatisticsHistory: ~Copyable, Sendable {
    private static let parts: Int64 = 20

    /// A twentieth of the window, in nanoseconds.
    private let part: Int64
    /// When the twentieth under way ends: nanoseconds of uptime. Twentieths are numbered from the clock's zero.
    private let endsAt: Atomic<Int64>
    /// By number modulo 20: the counts at the beginning of each twentieth.
    private let marks = InlineArray<20, SampleCounters> { _ in SampleCounters() }
    /// Somebody writes the marks or the cache.
    private let isClaimed = Atomic(false)

    init(window: Duration) {
        part = max(TimeAmount(window).nanoseconds / Self.parts, 1)
        endsAt = Atomic(part)
    }

    /// Begins the twentieth that `now` lies in: before a sample of it is counted, so that the sample is not taken for an older one. Who comes while another
    /// begins it waits for a hundred stores at most.
    func turn(to now: NIODeadline, _ totals: borrowing SampleCounters) {
        while now.nanoseconds >= endsAt.load(ordering: .acquiring) {
            guard tryClaim() else { continue }
            advance(to: now, totals)
            release()
        }
    }

    /// Of the window that ends now. Puts it into `cache`, unless somebody else is about it.
    func summary(_ totals: borrowing SampleCounters, _ cache: borrowing SummaryCache, now: NIODeadline) -> StatisticsSummary {
        let isMine = tryClaim()
        if isMine { advance(to: now, totals) }
        let end = endsAt.load(ordering: .acquiring)
        let before = marks[position(end / part)].counts, counts = totals.counts
        let summary = StatisticsSummary(counts.since(before))
        if isMine {
            // Nothing leaves an empty window.
            cache.store(summary, samples: counts.samples, until: counts.samples == before.samples ? .max : end)
            release()
        }
        return summary
    }

    func reset(_ totals: borrowing SampleCounters, _ cache: borrowing SummaryCache) {
        while !tryClaim() {}
        let counts = totals.counts
        for index in marks.indices { marks[index].set(counts) }
        cache.store(StatisticsSummary(), samples: counts.samples, until: .max)
        release()
    }

    private func advance(to now: NIODeadline, _ totals: borrowing SampleCounters) {
        let next = now.nanoseconds / part, last = endsAt.load(ordering: .relaxed) / part - 1
        guard next > last else { return }
        let counts = totals.counts
        for number in max(last + 1, next - Self.parts + 1)...next { marks[position(number)].set(counts) }
        endsAt.store((next + 1) * part, ordering: .releasing)
    }

    private func tryClaim() -> Bool {
        isClaimed.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }

    private func release() {
        isClaimed.store(false, ordering: .releasing)
    }

    private func position(_ number: Int64) -> Int { Int(number % Self.parts) }
}

extension NIODeadline {
    fileprivate var nanoseconds: Int64 { Int64(clamping: uptimeNanoseconds) }
}
