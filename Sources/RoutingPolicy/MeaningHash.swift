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
        add(list.map { "list of \($0.count)" } ?? "none")
        for text in list ?? [] { add(text) }
    }

    mutating func add(numbers: [Int?]) {
        add(list: numbers.map { $0.map(String.init) ?? "" })
    }

    mutating func add(decimals: [Double?]) {
        add(list: decimals.map { $0.map { "\($0)" } ?? "" })
    }

    /// A long list of small numbers.
    mutating func add(indices: [Int]) {
        begin(count: indices.count)
        for index in indices { withUnsafeBytes(of: UInt64(index).littleEndian) { waiting += $0 } }
    }

    mutating func add(durations: [Duration?]) {
        add(list: durations.map { duration in
            guard let (seconds, attoseconds) = duration?.components else { return "" }
            return "\(seconds).\(attoseconds)"
        })
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
        waiting += "\(count):".utf8
    }

    /// The first eight hexadecimal digits: enough to tell policies apart, and too few to find a secret by.
    mutating func finish() -> String {
        finishWhole().prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// 32 bytes.
    mutating func finishWhole() -> [UInt8] {
        hash.update(data: waiting)
        waiting = []
        return Array(hash.finalize())
    }
}
