/// Counts of durations in log-linear buckets: exact below 256 ns, and to 1/128 of the value above that.
struct Histogram {
    private static let linear: UInt64 = 256
    private static let perOctave = 128
    private var counts = [UInt32](repeating: 0, count: 256 + 56 * 128)
    private(set) var total = 0

    @inline(__always)
    mutating func record(_ value: Nanoseconds) {
        counts[Histogram.bucket(of: value)] &+= 1
        total += 1
    }

    /// The value that the given share of all values does not exceed, as the middle of its bucket; 0 without values.
    func quantile(_ share: Double) -> Nanoseconds {
        let rank = max(1, Int((share * Double(total)).rounded(.up)))
        var seen = 0
        for (bucket, count) in counts.enumerated() where count > 0 {
            seen += Int(count)
            if seen >= rank { return Histogram.middle(of: bucket) }
        }
        return 0
    }

    /// The bucket of a value. Octave n contains the values from 2^(n+8), in 128 buckets of width 2^(n+1).
    @inline(__always)
    private static func bucket(of value: UInt64) -> Int {
        guard value >= linear else { return Int(value) }
        let octave = 55 - value.leadingZeroBitCount
        return 256 + octave * perOctave + Int(value >> UInt64(octave + 1)) - perOctave
    }

    private static func middle(of bucket: Int) -> UInt64 {
        guard bucket >= 256 else { return UInt64(bucket) }
        let (octave, step) = (bucket - 256).quotientAndRemainder(dividingBy: perOctave)
        return (UInt64(perOctave + step) << UInt64(octave + 1)) + (1 << UInt64(octave))
    }
}
