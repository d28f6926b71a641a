/// Waiters in fair order: round robin over whom they wait for, first come first served within one.
struct FairQueue<Waiter> {
    private struct Place {
        var number: Int
        var waiter: Waiter
    }

    private struct Line {
        var fairness: String?
        var places: [Place]
    }

    /// Whose turn is next stands first. None is empty.
    private var lines: [Line] = []
    private var lastNumber = 0
    private(set) var count = 0

    init() {}

    /// The number by which the waiter can be removed.
    mutating func append(_ waiter: Waiter, fairness: String?) -> Int {
        lastNumber += 1
        count += 1
        let place = Place(number: lastNumber, waiter: waiter)
        if let index = lines.firstIndex(where: { $0.fairness == fairness }) {
            lines[index].places.append(place)
        } else {
            lines.append(Line(fairness: fairness, places: [place]))
        }
        return lastNumber
    }

    func contains(_ number: Int) -> Bool {
        lines.contains { $0.places.contains { $0.number == number } }
    }

    mutating func popFirst() -> Waiter? {
        guard !lines.isEmpty else { return nil }
        var line = lines.removeFirst()
        let place = line.places.removeFirst()
        if !line.places.isEmpty { lines.append(line) }
        count -= 1
        return place.waiter
    }

    /// False where it has been popped, or removed, before.
    mutating func remove(_ number: Int) -> Bool {
        for index in lines.indices {
            guard let position = lines[index].places.firstIndex(where: { $0.number == number }) else { continue }
            lines[index].places.remove(at: position)
            if lines[index].places.isEmpty { lines.remove(at: index) }
            count -= 1
            return true
        }
        return false
    }
}
