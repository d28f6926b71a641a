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

    private static let breakerPause: TimeAmount = .seconds(1)
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
    /// What was not sent, by key.
    private var unsent: [String: SharedSettlement] = [:]
    /// What was sent, without an answer before the connection ended.
    private var uncertain: [SharedSettlement] = []
    /// Called when the first attempt to connect has succeeded or failed.
    private var onFirstAttempt: (() -> Void)?
    private var isReportedUp = false
    /// Whether the server has refused the last decision, so that a login proves nothing.
    private var hasRefused = false
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
            (unsent, uncertain) = ([:], [])
            return done()
        }
        onFirstAttempt = done
        pause = Self.firstPause
        connect()
    }

    // MARK: Decisions

    func take(_ demand: SharedDemand, answer: @escaping (SharedAnswer?) -> Void) -> Bool {
        guard let target, case .up(let connection, let hashes) = phase, !connection.isLate else { return false }
        let call = RedisCall.take(demand, prefix: target.prefix, now: WallClock.second)
        var isAnswered = false
        let onLate = { [self] in
            isAnswered = true
            store.counters.failures.add(1, ordering: .relaxed)
            answer(nil)
        }
        connection.send(command(call, hashes), within: store.decisionTime, onLate: onLate) { [self] reply in
            let read = reply.flatMap { SharedAnswer($0, to: demand) }
            count(reply, isUnderstood: read != nil, of: connection)
            if !isAnswered { answer(read) } else if let read { giveBackLease(of: read, demand) }
        }
        return true
    }

    /// Returns a lease that came too late for the request that asked for it.
    private func giveBackLease(of answer: SharedAnswer, _ demand: SharedDemand) {
        guard answer.leasedRequests > 0 || answer.leasedTokens > 0 else { return }
        var settlement = SharedSettlement(terms: demand.terms)
        settlement.terms.budget = nil
        (settlement.returnedRequests, settlement.moreTokens) = (answer.leasedRequests, -answer.leasedTokens)
        settle(settlement) { _ in }
    }

    func settle(_ settlement: SharedSettlement, answer: @escaping (SharedBudgetView) -> Void) {
        guard case .up(let connection, _) = phase, !connection.isLate else { return keep(settlement) }
        send(settlement, mayHaveRun: false, answer: answer)
    }

    func decidedAlone() { store.counters.decidedAlone.add(1, ordering: .relaxed) }

    func announce(_ news: BreakerNews) {
        guard let target, case .up(let connection, let hashes) = phase, !connection.isLate else { return }
        connection.send(command(.announce(news, prefix: target.prefix), hashes)) { [self] reply in
            count(reply, isUnderstood: reply.map { if case .integer = $0 { true } else { false } } ?? false, of: connection)
        }
    }

    /// Asks for the open breakers, again and again while the server is up. One event loop does it for all.
    private func followBreakers() {
        guard index == 0, let target, case .up(let connection, let hashes) = phase else { return }
        connection.send(command(.breakers(prefix: target.prefix), hashes)) { [self] reply in
            let open = reply.flatMap { [BreakerName: Duration]($0) }
            count(reply, isUnderstood: open != nil, of: connection)
            guard let open else { return }
            store.receive(open)
            eventLoop.scheduleTask(in: Self.breakerPause) { [self] in
                if case .up(let current, _) = phase, current === connection { followBreakers() }
            }
        }
    }

    private func send(_ settlement: SharedSettlement, mayHaveRun: Bool, answer: @escaping (SharedBudgetView) -> Void = { _ in }) {
        guard let target, case .up(let connection, let hashes) = phase else { return keep(settlement) }
        let call = RedisCall.settle(settlement, prefix: target.prefix, now: WallClock.second, mayHaveRun: mayHaveRun)
        connection.send(command(call, hashes)) { [self] reply in
            let view = reply.flatMap { SharedBudgetView($0) }
            count(reply, isUnderstood: view != nil, of: connection)
            switch reply {
            case nil: if uncertain.count < Self.maxUncertain { uncertain.append(settlement) }
            // An error came before anything was written.
            case .error: keep(settlement)
            default: if let view { answer(view) }
            }
        }
    }

    /// Keeps a settlement until the server is back. Those of a key become one; what their requests took from the limits
    /// of a past minute no longer matters.
    private func keep(_ settlement: SharedSettlement) {
        guard target != nil, settlement.terms.budget != nil else { return }
        var sum = unsent[settlement.terms.key] ?? SharedSettlement(terms: settlement.terms)
        sum.terms = settlement.terms
        sum.spending += settlement.spending
        sum.reservations += settlement.reservations
        unsent[settlement.terms.key] = sum
    }

    private func sendKept() {
        let (settlements, repeated) = (unsent, uncertain)
        (unsent, uncertain) = ([:], [])
        for settlement in repeated { send(settlement, mayHaveRun: true) }
        for settlement in settlements.values { send(settlement, mayHaveRun: false) }
    }

    private func command(_ call: RedisCall, _ hashes: [RedisScript: String]) -> [String] {
        ["EVALSHA", hashes[call.script] ?? "", "\(call.names.count)"] + call.names + call.arguments
    }

    private func count(_ reply: RedisReply?, isUnderstood: Bool, of connection: RedisConnection) {
        if isUnderstood {
            store.counters.roundTrips.add(1, ordering: .relaxed)
            hasRefused = false
            return reportUp()
        }
        store.counters.failures.add(1, ordering: .relaxed)
        switch reply {
        case nil: break
        case .error(let error):
            // A login loads the scripts anew.
            hasRefused = !error.hasPrefix("NOSCRIPT")
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
        connection.onEnd = { [self] reason in
            switch phase {
            case .greeting(let current), .up(let current, _): if current === connection { fail(reason) }
            case .off, .connecting, .down: break
            }
        }
        func expect(_ command: [String], _ handle: @escaping (String) -> Void) {
            connection.send(command) { reply in
                switch reply {
                case .text(let text): handle(text)
                case .error(let error): connection.close(RedisFailure.text(ofError: error, isSafe: command[0] != "AUTH"))
                case nil: break
                default: connection.close("gives an unknown answer")
                }
            }
        }
        if let password = target.address.password?.reveal() {
            expect(["AUTH"] + (target.address.user.map { [$0] } ?? []) + [password]) { _ in }
        }
        if target.address.database != 0 { expect(["SELECT", "\(target.address.database)"]) { _ in } }
        var hashes: [RedisScript: String] = [:]
        for script in RedisScript.allCases {
            expect(["SCRIPT", "LOAD", script.source]) { [self] hash in
                hashes[script] = hash
                guard hashes.count == RedisScript.allCases.count, case .greeting(let current) = phase, current === connection else {
                    return
                }
                phase = .up(connection, hashes: hashes)
                if !hasRefused { reportUp() }
                onFirstAttempt.take()?()
                connection.onCaughtUp = { [self] in sendKept() }
                sendKept()
                followBreakers()
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
