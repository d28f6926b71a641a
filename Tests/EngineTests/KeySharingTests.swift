import HTTPWire
import Logging
import NIOCore
import NIOPosix
import RoutingPolicy
import Testing

@testable import Engine

/// A store whose answers the test gives.
private final class ScriptedStore: SharedStore, SharedStoreLoop, @unchecked Sendable {  // confined to the test's event loop
    var isUp = true
    var asked: [(demand: SharedDemand, answer: (SharedAnswer?) -> Void)] = []
    var settled: [SharedSettlement] = []
    var alone = 0

    var status: SharedStoreStatus? { nil }
    func makeLoop(on eventLoop: any EventLoop) -> any SharedStoreLoop { self }
    func receiveOutages(_ receive: @escaping @Sendable (SharedOutages) -> Void) {}
    func announce(_ news: BreakerNews) {}
    func use(_ use: SharedUse, answer: @escaping (SharedLeft?) -> Void) -> Bool { false }
    func lastServed(_ conversation: UInt128, answer: @escaping (ServedConversation?) -> Void) -> Bool { false }
    func remember(_ served: ServedConversation, for conversation: UInt128, lasting time: Duration) {}
    func decidedAlone() { alone += 1 }
    func settle(_ settlement: SharedSettlement, answer: @escaping (SharedBudgetView) -> Void) { settled.append(settlement) }

    func take(_ demand: SharedDemand, answer: @escaping (SharedAnswer?) -> Void) -> Bool {
        if isUp { asked.append((demand, answer)) }
        return isUp
    }
}

/// A request's place under limits and a budget that several routers count together.
struct KeySharingTests {
    private static let bounded = "limits: { requests_per_minute: 10, tokens_per_minute: 100 }, budget: { tokens: 1000 }"

