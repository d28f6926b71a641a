import TestSupport
import Testing

@testable import Engine

@Suite("the gate of concurrent requests")
struct StateGateTests {
    /// Enters the gate and appends `name` to `granted` when the request gets a slot. nil if it was not queued.
    private func queue(_ gate: ConcurrencyGate, _ name: String, key: String?, _ granted: Watched<[String]>) -> ConcurrencyGate.Ticket? {
        let entry = gate.enter(fairnessKey: key) { granted.update { $0.append(name) } }
        if case .queued(let ticket) = entry { return ticket }
        return nil
    }

    @Test("N requests enter, N more queue, and the next one is refused", arguments: [1, 3, 10])
    func bounds(slots: Int) {
        let gate = ConcurrencyGate(slots: slots), granted = Watched<[String]>([])
        for _ in 0..<slots { #expect(gate.enter(fairnessKey: nil) {} == .entered) }
        #expect(gate.isFull)
        #expect(!gate.tryEnter())
        for index in 0..<slots { #expect(queue(gate, "\(index)", key: nil, granted) != nil) }
        #expect(gate.enter(fairnessKey: nil) {} == .full)
        #expect(gate.inUse == slots && gate.waiting == slots)
        for _ in 0..<slots { gate.leave() }
        #expect(granted.read { $0 } == (0..<slots).map(String.init))
        #expect(gate.inUse == slots && gate.waiting == 0)
    }

    @Test("a slot that becomes free goes to the next waiter, and nothing overtakes the queue")
    func noBarging() {
        let gate = ConcurrencyGate(slots: 1), granted = Watched<[String]>([])
        #expect(gate.tryEnter())
        #expect(queue(gate, "a", key: nil, granted) != nil)
        gate.leave()
        #expect(granted.read { $0 } == ["a"])
        #expect(!gate.tryEnter())
        gate.leave()
        #expect(gate.tryEnter())
    }

    @Test("keys are served in rotation, and the waiters of one key in order of arrival")
    func rotation() {
        let gate = ConcurrencyGate(slots: 6), granted = Watched<[String]>([])
        for _ in 0..<6 { #expect(gate.tryEnter()) }
        for (name, key) in [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("b2", "b"), ("n1", nil)] as [(String, String?)] {
            #expect(queue(gate, name, key: key, granted) != nil)
        }
        for _ in 0..<6 { gate.leave() }
        #expect(granted.read { $0 } == ["a1", "b1", "n1", "a2", "b2", "a3"])
    }

    @Test("a key with one waiter waits for one slot of each other key, even if they have fifty waiters", arguments: [1, 2, 5])
    func fairnessBound(others: Int) {
        let gate = ConcurrencyGate(slots: 50 * others + 1), granted = Watched<[String]>([])
        while gate.tryEnter() {}
        for _ in 0..<50 {
            for other in 0..<others { #expect(queue(gate, "other \(other)", key: "\(other)", granted) != nil) }
        }
        #expect(queue(gate, "mine", key: "mine", granted) != nil)
        for _ in 0...others { gate.leave() }
        #expect(granted.read(\.last) == "mine")
    }

    @Test("a cancelled waiter gets no slot, and a waiter with a slot cannot be cancelled")
    func cancel() throws {
        let gate = ConcurrencyGate(slots: 3), granted = Watched<[String]>([])
        for _ in 0..<3 { #expect(gate.tryEnter()) }
        let first = try #require(queue(gate, "first", key: "a", granted)), second = try #require(queue(gate, "second", key: "a", granted))
        #expect(gate.isQueued(first))
        #expect(gate.cancel(first))
        #expect(!gate.cancel(first) && !gate.isQueued(first))
        gate.leave()
        #expect(granted.read { $0 } == ["second"])
        #expect(!gate.cancel(second))
        #expect(gate.waiting == 0 && gate.inUse == 3)
    }

    @Test("no slot is lost or granted twice over random operations", arguments: 0..<20)
    func conserved(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let slots = 1 + random.below(6), gate = ConcurrencyGate(slots: slots), granted = Watched<[Int]>([])
        var held = 0, last = 0, waiting: [(number: Int, ticket: ConcurrencyGate.Ticket, key: String?)] = []
        for _ in 0..<10_000 {
            switch random.below(3) {
            case 0:
                last += 1
                let number = last, key = random.one(of: ["a", "b", "c", nil])
                switch gate.enter(fairnessKey: key, onGrant: { granted.update { $0.append(number) } }) {
                case .entered:
                    held += 1
                    #expect(waiting.isEmpty)
                case .queued(let ticket):
                    #expect(held == slots)
                    waiting.append((number, ticket, key))
                case .full:
                    #expect(held == slots && waiting.count == slots)
                }
            case 1 where held > 0:
                gate.leave()
                held -= 1
            case 2 where !waiting.isEmpty:
                #expect(gate.cancel(waiting.remove(at: random.below(waiting.count)).ticket))
            default:
                continue
            }
            for number in granted.read({ $0 }) {
                guard let index = waiting.firstIndex(where: { $0.number == number }) else {
                    return #expect(Bool(false), "\(number) was granted a slot but did not wait")
                }
                let waiter = waiting.remove(at: index)
                #expect(
                    !waiting.contains { $0.key == waiter.key && $0.number < number }, "granted before an earlier waiter of the same key")
                held += 1
            }
            granted.update { $0 = [] }
            #expect(gate.inUse == held && gate.waiting == waiting.count && held <= slots)
        }
    }

    @Test("threads that enter, queue, cancel and leave never use more slots than exist, and free all of them")
    func threads() throws {
        let gate = ConcurrencyGate(slots: 3), inside = Watched((now: 0, most: 0, entries: 0))
        _ = try Threads.run(8, within: .seconds(60), file: #filePath, line: #line) { thread in
            var random = SplitMix64(seed: UInt64(thread))
            for _ in 0..<2000 {
                let isGranted = Watched(false)
                switch gate.enter(fairnessKey: "\(thread % 3)", onGrant: { isGranted.update { $0 = true } }) {
                case .entered: break
                case .queued(let ticket):
                    if random.below(3) == 0, gate.cancel(ticket) { continue }
                    guard isGranted.wait(until: Deadline(.seconds(30)), for: { $0 ? true : nil }) != nil else {
                        throw TestFailure("no grant", CallSite(#filePath, #line))
                    }
                case .full: continue
                }
                inside.update { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.entries + 1) }
                inside.update { $0.now -= 1 }
                gate.leave()
            }
        }
        #expect(gate.inUse == 0 && gate.waiting == 0)
        #expect(inside.read(\.most) <= 3 && inside.read(\.entries) > 0)
    }
}
