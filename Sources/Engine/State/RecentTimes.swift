import NIOCore
import Synchronization

/// The last 128 times to the first content. Several threads add to them.
struct RecentTimes: ~Copyable, Sendable {
    /// The fewest entries from which a percentile is computed.
    private static let minCount = 20

    /// Each entry contains its time of arrival in milliseconds of uptime plus 1 (40 bits, 34 years), and its length in
    /// tenths of a millisecond (24 bits, 27 minutes). 0 is an empty entry.
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
        guard lengths.count >= Self.minCount else { return nil }
        lengths.sort()
        let rank = (lengths.count * 95 + 99) / 100
        return .microseconds(Int64(clamping: lengths[rank - 1] * 100))
    }

    private static func milliseconds(_ instant: NIODeadline) -> UInt64 { instant.uptimeNanoseconds / 1_000_000 }
}
