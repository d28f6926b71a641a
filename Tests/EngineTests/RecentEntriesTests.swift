import Testing

@testable import Engine

/// The bounded dictionary of states and of sticky conversations.
@Suite("recent entries")
struct RecentEntriesTests {
    @Test("a full dictionary drops the entry that was set least recently")
    func eviction() {
        var entries = RecentEntries<String, Int>(capacity: 2)
        entries.set("a", to: 1)
        entries.set("b", to: 2)
        entries.set("a", to: 3)
        entries.set("c", to: 4)
        #expect(entries.peek("a") == 3 && entries.peek("b") == nil && entries.peek("c") == 4 && entries.count == 2)
    }

    @Test("filtering keeps the order of use")
    func filter() {
        var entries = RecentEntries<Int, Int>(capacity: 3)
        for key in [1, 2, 3] { entries.set(key, to: key) }
        entries.set(1, to: 1)
        var kept = entries.filter { key, _ in key != 2 }
        kept.set(4, to: 4)
        kept.set(5, to: 5)
        #expect(Set(kept.values) == [1, 4, 5])
    }

    @Test("it behaves like a list in the order of use", arguments: 0..<20)
    func model(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var entries = RecentEntries<Int, Int>(capacity: 8)
        var expected: [(key: Int, value: Int)] = []
        for value in 0..<500 {
            let key = Int.random(in: 0..<20, using: &random)
            entries.set(key, to: value)
            expected.removeAll { $0.key == key }
            expected.append((key, value))
            if expected.count > 8 { expected.removeFirst() }
            for key in 0..<20 { #expect(entries.peek(key) == expected.first { $0.key == key }?.value) }
        }
    }
}
