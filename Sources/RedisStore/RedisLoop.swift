import Engine
import HTTPWire
import NIOCore
import NIOPosix
import NIOSSL
import RoutingPolicy

/// One event loop's connection to the Redis server. While there is none, or the server is late, requests are decided
/// without it, and settlements wait.
///
/// The client is the router's own. Redis' C client, hiredis, would need a thread of its own and two hops between
/// threads for every decision, and its TLS a second library beside BoringSSL, in the static binary too. What the router
/// uses of Redis' protocol are five commands and five kinds of replies, and a NIO channel on the request's event loop
/// pipelines them without a thread, a lock or a hop.
final class RedisLoop: SharedStoreLoop, @unchecked Sendable {  // confined to its event loop
    private enum Phase {
        /// No policy names a server.
        case off
        /// The number of the attempt tells a late result apart.
        case connecting(Int)
        /// Logs in and loads the scripts.
        case greeting(RedisConnection)
        case up(RedisConnection, hashes: [RedisScript: String])
        /// Waits before the next attempt.
        case down
    }

    /// What the server knows of the scripts while it is up.
    private enum Scripts {
        case known
        /// It has forgotten them, and they are sent again.
        case loading
        /// They were sent again, and none has run yet. A server that doesn't know them then never will.
        case reloaded
    }

    /// So long a settlement waits for a request of the same key that it can go with.
    private static let settlingPause: TimeAmount = .milliseconds(10)
    private static let outagesPause: TimeAmount = .seconds(1)
    private static let connectTime: TimeAmount = .seconds(1)
    private static let firstPause: Duration = .milliseconds(100)
    private static let maxPause: Duration = .seconds(2)
    /// Beyond this number, settlements that may have run are dropped.
    private static let maxUncertain = 10_000

    private let eventLoop: any EventLoop
    private let store: RedisStore
    private let index: Int
    private var target: RedisTarget?
    private var phase = Phase.off
    private var attempts = 0
    private var pause = firstPause
    private var batches = RedisBatches()
    private var periods = BudgetPeriods.Cache()
    private var isSendScheduled = false
    private var isSettlingScheduled = false
    /// What was sent, without an answer before the connection ended.
    private var uncertain: [SharedSettlement] = []
    /// Called when the first attempt to connect has succeeded or failed.
    private var onFirstAttempt: (() -> Void)?
    private var isReportedUp = false
    /// Whether the server has refused the last decision, so that a login proves nothing.
    private var hasRefused = false
    private var scripts = Scripts.known
    private var random = SystemRandomNumberGenerator()

    init(eventLoop: any EventLoop, store: RedisStore, index: Int) {
        self.eventLoop = eventLoop
        self.store = store
        self.index = index
    }

    /// Moves to another server, or to none.
    ///
    /// - Parameter done: called when the first attempt to connect has succeeded or failed.
    func move(to target: RedisTarget?, done: @escaping () -> Void) {
        guard target != self.target else { return done() }
        self.target = target
        let old = phase
        phase = .off
        isReportedUp = false
        switch old {
        case .greeting(let connection), .up(let connection, _): connection.close("is no longer in the policy")
        case .off, .connecting, .down: break
        }
        onFirstAttempt.take()?()
        guard target != nil else {
            batches.removeAll()
            uncertain = []
            return done()
        }
        onFirstAttempt = done
        pause = Self.firstPause
        connect()
    }

    // MARK: Decisions

    func take(_ demand: SharedDemand, answer: @escaping (SharedAnswer?) -> Void) -> Bool {
        guard isResponding else { return false }
        batches.add(RedisBatches.Demand(demand: demand, deadline: .now() + store.decisionTime, answer: answer))
        sendSoon()
        return true
    }

    func settle(_ settlement: SharedSettlement, answer: @escaping (SharedBudgetView) -> Void) {
        guard target != nil else { return }
        guard isResponding else { return batches.keep(settlement) }
        batches.add(settlement, answer)
        settleSoon()
    }

