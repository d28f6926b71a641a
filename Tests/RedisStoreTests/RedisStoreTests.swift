import RoutingPolicy
import TestSupport
import Testing

@testable import Engine
@testable import RedisStore

/// Decisions of several routers in one Redis server.
@Suite(.timeLimit(.minutes(2))) struct RedisStoreTests {
    private func settlement(of demand: SharedDemand, dollars: Double = 0, tokens: Int = 0) -> SharedSettlement {
        var settlement = SharedSettlement(terms: demand.terms)
        settlement.spending = Spending(dollars: dollars, tokens: tokens)
        settlement.moreTokens = tokens - demand.tokens
        settlement.reservations = [SharedReservation(id: demand.reservation, spending: demand.spending)]
        return settlement
    }

    @Test func `routers share the limits of a key, and a refusal says when the request fits`() async throws {
        let redis = try RedisServer()
        let (one, other) = (try await StoreUnderTest(redis.address), try await StoreUnderTest(redis.address))
        let demand = SharedDemand.test(.test(Limits(requestsPerMinute: 3)))
        for (store, left) in [(one, 2), (other, 1), (one, 0)] {
            let answer = await store.take(demand)
            #expect(answer?.verdict == .taken && answer?.requestsLeft == left && answer?.tokensLeft == nil)
        }
        guard case .limited(let wait)? = await other.take(demand)?.verdict else { return #expect(Bool(false), "not limited") }
        #expect(wait > .zero && wait <= .seconds(20))
    }

    @Test func `what exceeds one limit or the budget takes nothing of the others`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address)
        let terms = SharedTerms.test(Limits(requestsPerMinute: 10, tokensPerMinute: 100), dollars: 1)
        #expect(await store.take(.test(terms, tokens: 90, dollars: 0.1, id: 1))?.verdict == .taken)
        guard case .limited? = await store.take(.test(terms, tokens: 90, dollars: 0.1, id: 2))?.verdict else { return #expect(Bool(false)) }
        #expect(await store.take(.test(terms, tokens: 1, dollars: 0.95, id: 3))?.verdict == .taken)
        let over = await store.take(.test(terms, tokens: 1, dollars: 0.95, id: 4))
        #expect(over?.verdict == .overBudget && over?.requestsLeft == 8 && over?.budget?.reserved.dollars == 1.05)
    }

    @Test func `more tokens than a limit need a full bucket, and leave a debt`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address)
        let terms = SharedTerms.test(Limits(tokensPerMinute: 100))
        let answer = await store.take(.test(terms, tokens: 250))
        #expect(answer?.verdict == .taken && answer?.tokensLeft == -150)
        guard case .limited(let wait)? = await store.take(.test(terms, tokens: 1))?.verdict else { return #expect(Bool(false)) }
        #expect(wait > .seconds(80) && wait <= .seconds(91))
    }

    @Test func `a request that used fewer tokens returns the others, and one that wasn't sent returns everything`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address)
        let demand = SharedDemand.test(.test(Limits(requestsPerMinute: 2, tokensPerMinute: 100)), tokens: 100)
        #expect(await store.take(demand)?.tokensLeft == 0)
        try await store.settleLater(settlement(of: demand, tokens: 40))
        #expect(await store.take(.test(demand.terms, tokens: 60))?.verdict == .taken)
        var unsent = SharedSettlement(terms: demand.terms)
        (unsent.returnedRequests, unsent.moreTokens) = (1, -60)
        try await store.settleLater(unsent)
        #expect(await store.take(.test(demand.terms, tokens: 60))?.requestsLeft == 0)
    }

    @Test func `a hard budget admits a request of any size while something is left, and the next ones wait for its end`() async throws {
        let redis = try RedisServer()
        let (one, other) = (try await StoreUnderTest(redis.address), try await StoreUnderTest(redis.address))
        let terms = SharedTerms.test(dollars: 1), large = SharedDemand.test(terms, dollars: 8, id: 1)
        #expect(await one.take(large)?.verdict == .taken)
        for store in [one, other] {
            let answer = await store.take(.test(terms, id: 2))
            #expect(answer?.verdict == .overBudget && answer?.budget?.spent.dollars == 0 && answer?.budget?.reserved.dollars == 8)
        }
        #expect(await one.settle(settlement(of: large, dollars: 0.8)).reserved.dollars == 0)
        #expect(await other.take(.test(terms, dollars: 8, id: 3))?.verdict == .taken)
    }

    @Test func `a hard budget counts what is spent and what is reserved, exactly`() async throws {
        let redis = try RedisServer()
        let (one, other) = (try await StoreUnderTest(redis.address), try await StoreUnderTest(redis.address))
        let terms = SharedTerms.test(dollars: 1, per: .day)
        let first = SharedDemand.test(terms, dollars: 0.3, id: 1)
        #expect(await one.take(first)?.verdict == .taken)
        #expect(await other.take(.test(terms, dollars: 0.7, id: 2))?.verdict == .taken)
        #expect(await one.take(.test(terms, dollars: 1e-9, id: 3))?.verdict == .overBudget)
        let view = await one.settle(settlement(of: first, dollars: 0.1, tokens: 7))
        #expect(view.spent == Spending(dollars: 0.1, tokens: 7) && view.reserved == Spending(dollars: 0.7))
        #expect(view.periodEnd.map { $0 % 86_400 } == 0)
        #expect(await other.take(.test(terms, dollars: 0.2, id: 4))?.verdict == .taken)
        #expect(await one.take(.test(terms, dollars: 1e-9, id: 5))?.verdict == .overBudget)
    }

    @Test func `a settlement that may have run before counts once`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address)
        let demand = SharedDemand.test(.test(tokens: 1000), tokens: 10)
        #expect(await store.take(demand)?.verdict == .taken)
        #expect(await store.settle(settlement(of: demand, tokens: 15)).spent.tokens == 15)
        let call = RedisCall.count(
            settlement(of: demand, tokens: 15), prefix: "test", BudgetPeriods(.month, around: WallClock.second), mayHaveRun: true)
        #expect(try spentTokens(call, redis) == "15")
    }

    @Test func `a reservation whose router has died ends by itself`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address)
        let terms = SharedTerms.test(dollars: 1)
        #expect(await store.take(.test(terms, dollars: 1, id: 1, lifetime: .zero))?.verdict == .taken)
        #expect(await store.take(.test(terms, dollars: 1, id: 2))?.verdict == .taken)
        #expect(await store.take(.test(terms, dollars: 1, id: 3))?.verdict == .overBudget)
    }

    @Test func `a new period begins anew, by the clock of Redis`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address)
        let demand = SharedDemand.test(.test(tokens: 100, per: .day), tokens: 10)
        #expect(await store.take(demand)?.verdict == .taken)
        #expect(await store.settle(settlement(of: demand, tokens: 50)).spent.tokens == 50)
        // Routers whose clocks are a few hours ahead and behind are in another day at some time.
        for shift in [-43_200, 0, 43_200] {
            let periods = BudgetPeriods(.day, around: WallClock.second + shift)
            let call = RedisCall.count(SharedSettlement(terms: demand.terms), prefix: "test", periods)
            #expect(try spentTokens(call, redis) == "50")
        }
        _ = try redis.command("HSET", "test:1:{k}:budget", "start", "86400")
        #expect(await store.take(demand)?.budget?.spent.tokens == 0)
    }

    private func spentTokens(_ call: RedisCall, _ redis: RedisServer) throws -> Substring {
        try redis.command(["EVAL", call.script.source, "\(call.names.count)"] + call.names + call.arguments).split(separator: "\n")[5]
    }

    @Test func `requests of one moment are decided in one round trip, each by what those before it left`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address)
        let before = try #require(store.store.status).roundTrips
        let terms = SharedTerms.test(Limits(requestsPerMinute: 600, tokensPerMinute: 50), dollars: 1)
        let costs = [0.4, 0.7, 0.5, 0.1, 0.05]
        let answers = await store.takeAtOnce(costs.indices.map { .test(terms, tokens: 20, dollars: costs[$0], id: UInt64($0)) })
        #expect(answers.map { $0?.verdict == .taken } == [true, true, false, false, false])
        #expect(answers.last??.budget?.reserved.dollars == 1.1)
        guard case .limited? = answers[2]?.verdict else { return #expect(Bool(false), "the tokens of the minute are used up") }
        let unlimited = SharedTerms(key: "other", limits: Limits(), budget: terms.budget)
        let others = await store.takeAtOnce(costs.indices.map { .test(unlimited, dollars: costs[$0], id: UInt64($0)) })
        #expect(others.map { $0?.verdict } == [.taken, .taken, .overBudget, .overBudget, .overBudget])
        // The outages are asked for about once a second.
        #expect(try #require(store.store.status).roundTrips - before <= 4)
        // Two are taken, and one refills in a tenth of a second.
        let many = await store.takeAtOnce((0..<700).map { .test(.test(Limits(requestsPerMinute: 600)), id: $0) })
        #expect((598...605).contains(many.count { $0?.verdict == .taken }))
    }

    @Test func `routers count what models and providers were used for, and a model's name has no other's limits`() async throws {
        let redis = try RedisServer()
        let (one, other) = (try await StoreUnderTest(redis.address), try await StoreUnderTest(redis.address))
        let limits = Limits(requestsPerMinute: 3, tokensPerMinute: 100)
        func use(_ model: String?, _ requests: Int, _ tokens: Int) -> SharedUse {
            SharedUse(
                name: SharedName(provider: "p", model: model, upstream: model), limits: limits, requests: requests, tokens: tokens)
        }
        #expect(await one.use(use("m", 2, 90)) == SharedLeft(requests: 1, tokens: 10))
        // What two routers took at the same moment is a debt.
        #expect(await other.use(use("m", 2, 90)) == SharedLeft(requests: -1, tokens: -80))
        #expect(await one.use(use("m", -1, -80))?.requests == 0)
        #expect(await one.use(use(nil, 1, 1))?.requests == 2)
        #expect(await other.use(use("n", 0, 0)) == SharedLeft(requests: 3, tokens: 100))
        #expect(try redis.command("KEYS", "*").split(separator: "\n").sorted() == ["test:1:{p}:model:m m", "test:1:{p}:provider"])
        #expect(try Int(redis.command("PTTL", "test:1:{p}:model:m m")).map { 0...120_000 ~= $0 } == true)
    }

    @Test func `a conversation is known in all routers until its time is over`() async throws {
        let redis = try RedisServer()
        let (one, other) = (try await StoreUnderTest(redis.address), try await StoreUnderTest(redis.address))
        #expect(await other.lastServed(7) == nil)
        let served = ServedConversation(provider: "p", model: "m/x", host: "a\nb")
        try await one.remember(served, for: 7)
        _ = await one.lastServed(7)
        #expect(await other.lastServed(7) == served)
        try await one.remember(ServedConversation(provider: "p", model: "m", host: nil), for: .max, lasting: .seconds(600))
        _ = await one.lastServed(7)
        #expect(await other.lastServed(.max)?.host == nil)
        #expect(
            try Int(redis.command("PTTL", "test:1:{ffffffffffffffffffffffffffffffff}:conversation")).map { 500_000...600_000 ~= $0 } == true
        )
        _ = try redis.command("DEL", "test:1:{7}:conversation")
        #expect(await other.lastServed(7) == nil)
    }

    @Test func `routers learn which models cool down`() async throws {
        let redis = try RedisServer()
        let (one, other) = (try await StoreUnderTest(redis.address), try await StoreUnderTest(redis.address))
        let model = SharedName(provider: "p", model: "m", upstream: "u")
        try await one.announce(BreakerNews(.cooldown, name: model, openFor: .seconds(60)))
        await other.wait { $0.open.isEmpty && ($0.cooling[model] ?? .zero) > .seconds(30) }
        try await other.announce(BreakerNews(.cooldown, name: model, openFor: .zero))
        await one.wait { $0.cooling.isEmpty }
    }

    @Test func `every value expires, and has the prefix, the version and the key's hash tag in its name`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address)
        for period in Budget.Period.allCases {
            let demand = SharedDemand.test(.test(Limits(requestsPerMinute: 10, tokensPerMinute: 10), tokens: 1000, per: period), tokens: 1)
            #expect(await store.take(demand)?.verdict == .taken)
            try await store.settleLater(settlement(of: demand, tokens: 2))
        }
        #expect(await store.take(.test(.test(tokens: 1000), tokens: 1))?.verdict == .taken)
        let names = try redis.command("KEYS", "*").split(separator: "\n").sorted()
        #expect(names == ["test:1:{k}:budget", "test:1:{k}:held", "test:1:{k}:limits"])
        for name in names { #expect(try Int(redis.command("PTTL", String(name))).map { $0 > 0 } == true, "\(name)") }
    }

    @Test func `a lease is a share of what is left, and is taken at once`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address)
        let terms = SharedTerms.test(Limits(requestsPerMinute: 101, tokensPerMinute: 1_000_000))
        let answer = await store.take(.test(terms, tokens: 0, lease: 0.1))
        #expect(answer?.leasedRequests == 10 && answer?.leasedTokens == 100_000)
        #expect(answer?.requestsLeft == 90 && answer?.tokensLeft == 900_000)
        let small = SharedTerms.test(Limits(requestsPerMinute: 5, tokensPerMinute: 1_000_000))
        let none = await store.take(SharedDemand.test(SharedTerms(key: "small", limits: small.limits), tokens: 0, lease: 0.1))
        #expect(none?.leasedRequests == 0 && none?.leasedTokens == 0 && none?.tokensLeft == 1_000_000)
    }

    @Test func `routers learn which breakers are open, until they close or their time is over`() async throws {
        let redis = try RedisServer()
        let (one, other) = (try await StoreUnderTest(redis.address), try await StoreUnderTest(redis.address))
        let model = SharedName(provider: "p", model: "m/x", upstream: "up stream"), account = SharedName(provider: "p")
        await other.wait(untilOpen: [])
        try await one.announce(BreakerNews(name: model, openFor: .seconds(300)))
        try await one.announce(BreakerNews(name: account, openFor: .seconds(60)))
        await other.wait(untilOpen: [model, account])
        #expect(try Int(redis.command("PTTL", "test:1:{models}:breakers")).map { 200_000...300_000 ~= $0 } == true)
        try await other.announce(BreakerNews(name: model, openFor: .zero))
        try await other.announce(BreakerNews(name: SharedName(provider: "q"), openFor: .milliseconds(1)))
        await one.wait(untilOpen: [account])
    }

    @Test func `an address may name TLS, a socket, a database and a user`() async throws {
        let certificates = StoreUnderTest.certificates
        let redis = try RedisServer(certificates: certificates)
        let demand = SharedDemand.test(.test(Limits(requestsPerMinute: 100)))
        for address in [redis.socketAddress, redis.tlsAddress, redis.address] {
            let store = try await StoreUnderTest(address, certificates: certificates)
            #expect(await store.take(demand)?.verdict == .taken, "\(store.store.status?.reason ?? "")")
        }
        #expect(try redis.command("KEYS", "*") == "test:1:{k}:limits")
        let other = try await StoreUnderTest("\(redis.address)/3")
        #expect(await other.take(demand)?.requestsLeft == 99)
        // The commands that docs/scaling.md allows.
        _ = try redis.command(
            [
                "ACL", "SETUSER", "router", "on", ">secret", "~test:*", "+select", "+script|load", "+evalsha", "+time", "+get", "+set",
                "+hmget", "+hset", "+expireat", "+pexpireat", "+zadd", "+zrem", "+zcard", "+zrangebyscore",
                "+zremrangebyscore", "+zrevrange", "+zrevrangebyscore",
            ])
        let limited = try await StoreUnderTest("redis://router:secret@127.0.0.1:\(redis.port)/1")
        let all = SharedDemand.test(.test(Limits(requestsPerMinute: 1, tokensPerMinute: 9), tokens: 100), tokens: 1)
        #expect(await limited.take(all)?.verdict == .taken, "\(limited.store.status?.reason ?? "")")
        #expect(await limited.settle(settlement(of: all, tokens: 3)).spent.tokens == 3)
        try await limited.announce(BreakerNews(name: SharedName(provider: "p"), openFor: .seconds(60)))
        await limited.wait(untilOpen: [SharedName(provider: "p")])
        let served = ServedConversation(provider: "p", model: "m", host: nil)
        try await limited.remember(served, for: 1)
        #expect(await limited.lastServed(1) == served)
    }

    @Test func `a failure of TLS is said in words`() async throws {
        let redis = try RedisServer(certificates: StoreUnderTest.certificates)
        let untrusted = try await StoreUnderTest(redis.tlsAddress)
        try eventually("the handshake has failed") {
            untrusted.store.status?.reason?.hasPrefix("has a certificate that is not trusted") == true
        }
        #expect(untrusted.store.status?.reason?.contains("NIOSSL") == false)
    }

    @Test func `a wrong password is reported without the password`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest("redis://:hunter2hunter2@127.0.0.1:\(redis.port)")
        let status = try #require(store.store.status)
        #expect(!status.isUp && status.reason == "refuses the user or the password")
        #expect(await store.take(.test(.test(Limits(requestsPerMinute: 1)))) == nil)
        let open = try await StoreUnderTest("redis://127.0.0.1:\(redis.port)")
        #expect(open.store.status?.reason == "wants a password")
    }

    @Test func `a server that hangs answers nothing in time, and what it was told counts when it goes on`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address, decisionTime: .milliseconds(5))
        let patient = try await StoreUnderTest(redis.address)
        let demand = SharedDemand.test(.test(tokens: 1000), tokens: 10)
        #expect(await patient.take(demand)?.verdict == .taken)
        redis.pause()
        #expect(await store.take(.test(demand.terms, tokens: 10, id: 2)) == nil)
        // Late or given up by now: it isn't asked again.
        #expect(await store.take(.test(demand.terms, tokens: 10, id: 3)) == nil)
        #expect(await store.lastServed(1) == nil)
        try await patient.settleLater(settlement(of: demand, tokens: 20))
        try patient.wait(untilUp: false)
        #expect(patient.store.status?.reason == "does not respond")
        try await patient.settleLater(settlement(of: .test(demand.terms, tokens: 10, id: 4), tokens: 5))
        redis.resume()
        try patient.wait(untilUp: true)
        try eventually("the settlement has arrived") { try redis.command("HGET", "test:1:{k}:budget", "tokens") == "25" }
    }

    @Test func `what is settled while a server is late is sent when it has caught up`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address, decisionTime: .milliseconds(5))
        let terms = SharedTerms.test(tokens: 1000)
        redis.pause()
        #expect(await store.take(.test(terms, tokens: 10)) == nil)
        try await store.settleLater(settlement(of: .test(terms, tokens: 10), tokens: 20))
        redis.resume()
        try eventually("the settlement has arrived") { try redis.command("HGET", "test:1:{k}:budget", "tokens") == "20" }
    }

    @Test func `a server that dies and comes back gets what was spent meanwhile`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address)
        let demand = SharedDemand.test(.test(tokens: 1000), tokens: 10)
        #expect(await store.take(demand)?.verdict == .taken)
        redis.kill()
        try store.wait(untilUp: false)
        #expect(await store.take(demand) == nil)
        try await store.settleLater(settlement(of: demand, tokens: 7))
        try await store.settleLater(settlement(of: .test(demand.terms, id: 9), tokens: 8))
        try redis.restart()
        try store.wait(untilUp: true)
        try eventually("the settlement has arrived") { try redis.command("HGET", "test:1:{k}:budget", "tokens") == "15" }
        #expect(try redis.command("HGET", "test:1:{k}:budget", "held_tokens") == "0")
    }

    @Test func `a server that forgets its scripts gets them again, and stays up`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address)
        let demand = SharedDemand.test(.test(tokens: 1000), tokens: 10), since = store.store.status?.since
        func connections() throws -> Int? {
            try redis.command("INFO", "stats").firstMatch(of: /total_connections_received:(\d+)/).flatMap { Int($0.1) }
        }
        let before = try #require(try connections())
        for _ in 0..<2 {
            #expect(await store.take(demand)?.verdict == .taken)
            _ = try redis.command("SCRIPT", "FLUSH")
            _ = await store.take(demand)
            #expect(await store.take(demand)?.verdict == .taken)
        }
        #expect(store.store.status?.isUp == true && store.store.status?.since == since)
        // Only redis-cli has connected meanwhile: for each of its commands.
        #expect(try connections() == before + 3)
        let next = SharedDemand.test(demand.terms, tokens: 10, id: 7)
        #expect(await store.settle(settlement(of: next, tokens: 20)).spent.tokens == 20)
    }

    @Test func `a request behind the end of another one waits no longer for a server that hangs`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address, decisionTime: .milliseconds(5))
        for terms in [
            SharedTerms.test(Limits(requestsPerMinute: 10)), .test(tokens: 1000), .test(Limits(tokensPerMinute: 100), dollars: 1),
        ] {
            let demand = SharedDemand.test(terms, tokens: 10)
            redis.pause()
            try await store.settleNow(settlement(of: demand, tokens: 20))
            #expect(await store.take(demand) == nil)
            #expect(store.store.status?.isUp == true, "the request has waited for the end of the connection")
            redis.resume()
            try eventually("the store has caught up") { try store.isResponding }
        }
    }

    @Test func `without a server in the policy there is no status and no decision`() async throws {
        let redis = try RedisServer()
        let store = try await StoreUnderTest(redis.address)
        #expect(store.store.status?.isUp == true && store.store.status?.place == "127.0.0.1:\(redis.port)")
        try await store.move(to: nil)
        #expect(store.store.status == nil)
        #expect(await store.take(.test(.test(Limits(requestsPerMinute: 1)))) == nil)
    }
}
