import Engine

/// The figures of the last 60 minutes, the running one included, of one event loop or of all.
package struct RecentMinutes: Sendable {
    static let count = 60

    /// The figures of a minute are at its number modulo 60. Empty until the first request.
    private var figures: [MinuteFigures] = []

    init() {}

    mutating func add(_ request: borrowing RequestRecord, at time: Timestamp) {
        let minute = time.minute, index = Self.index(of: minute)
        if figures.isEmpty { figures = Array(repeating: MinuteFigures(minute: .min), count: Self.count) }
        if figures[index].minute != minute { figures[index].restart(at: minute) }
        figures[index].add(request)
    }

    mutating func add(_ other: RecentMinutes) {
        guard !figures.isEmpty else {
            figures = other.figures
            return
        }
        for (index, theirs) in other.figures.enumerated() {
            if figures[index].minute == theirs.minute {
                figures[index].add(theirs)
            } else if figures[index].minute < theirs.minute {
                figures[index] = theirs
            }
        }
    }

    /// The figures of the 60 minutes that end with the running one, the oldest first.
    package func all(at time: Timestamp) -> [MinuteFigures] {
        (0..<Self.count).map { figure(ofMinute: time.minute - (Self.count - 1 - $0)) }
    }

    /// The figures of the running minute.
    package func current(at time: Timestamp) -> MinuteFigures { figure(ofMinute: time.minute) }

    /// The sum over the 60 minutes. Its minute is the running one.
    package func sum(at time: Timestamp) -> MinuteFigures {
        all(at: time).reduce(into: MinuteFigures(minute: time.minute)) { $0.add($1) }
    }

    private func figure(ofMinute minute: Int) -> MinuteFigures {
        let index = Self.index(of: minute)
        return figures.indices.contains(index) && figures[index].minute == minute ? figures[index] : MinuteFigures(minute: minute)
    }

    /// A clock before 1970 has negative minutes.
    private static func index(of minute: Int) -> Int { ((minute % count) + count) % count }
}

extension Timestamp {
    /// Since 1970.
    fileprivate var minute: Int { seconds >= 0 ? seconds / 60 : (seconds - 59) / 60 }
}
