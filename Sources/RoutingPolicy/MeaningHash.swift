import Codecs
internal import Crypto

/// A SHA-256 over values, each with its length, so that no two lists of values run into the same bytes.
struct MeaningHash {
    private var hash = SHA256()
    /// Not hashed yet: many small values are hashed together.
    private var waiting: [UInt8] = []

    mutating func add(_ texts: String...) {
        for text in texts { add(text) }
    }

    mutating func add(_ text: String) {
        let bytes = text.utf8
        begin(count: bytes.count)
        waiting += bytes
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
        // -0 is 0.
        for decimal in decimals { add(decimal.map { ($0 + 0).bitPattern }) }
    }

    mutating func add(durations: [Duration?]) {
        begin(count: durations.count)
        for duration in durations {
            add((duration?.components.seconds).map { UInt64(bitPattern: $0) })
            add((duration?.components.attoseconds).map { UInt64(bitPattern: $0) })
        }
    }

    /// A long list of small numbers.
    mutating func add(indices: [Int]) {
        begin(count: indices.count)
        for index in indices { withUnsafeBytes(of: UInt64(index).littleEndian) { waiting += $0 } }
    }

    private mutating func add(_ word: UInt64?) {
        waiting.append(word == nil ? 0 : 1)
        if let word { withUnsafeBytes(of: word.littleEndian) { waiting += $0 } }
    }

    mutating func add(bytes: [UInt8]) {
        begin(count: bytes.count)
        waiting += bytes
    }

    private mutating func begin(count: Int) {
        if waiting.count > 1 << 16 {
            hash.update(data: waiting)
            waiting.removeAll(keepingCapacity: true)
        }
        withUnsafeBytes(of: Int64(count).littleEndian) { waiting += $0 }
    }

    /// The first eight hexadecimal digits: enough to tell policies apart, and too few to find a secret by.
    mutating func finish() -> String {
        Hex.encoded(digestBytes().prefix(4))
    }

    /// 32 bytes.
    mutating func digestBytes() -> [UInt8] {
        hash.update(data: waiting)
        waiting = []
        return Array(hash.finalize())
    }
}
