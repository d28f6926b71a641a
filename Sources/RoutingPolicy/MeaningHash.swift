internal import Crypto

/// A SHA-256 over values, each with its length, so that no two lists of values run into the same bytes.
struct MeaningHash {
    private var hash = SHA256()

    mutating func add(_ texts: String...) {
        for text in texts { add(bytes: Array(text.utf8)) }
    }

    mutating func add(list: [String]?) {
        add(list.map { "list of \($0.count)" } ?? "none")
        for text in list ?? [] { add(text) }
    }

    mutating func add(durations: [Duration?]) {
        add(list: durations.map { duration in
            guard let (seconds, attoseconds) = duration?.components else { return "" }
            return "\(seconds).\(attoseconds)"
        })
    }

    mutating func add(bytes: [UInt8]) {
        hash.update(data: Array("\(bytes.count):".utf8))
        hash.update(data: bytes)
    }

    /// The first eight hexadecimal digits: enough to tell policies apart, and too few to find a secret by.
    func finish() -> String {
        hash.finalize().prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