    /// Runs a test on an event loop. Each call of the first argument makes the admission of another request.
    private func run(
        _ key: String = bounded, state: String = "{ redis: redis://a }",
        _ test: @escaping @Sendable (_ admission: () throws -> KeyAdmission, ScriptedStore) throws -> Void
    ) async throws {
        let snapshot = try snapshot(
            """
            providers: { p: { plugin: silent } }
            models: { a: { provider: p } }
            keys: { k: { secret: secret-of-the-key-k, \(key) } }
            state: \(state)
            """)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next(), store = ScriptedStore()
        let engine = Engine(
            eventLoops: [eventLoop], snapshot: snapshot, transport: UpstreamTransport(tls: TLSContextProvider(settings: TLSSettings())),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, shared: store)
        try await eventLoop.submit {
            try test({ try #require(KeyAdmission.make(loop: engine.loop(of: eventLoop), snapshot: snapshot, key: 0)) }, store)
        }.get()
    }

    /// Asks for a request of 20 tokens.
    private static func begin(_ admission: KeyAdmission, onEnd: @escaping (CallFailure?) -> Void = { _ in }) -> KeyAdmission.Progress {
        guard case .admitted = admission.begin(onEnd: { _ in }) else {
            return .refused(CallFailure(cause: .unavailable, status: 0, error: .init(.cancelled, message: "at its head")))
        }
        return admission.take(tokens: 20, lifetime: .seconds(60), spending: { Spending(tokens: 20) }, onEnd: onEnd)
    }

    @Test
    func `the store's decision is the client's`() async throws {
        try await run { admission, store in
            var ends: [String] = []
            var (spent, reserved) = (SharedAnswer(.overBudget), SharedAnswer(.overBudget))
            spent.budget = SharedBudgetView(spent: Spending(tokens: 1000), reserved: Spending(), periodEnd: nil)
            reserved.budget = SharedBudgetView(spent: Spending(tokens: 999), reserved: Spending(tokens: 1), periodEnd: nil)
            for answer in [SharedAnswer(.taken), SharedAnswer(.limited(retryAfter: .seconds(7))), spent, reserved] {
                guard case .waiting = Self.begin(try admission(), onEnd: { ends.append($0?.error.code ?? "admitted") }) else {
                    return #expect(Bool(false), "the store isn't asked")
                }
                #expect(ends.count == store.asked.count - 1)
                store.asked.last?.answer(answer)
            }
            #expect(ends == ["admitted", "rate_limit_exceeded", "budget_exceeded", "rate_limit_exceeded"])
            #expect(store.asked.allSatisfy { $0.demand.tokens == 20 && $0.demand.spending.tokens == 20 && $0.demand.lease == 0 })
            #expect(store.settled.isEmpty && store.alone == 0)
        }
    }

    @Test
    func `a call settles what it used, once`() async throws {
        try await run { admission, store in
            let call = try admission()
            _ = Self.begin(call)
            store.asked[0].answer(SharedAnswer(.taken))
            call.end(usedTokens: 50, spent: Spending(dollars: 0.5, tokens: 50))
            call.abandon()
            call.end(usedTokens: 50, spent: Spending(dollars: 0.5, tokens: 50))
            #expect(store.settled.count == 1)
            #expect(store.settled[0].moreTokens == 30 && store.settled[0].spending == Spending(dollars: 0.5, tokens: 50))
            #expect(store.settled[0].reservations.map(\.id) == [store.asked[0].demand.reservation])
        }
    }

    @Test
    func `a client that leaves before the answer gets back what the store has taken`() async throws {
        try await run { admission, store in
            for answer in [SharedAnswer(.taken), SharedAnswer(.overBudget), nil] {
                let call = try admission()
                _ = Self.begin(call) { _ in #expect(Bool(false), "the client has left") }
                call.end(usedTokens: 0, spent: Spending())
                call.abandon()
                store.asked.last?.answer(answer)
            }
            // Without an answer, what was taken of the limits is unknown; the reservation is ended in any case.
            #expect(store.settled.map(\.returnedRequests) == [1, 0] && store.settled.map(\.moreTokens) == [-20, 0])
            #expect(store.settled.allSatisfy { $0.reservations.count == 1 && $0.spending == Spending() })
        }
    }

    @Test
    func `a key that the store refuses is refused for a second without asking`() async throws {
        try await run("limits: { requests_per_minute: 10 }") { admission, store in
            _ = Self.begin(try admission())
            var limited = SharedAnswer(.limited(retryAfter: .seconds(6)))
            limited.requestsLeft = 0
            store.asked[0].answer(limited)
            guard case .refused = Self.begin(try admission()) else { return #expect(Bool(false)) }
            #expect(store.asked.count == 1)
        }
    }

    @Test
    func `a lease serves requests without asking, and they settle as others do`() async throws {
        try await run("limits: { tokens_per_minute: 1000 }", state: "{ redis: redis://a, lease: 10% }") { admission, store in
            _ = Self.begin(try admission())
            #expect(store.asked[0].demand.lease == 0.1)
            var answer = SharedAnswer(.taken)
            answer.leasedTokens = 45
            store.asked[0].answer(answer)
            for _ in 0..<2 {
                let call = try admission()
                guard case .admitted = Self.begin(call) else { return #expect(Bool(false)) }
                call.end(usedTokens: 10, spent: Spending())
            }
            #expect(store.settled.map(\.moreTokens) == [-10, -10])
            guard case .waiting = Self.begin(try admission()) else { return #expect(Bool(false), "the lease is too small") }
            #expect(store.settled.map(\.moreTokens) == [-10, -10, -5], "what is left of the lease goes back")
        }
    }

    @Test(arguments: [("local", 4, 2), ("refuse", 0, 6), ("allow", 6, 0)])
    func `without the store, on_failure decides`(word: String, admitted: Int, refused: Int) async throws {
        try await run("limits: { requests_per_minute: 10 }", state: "{ redis: redis://a, on_failure: \(word) }") { admission, store in
            _ = Self.begin(try admission())
            var answer = SharedAnswer(.taken)
            answer.requestsLeft = 4
            store.asked[0].answer(answer)
            store.isUp = false
            var counts = (admitted: 0, refused: 0)
            for _ in 0..<6 {
                switch Self.begin(try admission()) {
                case .admitted: counts.admitted += 1
                case .refused: counts.refused += 1
                case .waiting: break
                }
            }
            #expect(counts == (admitted, refused) && store.alone == 6)
        }
    }

    @Test
    func `what only warns asks nothing, and is settled`() async throws {
        try await run("budget: { tokens: 100, hard: false }, limits: { concurrent: 5 }") { admission, store in
            let call = try admission()
            guard case .admitted = Self.begin(call) else { return #expect(Bool(false)) }
            call.end(usedTokens: 30, spent: Spending(tokens: 30))
            #expect(store.asked.isEmpty && store.settled.map(\.spending.tokens) == [30])
        }
    }
}