    func use(_ use: SharedUse, answer: @escaping (SharedLeft?) -> Void) -> Bool {
        guard let target, case .up(let connection, let hashes) = phase, !connection.isLate else { return false }
        connection.send(command(.use(use, prefix: target.prefix), hashes)) { [self] reply in
            let counted = reply.flatMap { RedisCount($0, limits: use.limits) }
            count(reply, isUnderstood: counted != nil, of: connection)
            answer(counted?.left)
        }
        return true
    }

    func decidedAlone() { store.counters.decidedAlone.add(1, ordering: .relaxed) }

    var isResponding: Bool {
        if case .up(let connection, _) = phase { !connection.isLate } else { false }
    }

    /// Sends what is collected once all events of this tick are handled.
    private func sendSoon() {
        guard !isSendScheduled else { return }
        isSendScheduled = true
        eventLoop.execute { [self] in
            isSendScheduled = false
            sendCollected()
        }
    }

    private func settleSoon() {
        guard !isSettlingScheduled else { return }
        isSettlingScheduled = true
        eventLoop.scheduleTask(in: Self.settlingPause) { [self] in
            isSettlingScheduled = false
            sendCollected()
        }
    }

    /// Sends what can be sent now.
    func sendCollected() {
        guard let target, case .up(let connection, let hashes) = phase, !connection.isLate else { return giveUpDemands() }
        for batch in batches.takeReady() { send(batch, target, connection, hashes) }
        connection.flush()
    }

    private func send(_ batch: RedisBatches.Batch, _ target: RedisTarget, _ connection: RedisConnection, _ hashes: [RedisScript: String]) {
        let settlement = batch.settlement, terms = settlement.terms
        let call = RedisCall.count(
            settlement, batch.demands.map(\.demand), prefix: target.prefix, periods.periods(terms.budget, now: WallClock.second))
        var isLate = false
        let onLate = { [self] in
            isLate = true
            store.counters.failures.add(1, ordering: .relaxed)
            for demand in batch.demands { demand.answer(nil) }
            giveUpDemands()
        }
        // A call without demands is timed too: requests that come meanwhile wait for its end, and so no longer than
        // for a decision of their own.
        let deadline = batch.deadline ?? .now() + store.decisionTime
        connection.send(command(call, hashes), within: max(deadline - .now(), .zero), onLate: onLate) { [self] reply in
            batches.end(terms.key)
            let counted = reply.flatMap { RedisCount($0, limits: terms.limits, budget: terms.budget, demands: batch.demands.count) }
            count(reply, isUnderstood: counted != nil, of: connection)
            switch reply {
            case nil: keepUncertain(settlement)
            // An error came before anything was written.
            case .error: batches.keep(settlement)
            default: if let view = counted?.budget { batch.receiver?(view) }
            }
            for (position, demand) in batch.demands.enumerated() {
                let answer = counted?.answer(position, to: demand.demand)
                if !isLate { demand.answer(answer) } else if let answer { giveBackLease(of: answer, demand.demand) }
            }
            if batches.hasReadyDemands { sendSoon() } else if batches.hasReady { settleSoon() }
        }
    }

    /// Lets the router decide about the requests that wait for their turn.
    private func giveUpDemands() {
        for demand in batches.takeDemands() { demand.answer(nil) }
    }

    /// Returns a lease that came too late for the request that asked for it.
    private func giveBackLease(of answer: SharedAnswer, _ demand: SharedDemand) {
        guard answer.leasedRequests > 0 || answer.leasedTokens > 0 else { return }
        var settlement = SharedSettlement(terms: demand.terms)
        (settlement.returnedRequests, settlement.moreTokens) = (answer.leasedRequests, -answer.leasedTokens)
        settle(settlement) { _ in }
    }

    private func keepUncertain(_ settlement: SharedSettlement) {
        if target != nil, settlement.hasSpent, uncertain.count < Self.maxUncertain { uncertain.append(settlement) }
    }

    /// Sends what could not be sent before.
    private func sendKept() {
        guard let target, case .up(let connection, let hashes) = phase else { return }
        let repeated = uncertain
        uncertain = []
        for settlement in repeated {
            let periods = periods.periods(settlement.terms.budget, now: WallClock.second)
            let call = RedisCall.count(settlement, prefix: target.prefix, periods, mayHaveRun: true)
            connection.send(command(call, hashes)) { [self] reply in
                let terms = settlement.terms
                let isUnderstood = reply.flatMap { RedisCount($0, limits: terms.limits, budget: terms.budget) } != nil
                count(reply, isUnderstood: isUnderstood, of: connection)
                if !isUnderstood { keepUncertain(settlement) }
            }
        }
        sendSoon()
    }

