/// The parts of a policy's secrets, sorted so that they are found in a text in one pass.
struct SecretIndex: Sendable {
    /// A secret of this length or more is masked in parts, a shorter one only as a whole.
    private static let minLongBytes = 12
    /// Shorter secrets are not masked, because they occur in ordinary words.
    private static let minShortBytes = 4
    /// A part of a secret is masked if it fills this many bytes of the text, in whatever encoding.
    private static let minVisibleBytes = 8

    /// The long secrets, one after the other.
    private let bytes: [UInt8]
    /// For each position in `bytes`, the end of its secret.
    private let ends: [Int32]
    /// The positions in `bytes`, sorted by the bytes from there to the end of the secret.
    private let suffixes: [Int32]
    /// Where the suffixes that begin with a byte start in `suffixes`: one entry for each byte, and the end.
    private let starts: [Int]
    /// The short secrets, by their first four bytes.
    private let shortSecrets: [UInt32: Set<[UInt8]>]
    /// A bit for each pair of bytes that occurs in a secret.
    private let pairs: [UInt64]

    /// A text with fewer bytes shows no secret, because no encoding is shorter than what it encodes.
    let leastBytes: Int

    var isEmpty: Bool { bytes.isEmpty && shortSecrets.isEmpty }

    init(_ secrets: [String]) {
        let distinct = Set(secrets).map { Array($0.utf8) }
        var bytes: [UInt8] = [], ends: [Int32] = []
        var pairs = Array(repeating: UInt64(0), count: 1024)
        var shortSecrets: [UInt32: Set<[UInt8]>] = [:]
        for secret in distinct where secret.count >= Self.minShortBytes {
            for (first, second) in zip(secret, secret.dropFirst()) {
                let pair = Int(first) << 8 | Int(second)
                pairs[pair >> 6] |= 1 << UInt64(pair & 63)
            }
            if secret.count < Self.minLongBytes {
                shortSecrets[Self.start(of: secret, at: 0), default: []].insert(secret)
            } else {
                bytes += secret
                ends += Array(repeating: Int32(clamping: bytes.count), count: secret.count)
            }
        }
        let suffixes = bytes.indices.sorted { one, other in
            bytes[one..<Int(ends[one])].lexicographicallyPrecedes(bytes[other..<Int(ends[other])])
        }
        var starts = Array(repeating: 0, count: 257)
        for byte in bytes { starts[Int(byte) + 1] += 1 }
        for byte in 0..<256 { starts[byte + 1] += starts[byte] }
        self.bytes = bytes
        self.ends = ends
        self.suffixes = suffixes.map { Int32(clamping: $0) }
        self.starts = starts
        self.shortSecrets = shortSecrets
        self.pairs = pairs
        leastBytes = shortSecrets.values.lazy.joined().reduce(Self.minVisibleBytes) { min($0, $1.count) }
    }

    /// Adds the ranges of the original text that show a secret.
    func find(in text: DecodedText, _ ranges: inout [Range<Int>]) {
        var index = 0
        while index + 1 < text.count {
            guard isPair(text.bytes, at: index), let length = length(of: text, at: index) else {
                index += 1
                continue
            }
            // What begins inside this part and is visible beside it is found at the next position.
            ranges.append(text.source(of: index..<(index + length)))
            index += length
        }
    }

    /// Whether a text shows a secret that is not encoded.
    func isShown(in text: [UInt8]) -> Bool {
        text.indices.dropLast().contains { index in
            isPair(text, at: index) && (longestMatch(text, at: index) >= Self.minVisibleBytes || shortSecret(text, at: index) != nil)
        }
    }

    private func isPair(_ text: [UInt8], at index: Int) -> Bool {
        let pair = Int(text[index]) << 8 | Int(text[index + 1])
        return pairs[pair >> 6] & 1 << UInt64(pair & 63) != 0
    }

    /// The number of bytes at `index` that show a secret; nil if there are too few.
    private func length(of text: DecodedText, at index: Int) -> Int? {
        let length = longestMatch(text.bytes, at: index)
        if length >= text.minMatch, text.source(of: index..<(index + length)).count >= Self.minVisibleBytes { return length }
        return shortSecret(text.bytes, at: index)
    }

    /// The length of the short secret at `index`; nil if there is none.
    private func shortSecret(_ text: [UInt8], at index: Int) -> Int? {
        let longest = min(Self.minLongBytes - 1, text.count - index)
        guard !shortSecrets.isEmpty, longest >= Self.minShortBytes, let secrets = shortSecrets[Self.start(of: text, at: index)] else {
            return nil
        }
        return (Self.minShortBytes...longest).last { secrets.contains(Array(text[index..<(index + $0)])) }
    }

    /// The number of bytes at `index` that are also a part of a long secret.
    private func longestMatch(_ text: [UInt8], at index: Int) -> Int {
        var low = starts[Int(text[index])], high = starts[Int(text[index]) + 1]
        guard low < high else { return 0 }
        var length = 1
        while index + length < text.count {
            // All suffixes from `low` to `high` begin with the first `length` bytes of the match.
            let byte = Int(text[index + length])
            let start = partition(low, high) { self.byte(ofSuffix: $0, at: length) >= byte }
            let end = partition(start, high) { self.byte(ofSuffix: $0, at: length) > byte }
            guard start < end else { break }
            (low, high) = (start, end)
            length += 1
        }
        return length
    }

    /// The byte of a suffix; -1 after its end.
    private func byte(ofSuffix suffix: Int, at offset: Int) -> Int {
        let position = Int(suffixes[suffix]) + offset
        return position < Int(ends[Int(suffixes[suffix])]) ? Int(bytes[position]) : -1
    }

    /// The first number from `low` to `high` for which the condition holds. It holds for all greater ones as well.
    private func partition(_ low: Int, _ high: Int, _ holds: (Int) -> Bool) -> Int {
        var low = low, high = high
        while low < high {
            let middle = (low + high) / 2
            if holds(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private static func start(of bytes: [UInt8], at index: Int) -> UInt32 {
        bytes[index..<(index + minShortBytes)].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
