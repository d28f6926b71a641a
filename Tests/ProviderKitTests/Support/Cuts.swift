import Engine

/// Ways to cut bytes into the chunks of a stream: one chunk, single bytes, pairs, two chunks cut at every place, and
/// random chunks.
func cuts(of bytes: [UInt8], seed: UInt64) -> [[[UInt8]]] {
    var generator = SplitMix64(seed: seed)
    var ways = [[bytes], chunks(of: bytes, sizes: { 1 }), chunks(of: bytes, sizes: { 2 })]
    let places = bytes.count <= 1_000 ? Array(1..<max(1, bytes.count)) : (0..<200).map { _ in 1 + generator.below(bytes.count - 1) }
    ways += places.map { [Array(bytes[..<$0]), Array(bytes[$0...])] }
    ways += (0..<200).map { _ in
        let largest = 1 + generator.below(max(1, min(bytes.count, 64)))
        return chunks(of: bytes) { 1 + generator.below(largest) }
    }
    return ways
}

private func chunks(of bytes: [UInt8], sizes: () -> Int) -> [[UInt8]] {
    var chunks: [[UInt8]] = []
    var start = 0
    while start < bytes.count {
        let end = min(bytes.count, start + sizes())
        chunks.append(Array(bytes[start..<end]))
        start = end
    }
    return chunks
}
