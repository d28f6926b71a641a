/// Durations, counted in eight buckets per power of two: a quantile is off by at most a sixteenth.
///
/// Unlike the buckets of the metrics, these need no limits that were chosen before.
struct DurationCounts: Sendable {
    /// From 1 µs to 71 minutes, where the last one begins.
    private static let bucketCount = 240

    /// Empty until the first duration is added.
    private var buckets: [UInt32] = []
    private(set) var count = 0

    mutating func add(microseconds: Int) {
        if buckets.isEmpty { buckets = Array(repeating: 0, count: Self.bucketCount) }
        buckets[Self.bucket(of: microseconds)] &+= 1
        count &+= 1
    }

    mutating func add(_ other: DurationCounts) {
        guard other.count > 0 else { return }
        if buckets.isEmpty { buckets = Array(repeating: 0, count: Self.bucketCount) }
        for index in other.buckets.indices { buckets[index] &+= other.buckets[index] }
        count &+= other.count
    }

    /// Forgets everything, and keeps the memory.
    mutating func clear() {
        for index in buckets.indices { buckets[index] = 0 }
        count = 0
    }

    /// The duration below which this part of all durations lies, in microseconds; nil without a duration.
    ///
    /// - Parameter part: 0 to 1; 0.5 is the median.
    func quantile(_ part: Double) -> Double? {
        guard count > 0 else { return nil }
        let rank = max(1, (part * Double(count)).rounded(.up))
        var below = 0.0
        for (index, bucket) in buckets.enumerated() where bucket > 0 {
            below += Double(bucket)
            if below >= rank { return Self.middle(of: index) }
        }
        return nil
    }

    private static func bucket(of microseconds: Int) -> Int {
        let value = min(max(microseconds, 0), Int(UInt32.max))
        guard value >= 8 else { return value }
        let exponent = 63 &- value.leadingZeroBitCount
        return (exponent &- 2) &* 8 &+ (value >> (exponent &- 3)) & 7
    }

    private static func middle(of index: Int) -> Double {
        guard index >= 8 else { return Double(index) }
        let width = 1 << (index / 8 - 1)
        return (Double(8 + index % 8) + 0.5) * Double(width)
    }
}
