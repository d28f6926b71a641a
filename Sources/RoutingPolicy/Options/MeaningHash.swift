import Codecs
internal import Crypto

/// A SHA-256 hash over values. The length of each value is hashed too, so that different lists of values never produce
/// the same bytes.
struct MeaningHash {
    private var hash = SHA256()
    /// Bytes that are not hashed yet. Hashing many small values together is faster.
    private var pending: [UInt8] = []

    mutating func add(_ texts: String...) {
        for text in texts { add(text) }
    }

    mutating func add(_ text: String) {
        let bytes = text.utf8
        begin(count: bytes.count)
        pending += bytes
    }

    mutating func add(list: [String]?) {
        begin(count: list?.count ?? -1)
        for text in list ?? [] { add(text) }
    }

    mutating func add(numbers: [Int?]) {
        begin(count: numbers.count)
        for number in numbers { add(number.map { UInt64(bitPattern: Int64($0)) }) }
    }

    mutating func add(decimals: [Double?]) {
        begin(count: decimals.count)
        // Adding 0 turns -0 into 0.
        for decimal in decimals { add(decimal.map { ($0 + 0).bitPattern }) }
    }

    mutating func add(durations: [Duration?]) {
        begin(count: durations.count)
        for duration in durations {
            add((duration?.components.seconds).map { UInt64(bitPattern: $0) })
            add((duration?.components.attoseconds).map { UInt64(bitPattern: $0) })
        }
    }

    /// For long lists: a number takes 8 bytes and can't be nil.
    mutating func add(indices: [Int]) {
        begin(count: indices.count)
        for index in indices { withUnsafeBytes(of: UInt64(index).littleEndian) { pending += $0 } }
    }

    private mutating func add(_ word: UInt64?) {
        pending.append(word == nil ? 0 : 1)
        if let word { withUnsafeBytes(of: word.littleEndian) { pending += $0 } }
    }

    mutating func add(bytes: [UInt8]) {
        begin(count: bytes.count)
        pending += bytes
    }

    private mutating func begin(count: Int) {
        if pending.count > 1 << 16 {
            hash.update(data: pending)
            pending.removeAll(keepingCapacity: true)
        }
        withUnsafeBytes(of: Int64(count).littleEndian) { pending += $0 }
    }

    /// The first eight hexadecimal digits: enough to distinguish policies, and too few to guess a secret from.
    mutating func finish() -> String {
        Hex.encoded(digestBytes().prefix(4))
    }

    /// 32 bytes.
    mutating func digestBytes() -> [UInt8] {
        hash.update(data: pending)
        pending = []
        return Array(hash.finalize())
    }
}
