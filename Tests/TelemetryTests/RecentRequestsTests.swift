import Engine
import Testing

@testable import Telemetry

struct RecentRequestsTests {
    @Test
    func `ledgers are kept in order, from a number on, and the newest of too many`() {
        var recent = RecentRequests()
        for number in 0..<5 { recent.append("\(number)", at: number) }
        #expect(recent.next == 5)
        #expect(recent.texts() == ["0", "1", "2", "3", "4"])
        #expect(recent.texts(from: 3) == ["3", "4"])
        #expect(recent.texts(from: 5).isEmpty && recent.texts(from: 9).isEmpty)
        #expect(recent.texts(from: 1, limit: 2) == ["3", "4"])
        #expect(recent.ledgers().map(\.nanoseconds) == [0, 1, 2, 3, 4])
    }

    @Test
    func `more than the highest number of ledgers drop the oldest`() {
        var recent = RecentRequests()
        for number in 0..<RecentRequests.maxCount + 10 { recent.append("\(number)", at: 0) }
        #expect(recent.texts().count == RecentRequests.maxCount && recent.texts().first == "10")
    }

    @Test
    func `a ledger that is too long is counted and not kept`() {
        var recent = RecentRequests()
        recent.append("a", at: 0)
        recent.append(String(repeating: "x", count: RecentRequests.maxBytes / 8 + 1), at: 0)
        recent.append("b", at: 0)
        #expect(recent.next == 3 && recent.texts() == ["a", "b"])
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `whatever their sizes are, the kept ledgers are the last ones and whole`(seed: UInt64) {
        var recent = RecentRequests(), sizes = SplitMix64(seed: seed), all: [String] = []
        for number in 0..<3000 {
            let text = "\(number):" + String(repeating: "x", count: Int(sizes.next() % 3000))
            all.append(text)
            recent.append(text, at: number)
        }
        let kept = recent.texts()
        #expect(kept == all.suffix(kept.count))
        // At most the last ledger before the end of the memory, and the one that is overwritten, are lost.
        #expect(kept.reduce(0) { $0 + $1.utf8.count } > RecentRequests.maxBytes - 3 * 3100)
    }
}

extension RecentRequests {
    fileprivate mutating func append(_ text: String, at nanoseconds: Int) {
        Array(text.utf8).withUnsafeBytes { append($0, at: Timestamp(seconds: 0, nanoseconds: nanoseconds)) }
    }

    fileprivate func texts(from start: Int = 0, limit: Int = RecentRequests.maxCount) -> [String] {
        ledgers(from: start, limit: limit).map { String(decoding: $0.line, as: UTF8.self) }
    }
}
