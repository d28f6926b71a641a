import NIOCore

/// The last 128 times to the first content. A value.
struct RecentTimes: Sendable {
    private static let capacity = 128
    /// The fewest entries from which a percentile is computed.
    private static let minCount = 20

    private struct Entry {
        var arrival: NIODeadline
        /// In microseconds.
        var length: Int
    }

    private var entries: [Entry] = []
    /// The position of the entry that the next one replaces.
    private var oldest = 0

    /// - Parameter length: in microseconds.
    mutating func add(_ length: Int, now: NIODeadline) {
        let entry = Entry(arrival: now, length: length)
        guard entries.count == Self.capacity else { return entries.append(entry) }
        entries[oldest] = entry
        oldest = (oldest + 1) % Self.capacity
    }

    func p95(window: Duration, now: NIODeadline) -> Duration? {
        let span = TimeAmount(window)
        let lengths = entries.filter { now - $0.arrival < span }.map(\.length).sorted()
        guard lengths.count >= Self.minCount else { return nil }
        let rank = (lengths.count * 95 + 99) / 100
        return .microseconds(lengths[rank - 1])
    }
}
