/// A dictionary of bounded size. An entry that is added to a full one replaces the entry that was used least recently.
struct RecentEntries<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// An entry, and its neighbours in the order of use, as indices into `entries`; -1: there is none.
    private struct Entry {
        var key: Key
        var value: Value
        var older: Int
        var newer: Int
    }

    let capacity: Int
    private var places: [Key: Int] = [:]
    private var entries: [Entry] = []
    private var oldest = -1
    private var newest = -1

    /// - Parameter capacity: at least 1.
    init(capacity: Int) { self.capacity = max(capacity, 1) }

    var count: Int { entries.count }

    /// The values, without an order.
    var values: some Sequence<Value> { entries.lazy.map(\.value) }

    /// The value of the key, without a use of it.
    func peek(_ key: Key) -> Value? { places[key].map { entries[$0].value } }

    /// Sets the value of the key, which becomes the one that was used last.
    mutating func set(_ key: Key, to value: Value) {
        if let place = places[key] {
            entries[place].value = value
            guard place != newest else { return }
            unlink(place)
            link(place)
        } else if entries.count < capacity {
            entries.append(Entry(key: key, value: value, older: -1, newer: -1))
            places[key] = entries.count - 1
            link(entries.count - 1)
        } else {
            let place = oldest
            unlink(place)
            places[entries[place].key] = nil
            entries[place].key = key
            entries[place].value = value
            places[key] = place
            link(place)
        }
    }

    /// The entries that the condition keeps, in the same order of use.
    func filter(_ isKept: (Key, Value) -> Bool) -> RecentEntries {
        var kept = RecentEntries(capacity: capacity)
        var place = oldest
        while place >= 0 {
            let entry = entries[place]
            if isKept(entry.key, entry.value) { kept.set(entry.key, to: entry.value) }
            place = entry.newer
        }
        return kept
    }

    private mutating func unlink(_ place: Int) {
        let (older, newer) = (entries[place].older, entries[place].newer)
        if older >= 0 { entries[older].newer = newer } else { oldest = newer }
        if newer >= 0 { entries[newer].older = older } else { newest = older }
    }

    private mutating func link(_ place: Int) {
        entries[place].older = newest
        entries[place].newer = -1
        if newest >= 0 { entries[newest].newer = place } else { oldest = place }
        newest = place
    }
}
