/// A queue that serves its keys in rotation, and the waiters of one key in the order of their arrival.
struct FairQueue<Waiter> {
    private struct Entry {
        var number: Int
        var waiter: Waiter
    }

    private struct Group {
        var fairnessKey: String?
        var entries: [Entry]
    }

    /// The first group is served next. No group is empty.
    private var groups: [Group] = []
    private var lastNumber = 0
    private(set) var count = 0

    init() {}

    /// Returns the number that identifies the waiter in `contains` and `remove`.
    mutating func append(_ waiter: Waiter, fairnessKey: String?) -> Int {
        lastNumber += 1
        count += 1
        let entry = Entry(number: lastNumber, waiter: waiter)
        if let index = groups.firstIndex(where: { $0.fairnessKey == fairnessKey }) {
            groups[index].entries.append(entry)
        } else {
            groups.append(Group(fairnessKey: fairnessKey, entries: [entry]))
        }
        return lastNumber
    }

    func contains(_ number: Int) -> Bool {
        groups.contains { $0.entries.contains { $0.number == number } }
    }

    mutating func popFirst() -> Waiter? {
        guard !groups.isEmpty else { return nil }
        var group = groups.removeFirst()
        let entry = group.entries.removeFirst()
        if !group.entries.isEmpty { groups.append(group) }
        count -= 1
        return entry.waiter
    }

    /// False if the waiter is no longer in the queue.
    mutating func remove(_ number: Int) -> Bool {
        for index in groups.indices {
            guard let position = groups[index].entries.firstIndex(where: { $0.number == number }) else { continue }
            groups[index].entries.remove(at: position)
            if groups[index].entries.isEmpty { groups.remove(at: index) }
            count -= 1
            return true
        }
        return false
    }
}
