import HTTPWire
import Logging
import NIOCore
import NIOPosix
import RoutingPolicy
import TestSupport

@testable import Engine
@testable import RedisStore

/// A store on one event loop, as a router has several.
final class StoreUnderTest: Sendable {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let store: RedisStore
    private let loop: RedisLoop
    private let eventLoop: any EventLoop

    /// Those of the HTTP client's tests.
    static let certificates =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/") + "/HTTPWireTests/Certificates"

    /// - Parameter decisionTime: long, because a loaded machine must not change the outcome of a test.
    init(_ address: String, decisionTime: TimeAmount = .seconds(30), certificates: String? = nil) async throws {
        eventLoop = group.next()
        store = RedisStore(
            tls: TLSSettings(certificateFile: certificates.map { "\($0)/ca.pem" }),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            decisionTime: decisionTime)
        loop = store.newLoop(on: eventLoop)
        try await move(to: address)
    }

    deinit { group.shutdownGracefully { _ in } }

    func move(to address: String?) async throws {
        var policy = RoutingPolicy()
        policy.state.redis = address.flatMap { RedisAddress(parsing: $0) }
        policy.state.prefix = "test"
        await (try await store.prepare(policy)).commit()
    }

    /// nil: the store wasn't asked, or didn't answer.
    func take(_ demand: SharedDemand) async -> SharedAnswer? {
        await withCheckedContinuation { continuation in
            eventLoop.execute { [loop] in
                if !loop.take(demand, answer: { continuation.resume(returning: $0) }) { continuation.resume(returning: nil) }
            }
        }
    }

    func settle(_ settlement: SharedSettlement) async -> SharedBudgetView {
        await withCheckedContinuation { continuation in
            eventLoop.execute { [loop] in loop.settle(settlement) { continuation.resume(returning: $0) } }
        }
    }

    /// Settles without waiting for an answer.
    func settleLater(_ settlement: SharedSettlement) async throws {
        try await eventLoop.submit { [loop] in loop.settle(settlement) { _ in } }.get()
    }

    /// Settles without waiting for other requests, or an answer.
    func settleNow(_ settlement: SharedSettlement) async throws {
        try await eventLoop.submit { [loop] in
            loop.settle(settlement) { _ in }
            loop.sendCollected()
        }.get()
    }

    var isResponding: Bool { get throws { try eventLoop.submit { [loop] in loop.isResponding }.wait() } }

    func announce(_ news: BreakerNews) async throws { try await eventLoop.submit { [loop] in loop.announce(news) }.get() }

    /// Waits until the store says that exactly these breakers are open.
    func wait(untilOpen names: Set<SharedName>) async {
        await wait { Set($0.open.keys) == names && $0.open.values.allSatisfy { $0 > .zero } }
    }

    /// Waits until the store says of what is open and what cools down that the condition holds.
    func wait(untilOutages isMet: @Sendable (SharedOutages) -> Bool) async {
        let (stream, news) = AsyncStream.makeStream(of: SharedOutages.self)
        store.receiveOutages { news.yield($0) }
        for await outages in stream where isMet(outages) { return }
    }

    /// nil: the store wasn't asked, or didn't answer.
    func use(_ use: SharedUse) async -> SharedLeft? {
        await withCheckedContinuation { continuation in
            eventLoop.execute { [loop] in
                if !loop.use(use, answer: { continuation.resume(returning: $0) }) { continuation.resume(returning: nil) }
            }
        }
    }

    func lastServed(_ conversation: UInt128) async -> ServedConversation? {
        await withCheckedContinuation { continuation in
            eventLoop.execute { [loop] in
                if !loop.lastServed(conversation, answer: { continuation.resume(returning: $0) }) { continuation.resume(returning: nil) }
            }
        }
    }

    func remember(_ served: ServedConversation, for conversation: UInt128, lasting time: Duration = .seconds(60)) async throws {
        try await eventLoop.submit { [loop] in loop.remember(served, for: conversation, lasting: time) }.get()
    }

    /// Takes all of them in one tick of the event loop.
    func takeAtOnce(_ demands: [SharedDemand]) async -> [SharedAnswer?] {
        await withCheckedContinuation { continuation in
            eventLoop.execute { [loop] in
                var answers = [Int: SharedAnswer?]()
                for (index, demand) in demands.enumerated() {
                    let isAsked = loop.take(demand) {
                        answers[index] = .some($0)
                        guard answers.count == demands.count else { return }
                        continuation.resume(returning: demands.indices.map { answers[$0] ?? nil })
                    }
                    precondition(isAsked, "the store is down")
                }
            }
        }
    }

    /// Waits until the store is up, or down.
    func wait(untilUp isUp: Bool) throws {
        try eventually("the store is \(isUp ? "up" : "down")") { store.status?.isUp == isUp }
    }
}

extension SharedTerms {
    static func test(_ limits: Limits = Limits(), dollars: Double? = nil, tokens: Int? = nil, per: Budget.Period = .month) -> SharedTerms {
        var budget = Budget()
        (budget.dollars, budget.tokens, budget.period) = (dollars, tokens, per)
        return SharedTerms(key: "k", limits: limits, budget: dollars == nil && tokens == nil ? nil : budget)
    }
}

extension SharedDemand {
    static func test(
        _ terms: SharedTerms, tokens: Int = 0, dollars: Double = 0, lease: Double = 0, id: UInt64 = 1, lifetime: Duration = .seconds(600)
    ) -> SharedDemand {
        SharedDemand(
            terms: terms, tokens: tokens, spending: Spending(dollars: dollars, tokens: tokens), lease: lease, reservation: id,
            lifetime: lifetime)
    }
}
