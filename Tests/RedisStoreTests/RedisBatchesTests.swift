import HTTPWire
import Logging
import NIOCore
import RoutingPolicy
import Testing

@testable import Engine
@testable import RedisStore

/// What goes to Redis together.
struct RedisBatchesTests {
    private var batches = RedisBatches()
    private let terms = SharedTerms.test(Limits(requestsPerMinute: 10), dollars: 1)
    private let start = NIODeadline.uptimeNanoseconds(0)

    private mutating func add(_ id: UInt64, _ terms: SharedTerms, at milliseconds: Int64 = 0) {
        let deadline = start + .milliseconds(milliseconds) + .milliseconds(5)
        batches.add(RedisBatches.Demand(demand: .test(terms, id: id), deadline: deadline) { _ in })
    }

    private func settlement(_ dollars: Double, tokens: Int = 1, of terms: SharedTerms) -> SharedSettlement {
        var settlement = SharedSettlement(terms: terms)
        (settlement.spending, settlement.moreTokens) = (Spending(dollars: dollars), tokens)
        return settlement
    }

    @Test
    mutating func `while a call about a key runs, what comes up waits for the next one, and other keys go`() {
        add(1, terms)
        #expect(batches.takeReady().map { $0.demands.map(\.demand.reservation) } == [[1]])
        add(2, terms)
        batches.add(settlement(0.25, of: terms)) { _ in }
        batches.add(settlement(0.5, of: terms)) { _ in }
        add(3, terms)
        add(4, SharedTerms(key: "other", limits: terms.limits))
        #expect(batches.takeReady().map { $0.demands.map(\.demand.reservation) } == [[4]])
        #expect(!batches.hasReady)
        batches.end("k")
        let next = batches.takeReady()
        #expect(next.count == 1 && next[0].demands.map(\.demand.reservation) == [2, 3] && next[0].receiver != nil)
        #expect(next[0].settlement.spending.dollars == 0.75 && next[0].settlement.moreTokens == 2)
    }

    @Test
    mutating func `a request waits no longer because of its turn: the first one's deadline is that of all`() {
        let store = RedisStore(tls: TLSSettings(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        #expect(store.decisionTime == .milliseconds(5))
        add(1, terms, at: 1)
        add(2, terms, at: 4)
        #expect(batches.takeReady()[0].deadline == start + .milliseconds(6))
    }

    @Test
    mutating func `more requests than one reply may have go with the next call`() {
        for id in 0..<300 { add(UInt64(id), terms) }
        #expect(batches.takeReady()[0].demands.count == RedisBatches.maxDemands)
        batches.end("k")
        #expect(batches.takeReady()[0].demands.map(\.demand.reservation) == Array(256..<300))
    }

    @Test
    mutating func `without the server, requests are given up, and only what budgets have spent is kept`() {
        add(1, terms)
        batches.add(settlement(0.25, tokens: 7, of: terms)) { _ in }
        let unbounded = SharedTerms(key: "other", limits: terms.limits)
        batches.keep(settlement(0.25, of: unbounded))
        batches.keep(settlement(0.5, tokens: 7, of: terms))
        #expect(batches.takeDemands().map(\.demand.reservation) == [1])
        let kept = batches.takeReady()
        #expect(kept.map(\.settlement.terms.key) == ["k"] && kept[0].demands.isEmpty)
        #expect(kept[0].settlement.spending.dollars == 0.75 && kept[0].settlement.moreTokens == 0)
    }
}