    // MARK: News

    func announce(_ news: BreakerNews) {
        guard let target, case .up(let connection, let hashes) = phase, !connection.isLate else { return }
        connection.send(command(.announce(news, prefix: target.prefix), hashes)) { [self] reply in
            count(reply, isUnderstood: reply.map { if case .integer = $0 { true } else { false } } ?? false, of: connection)
        }
    }

    /// Asks what is open or cools down, again and again while the server is up. One event loop does it for all.
    private func followOutages() {
        guard index == 0, let target, case .up(let connection, let hashes) = phase else { return }
        connection.send(command(.outages(prefix: target.prefix), hashes)) { [self] reply in
            let outages = reply.flatMap { SharedOutages($0) }
            count(reply, isUnderstood: outages != nil, of: connection)
            if let outages { store.receive(outages) }
            eventLoop.scheduleTask(in: Self.outagesPause) { [self] in
                if case .up(let current, _) = phase, current === connection { followOutages() }
            }
        }
    }

    func lastServed(_ conversation: UInt128, answer: @escaping (ServedConversation?) -> Void) -> Bool {
        guard let target, case .up(let connection, _) = phase, !connection.isLate else { return false }
        var isLate = false
        let onLate = { [self] in
            isLate = true
            store.counters.failures.add(1, ordering: .relaxed)
            answer(nil)
        }
        let name = RedisScript.name(of: conversation, prefix: target.prefix)
        connection.send(["GET", name], within: store.decisionTime, onLate: onLate) { [self] reply in
            var served: ServedConversation?
            switch reply {
            case .text(let lines):
                served = ServedConversation(lines: lines)
                count(reply, isUnderstood: true, of: connection)
            case .null: count(reply, isUnderstood: true, of: connection)
            default: count(reply, isUnderstood: false, of: connection)
            }
            if !isLate { answer(served) }
        }
        return true
    }

    func remember(_ served: ServedConversation, for conversation: UInt128, lasting time: Duration) {
        guard let target, case .up(let connection, _) = phase, !connection.isLate else { return }
        let name = RedisScript.name(of: conversation, prefix: target.prefix)
        let milliseconds = max(1, Int(clamping: time.wholeNanoseconds / 1_000_000))
        connection.send(["SET", name, served.lines, "PX", "\(milliseconds)"]) { [self] reply in
            count(reply, isUnderstood: reply == .text("OK"), of: connection)
        }
    }

    private func command(_ call: RedisCall, _ hashes: [RedisScript: String]) -> [String] {
        ["EVALSHA", hashes[call.script] ?? "", String(call.names.count)] + call.names + call.arguments
    }

    private func count(_ reply: RedisReply?, isUnderstood: Bool, of connection: RedisConnection) {
        if isUnderstood {
            store.counters.roundTrips.add(1, ordering: .relaxed)
            hasRefused = false
            if scripts == .reloaded { scripts = .known }
            return reportUp()
        }
        store.counters.failures.add(1, ordering: .relaxed)
        switch reply {
        case nil: break
        case .error(let error) where error.hasPrefix("NOSCRIPT") && scripts != .reloaded:
            // The server has forgotten its scripts (`SCRIPT FLUSH`). Their hashes stay the same.
            guard scripts == .known else { return }
            scripts = .loading
            for script in RedisScript.allCases {
                Self.expect(["SCRIPT", "LOAD", script.source], of: connection) { [self] _ in scripts = .reloaded }
            }
        case .error(let error):
            hasRefused = true
            connection.close(RedisFailure.text(ofError: error, isSafe: true))
        default: connection.close("gives an unknown answer")
        }
    }

    // MARK: Connection

    private func connect() {
        guard let target else { return }
        attempts += 1
        let attempt = attempts
        phase = .connecting(attempt)
        channel(to: target).whenComplete { [self] result in
            guard case .connecting(attempt) = phase else {
                if case .success(let (channel, _)) = result { channel.close(promise: nil) }
                return
            }
            switch result {
            case .success((_, let connection)): greet(connection, target)
            case .failure(let error): fail(RedisFailure.text(error))
            }
        }
    }

