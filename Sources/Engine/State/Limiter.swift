package import NIOCore
package import RoutingPolicy
import Synchronization

/// Enforces the limits of a model, a provider or a key: requests per minute, tokens per minute, concurrent requests.
package final class Limiter: Sendable {
    /// What a request took from the buckets.
    package struct Reservation: Sendable {
        package var tokens: Int
    }

    package enum TakeResult: Sendable {
        case taken(Reservation)
        /// - retryAfter: the time until the request fits, if no other request takes anything before.
        case refused(retryAfter: Duration)
    }

    package let limits: Limits
    /// nil: there is no limit on concurrent requests.
    package let gate: ConcurrencyGate?
    let isMetered: Bool
    /// Whether a shared store decides about requests and tokens. The buckets then only show what it said last, for the
    /// time when it doesn't respond.
    package let isShared: Bool
    /// Under which name the limiter tells other routers what it has admitted; nil: it doesn't.
    let sharedName: SharedName?
    private let buckets: Mutex<Buckets>
    private let lease = Mutex(Lease())
    /// The time from which a request of one token fits, in nanoseconds of uptime.
    private let opensAt = Atomic<UInt64>(0)
    /// If the limiter is shared, it asks the store again from this time on, because another router may have returned
    /// something. In nanoseconds of uptime.
    private let asksAt = Atomic<UInt64>(0)

    /// nil if there are no limits.
    package init?(_ limits: Limits, isShared: Bool = false, sharedName: SharedName? = nil) {
        guard !limits.isEmpty else { return nil }
        self.limits = limits
        self.isShared = isShared
        self.sharedName = sharedName
        gate = limits.concurrent.map { ConcurrencyGate(slots: $0) }
        isMetered = limits.requestsPerMinute != nil || limits.tokensPerMinute != nil
        buckets = Mutex(Buckets(limits))
    }

    private init(copyOf limiter: Limiter) {
        limits = limiter.limits
        gate = limiter.gate?.copy()
        isMetered = limiter.isMetered
        isShared = limiter.isShared
        sharedName = nil
        buckets = Mutex(limiter.buckets.withLock { $0 })
        opensAt.store(limiter.opensAt.load(ordering: .relaxed), ordering: .relaxed)
    }

    /// A separate limiter in the same state.
    func copy() -> Limiter { Limiter(copyOf: self) }

    /// The time until which even the smallest request is refused; nil: it is not refused. Takes no lock.
    package func limitedUntil(now: NIODeadline) -> NIODeadline? {
        let instant = opensAt.load(ordering: .relaxed)
        guard now.uptimeNanoseconds < instant else { return nil }
        if isShared, now.uptimeNanoseconds >= asksAt.load(ordering: .relaxed) { return nil }
        return .uptimeNanoseconds(instant)
    }

    /// Takes one request and the tokens, or nothing.
    package func take(tokens: Int, now: NIODeadline) -> TakeResult {
        guard isMetered else { return .taken(Reservation(tokens: tokens)) }
        return changeBuckets(now) { buckets in
            let wait = isShared ? .zero : buckets.wait(tokens: tokens, now: now)
            guard wait == .zero else { return .refused(retryAfter: wait) }
            buckets.spend(tokens: tokens, now: now)
            if sharedName != nil { buckets.report.add(requests: 1, tokens: tokens) }
            return .taken(Reservation(tokens: tokens))
        }
    }

    /// Adds tokens to the reservation of a request that was admitted before its tokens were known. Returns nil if they
    /// are taken, else the time until they fit.
    ///
    /// - Parameter isDecided: whether the shared store has taken them already.
    package func take(
        moreTokens tokens: Int, for reservation: inout Reservation, now: NIODeadline, isDecided: Bool = false
    ) -> Duration? {
        guard limits.tokensPerMinute != nil || isShared else { return nil }
        let wait = changeBuckets(now) { buckets -> Duration in
            // A shared limiter has taken the request itself without asking its bucket.
            let wait =
                isDecided
                ? .zero : max(buckets.requests?.wait(for: 0, now: now) ?? .zero, buckets.tokens?.wait(for: tokens, now: now) ?? .zero)
            if wait == .zero { buckets.tokens?.spend(tokens, now: now) }
            return wait
        }
        if wait > .zero { return wait }
        reservation.tokens = reservation.tokens.addingSaturated(tokens)
        return nil
    }

    /// Returns the reservation of a request that was never sent.
    package func giveBack(_ reservation: Reservation, now: NIODeadline) {
        guard isMetered else { return }
        changeBuckets(now) { buckets in
            buckets.giveBack(tokens: reservation.tokens)
            if sharedName != nil { buckets.report.add(requests: -1, tokens: -reservation.tokens) }
        }
    }

    /// Corrects the tokens that a finished request took to the tokens that it used.
    package func settle(_ reservation: Reservation, usedTokens: Int, now: NIODeadline) {
        guard limits.tokensPerMinute != nil, usedTokens != reservation.tokens else { return }
        changeBuckets(now) { buckets in
            buckets.tokens?.settle(spent: reservation.tokens, used: usedTokens, now: now)
            if sharedName != nil { buckets.report.add(requests: 0, tokens: max(usedTokens, 0) - reservation.tokens) }
        }
    }

    package func view(now: NIODeadline) -> LimiterView {
        let (requests, tokens) = buckets.withLock { ($0.requests?.tokens(now: now), $0.tokens?.tokens(now: now)) }
        return LimiterView(limits: limits, requestsLeft: requests, tokensLeft: tokens, slotsInUse: gate?.inUse, waiting: gate?.waiting)
    }

    /// What to tell the other routers; nil: nothing.
    ///
    /// - Parameter isRefused: whether the limits have just refused a request.
    func beginReport(isRefused: Bool, now: NIODeadline) -> SharedUse? {
        guard let sharedName, isMetered else { return nil }
        return buckets.withLock { $0.report.begin(isRefused: isRefused, now: now) }
            .map { SharedUse(name: sharedName, limits: limits, requests: $0.requests, tokens: $0.tokens) }
    }

    /// - Parameter left: what is left for all routers, without what was taken here meanwhile; nil if the store didn't
    ///   respond. Then this router goes on alone.
    func endReport(_ left: SharedLeft?, now: NIODeadline) {
        changeBuckets(now) { buckets in
            buckets.report.end()
            if let requests = left?.requests { buckets.requests?.set(requests.addingSaturated(-buckets.report.requests), now: now) }
            if let tokens = left?.tokens { buckets.tokens?.set(tokens.addingSaturated(-buckets.report.tokens), now: now) }
        }
    }

    private func changeBuckets<Result>(_ now: NIODeadline, _ change: (inout Buckets) -> Result) -> Result {
        buckets.withLock { buckets in
            let result = change(&buckets)
            if isShared { return result }
            let wait = buckets.wait(tokens: 1, now: now)
            opensAt.store(wait == .zero ? 0 : (now + wait).uptimeNanoseconds, ordering: .relaxed)
            return result
        }
    }
}

