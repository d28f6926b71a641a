/// The ledgers of the last requests of one event loop, as the access log writes them. They lie in a fixed piece of
/// memory, where the newest overwrites the oldest, so that keeping one costs no more than copying its bytes.
struct RecentRequests {
    static let maxBytes = 512 << 10
    static let maxCount = 1024

    /// A ledger, as `/admin/requests` shows it.
    struct Ledger: Sendable {
        /// When the request ended, in nanoseconds since 1970.
        var nanoseconds: Int
        /// A JSON object.
        var line: [UInt8]
    }

    private struct Place {
        var range: Range<Int>
        var nanoseconds: Int
    }

    /// Empty until the first request, as `places` is.
    private var bytes: [UInt8] = []
    /// The ledger with number n is at n modulo `maxCount`.
    private var places: [Place] = []
    /// Where the next ledger goes.
    private var end = 0
    /// The number of the oldest ledger that is kept.
    private var oldest = 0
    /// The number that the next ledger gets: as many requests have ended.
    private(set) var next = 0

    /// Keeps a ledger. One of more than an eighth of the memory is only counted.
    mutating func append(_ line: UnsafeRawBufferPointer, at time: Timestamp) {
        if bytes.isEmpty {
            bytes = Array(repeating: 0, count: Self.maxBytes)
            places = Array(repeating: Place(range: 0..<0, nanoseconds: 0), count: Self.maxCount)
        }
        let count = line.count <= Self.maxBytes / 8 ? line.count : 0
        if end + count > bytes.count {
            // What lies behind the end of the newest ledger is the oldest.
            while oldest < next, places[oldest % Self.maxCount].range.lowerBound >= end { oldest += 1 }
            end = 0
        }
        let range = end..<end + count
        while oldest < next, places[oldest % Self.maxCount].range.overlaps(range) || next - oldest == Self.maxCount { oldest += 1 }
        bytes.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[range]).copyBytes(from: line.prefix(count)) }
        places[next % Self.maxCount] = Place(range: range, nanoseconds: time.allNanoseconds)
        end = range.upperBound
        next += 1
    }

    /// The ledgers from a number on, the oldest first.
    ///
    /// - Parameters:
    ///   - start: the number of the first one that is wanted.
    ///   - limit: the most ledgers that are returned: the newest.
    func ledgers(from start: Int = 0, limit: Int = maxCount) -> [Ledger] {
        let first = max(start, oldest, next - limit)
        return (first..<max(next, first)).compactMap { number in
            let place = places[number % Self.maxCount]
            return place.range.isEmpty ? nil : Ledger(nanoseconds: place.nanoseconds, line: Array(bytes[place.range]))
        }
    }
}