    private func channel(to target: RedisTarget) -> EventLoopFuture<(any Channel, RedisConnection)> {
        switch target.address.server {
        case .tcp(let host, let port, isTLS: true):
            store.tls.context(on: eventLoop).flatMap { [self] context in
                bootstrap(host, context).connect(host: host, port: port)
            }.flatMapThrowing(Self.withHandler)
        case .tcp(let host, let port, isTLS: false):
            bootstrap().connect(host: host, port: port).flatMapThrowing(Self.withHandler)
        case .unix(let path):
            bootstrap().connect(unixDomainSocketPath: path).flatMapThrowing(Self.withHandler)
        }
    }

    private static func withHandler(_ channel: any Channel) throws -> (any Channel, RedisConnection) {
        (channel, try channel.pipeline.syncOperations.handler(type: RedisConnection.self))
    }

    /// - Parameter host: checked against the server's certificate.
    private func bootstrap(_ host: String? = nil, _ context: NIOSSLContext? = nil) -> ClientBootstrap {
        ClientBootstrap(group: eventLoop)
            .connectTimeout(Self.connectTime)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        // An IP address can't be sent as a server name; the certificate is then checked against it.
                        let name = host.flatMap { (try? SocketAddress(ipAddress: $0, port: 0)) == nil ? $0 : nil }
                        try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
                    }
                    try channel.pipeline.syncOperations.addHandler(RedisConnection(eventLoop: channel.eventLoop))
                }
            }
    }

    /// Logs in and loads the scripts, in one round trip.
    private func greet(_ connection: RedisConnection, _ target: RedisTarget) {
        phase = .greeting(connection)
        scripts = .known
        connection.onEnd = { [self] reason in
            switch phase {
            case .greeting(let current), .up(let current, _): if current === connection { fail(reason) }
            case .off, .connecting, .down: break
            }
        }
        if let password = target.address.password?.reveal() {
            Self.expect(["AUTH"] + (target.address.user.map { [$0] } ?? []) + [password], of: connection) { _ in }
        }
        if target.address.database != 0 { Self.expect(["SELECT", "\(target.address.database)"], of: connection) { _ in } }
        var hashes: [RedisScript: String] = [:]
        for script in RedisScript.allCases {
            Self.expect(["SCRIPT", "LOAD", script.source], of: connection) { [self] hash in
                hashes[script] = hash
                guard hashes.count == RedisScript.allCases.count, case .greeting(let current) = phase, current === connection else {
                    return
                }
                phase = .up(connection, hashes: hashes)
                if !hasRefused { reportUp() }
                onFirstAttempt.take()?()
                connection.onCaughtUp = { [self] in sendKept() }
                sendKept()
                followOutages()
            }
        }
    }

    /// Sends a command that must succeed; the connection ends otherwise.
    private static func expect(_ command: [String], of connection: RedisConnection, _ handle: @escaping (String) -> Void) {
        connection.send(command) { reply in
            switch reply {
            case .text(let text): handle(text)
            case .error(let error): connection.close(RedisFailure.text(ofError: error, isSafe: command[0] != "AUTH"))
            case nil: break
            default: connection.close("gives an unknown answer")
            }
        }
    }

    private func reportUp() {
        guard !isReportedUp else { return }
        isReportedUp = true
        pause = Self.firstPause
        store.isUp(index)
    }

    /// Connects again after a pause.
    private func fail(_ reason: String) {
        phase = .down
        isReportedUp = false
        giveUpDemands()
        store.isDown(index, reason)
        onFirstAttempt.take()?()
        let time = pause * Double.random(in: 0.8...1.2, using: &random)
        pause = min(pause * 2, Self.maxPause)
        let attempt = attempts
        eventLoop.scheduleTask(in: TimeAmount(time)) { [self] in
            if case .down = phase, attempt == attempts { connect() }
        }
    }
}

/// Where the counts are, and under which names.
struct RedisTarget: Sendable, Hashable {
    var address: RedisAddress
    var prefix: String
}
