/// How large the chunks are in which upstreams send the bodies of their streams, after the first content: counted on
/// one event loop since its start, in fixed buckets. One more costs a comparison and two additions.
package struct ChunkSizes: Sendable {
    /// The upper bounds of the buckets, in bytes: 64 B, and each four times the one before, up to 64 KiB.
    package static let bounds = (0..<buckets - 1).map { 64 << (2 * $0) }
    private static let buckets = 7

    /// The number in each bucket alone; the last one has no upper bound.
    package private(set) var counts = Array(repeating: 0, count: buckets)
    /// Of all chunks, in bytes.
    package private(set) var sum = 0

    mutating func add(_ bytes: Int) {
        // The number of bits of (bytes - 1) / 64, by two.
        let bits = Int.bitWidth &- (max(0, bytes &- 1) >> 6).leadingZeroBitCount
        counts[min((bits &+ 1) >> 1, Self.buckets &- 1)] &+= 1
        sum &+= bytes
    }
}
