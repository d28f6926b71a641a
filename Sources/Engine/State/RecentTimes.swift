import NIOCore
import Synchronization

/// The last 128 times to the first content, of many threads.
struct RecentTimes: ~Copyable, Sendable {
    /// Fewer say nothing about a percentile.
    private static let enough = 20

    /// In each: when, in milliseconds of uptime and 1 (40 bits, 34 years), and how long, in tenths of a millisecond (24 bits, 27 minutes). 0: none.
    private let entries = InlineArray<128, Atomic<UInt64>> { _ in Atomic(0) }
    private let next = Atomic(0)

    func add(_ microseconds: UInt64, now: NIODeadline) {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        let length = min(microseconds / 100, 1 << 24 - 1)
        entries[index & (entries.count - 1)].store((Self.milliseconds(now) + 1) << 24 | length, ordering: .relaxed)
    }

    func p95(window: Duration, now: NIODeadline) -> Duration? {
        let end = Self.milliseconds(now) + 1, span = UInt64(clamping: TimeAmount(window).nanoseconds / 1_000_000)
        var lengths: [UInt64] = []
        lengths.reserveCapacity(entries.count)
        for index in entries.indices {
            let entry = entries[index].load(ordering: .relaxed)
            if entry != 0, entry >> 24 + span > end { lengths.append(entry & (1 << 24 - 1)) }
        }
        guard lengths.count >= Self.enough else { return nil }
        lengths.sort()
        let rank = (lengths.count * 95 + 99) / 100
        return .microseconds(Int64(clamping: lengths[rank - 1] * 100))
    }

    func clear() {
        for index in entries.indices { entries[index].store(0, ordering: .relaxed) }
    }

    private static func milliseconds(_ instant: NIODeadline) -> UInt64 { instant.uptimeNanoseconds / 1_000_000 }
}
