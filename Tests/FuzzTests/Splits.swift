import Engine

/// Ways to cut an input into the chunks of a stream: single bytes if it is short, two chunks, and chunks of random
/// sizes. The same input is always cut in the same ways.
func splits(of bytes: [UInt8]) -> [[ArraySlice<UInt8>]] {
    guard bytes.count > 1 else { return [] }
    var random = SplitMix64(seed: bytes.reduce(UInt64(bytes.count)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    let place = Int.random(in: 1..<bytes.count, using: &random)
    var sizes = [[place, bytes.count - place]]
    for largest in bytes.count <= 256 ? [1, 4] : [16, 256] {
        var rest = bytes.count, chunks: [Int] = []
        while rest > 0 {
            let size = min(rest, Int.random(in: 1...largest, using: &random))
            chunks.append(size)
            rest -= size
        }
        sizes.append(chunks)
    }
    return sizes.map { sizes in
        var start = 0
        return sizes.map { size in
            defer { start += size }
            return bytes[start..<(start + size)]
        }
    }
}

/// Checks that a stream means the same wherever it is cut, and returns what it means.
func sameForEverySplit<Result: Equatable>(of bytes: [UInt8], _ read: ([ArraySlice<UInt8>]) -> Result) throws -> Result {
    let expected = read([bytes[...]])
    for chunks in splits(of: bytes) {
        let result = read(chunks)
        try ensure(result == expected, "cut into chunks of \(chunks.map(\.count)), it means \(result), otherwise \(expected)")
    }
    return expected
}