/// What a limiter learns from a shared store.
extension Limiter {
    /// For so long a refused key is refused without asking the store.
    private static let askingPause: Duration = .seconds(1)

    /// Takes one request and the tokens from the lease. Returns false if there is too little in it.
    func takeLeased(tokens: Int, now: NIODeadline) -> Bool {
        lease.withLock {
            $0.take(
                tokens: tokens, isLimited: (limits.requestsPerMinute != nil, limits.tokensPerMinute != nil), now: now)
        }
    }

    /// Begins to ask for a lease: returns what goes back of the one before; nil if another request has asked.
    func askForLease() -> (requests: Int, tokens: Int)? { lease.withLock { $0.ask() } }

    /// Remembers what the store said.
    ///
    /// - Parameters:
    ///   - answer: nil if it didn't respond.
    ///   - share: the lease that the demand asked for; 0: none.
    func receive(_ answer: SharedAnswer?, share: Double, now: NIODeadline) {
        if share > 0 {
            let given = answer.flatMap { $0.verdict == .taken ? (requests: $0.leasedRequests, tokens: $0.leasedTokens) : nil }
            lease.withLock { $0.receive(given, share: share, now: now) }
        }
        guard let answer else { return }
        buckets.withLock { buckets in
            if let left = answer.requestsLeft { buckets.requests?.set(left, now: now) }
            if let left = answer.tokensLeft { buckets.tokens?.set(left, now: now) }
        }
        guard case .limited = answer.verdict, !lease.withLock({ $0.isLeft(now: now) }) else { return }
        let wait = buckets.withLock { $0.wait(tokens: 1, now: now) }
        asksAt.store((now + Self.askingPause).uptimeNanoseconds, ordering: .relaxed)
        opensAt.store((now + wait).uptimeNanoseconds, ordering: .relaxed)
    }
}

/// The two buckets of a limiter.
private struct Buckets {
    var requests: TokenBucket?
    var tokens: TokenBucket?
    var report = UseReport()

    init(_ limits: Limits) {
        requests = limits.requestsPerMinute.map { TokenBucket(perMinute: $0) }
        tokens = limits.tokensPerMinute.map { TokenBucket(perMinute: $0) }
    }

    func wait(tokens count: Int, now: NIODeadline) -> Duration {
        max(requests?.wait(for: 1, now: now) ?? .zero, tokens?.wait(for: count, now: now) ?? .zero)
    }

    mutating func spend(tokens count: Int, now: NIODeadline) {
        requests?.spend(1, now: now)
        tokens?.spend(count, now: now)
    }

    mutating func giveBack(tokens count: Int) {
        requests?.giveBack(1)
        tokens?.giveBack(count)
    }
}

/// A limiter at one point in time. A property is nil if there is no such limit.
package struct LimiterView: Sendable, Equatable {
    package var limits: Limits
    package var requestsLeft: Int?
    /// A negative number is a debt; further requests wait until it is paid off.
    package var tokensLeft: Int?
    package var slotsInUse: Int?
    package var waiting: Int?
}
