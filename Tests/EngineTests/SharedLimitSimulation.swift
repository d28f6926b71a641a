import Glibc
import NIOCore

@testable import Engine

/// Routers that share one limit of requests per minute through a store, in simulated time. Each has the lease of the
/// product; the store has a bucket, as its script has.
struct SharedLimitSimulation {
    struct Arrival {
        var time: Duration
        var router: Int
    }

    struct Outcome {
        /// The most requests that were admitted in any minute.
        var mostInAMinute = 0
        var admitted = 0
        /// Requests that asked the store.
        var roundTrips = 0
    }

    let perMinute: Int
    let share: Double
    private var bucket: TokenBucket
    private var leases: [Lease]
    private var outcome = Outcome()

    static func outcome(of arrivals: [Arrival], routers: Int, perMinute: Int, share: Double) -> Outcome {
        var simulation = SharedLimitSimulation(routers: routers, perMinute: perMinute, share: share)
        return simulation.run(arrivals)
    }

    private init(routers: Int, perMinute: Int, share: Double) {
        (self.perMinute, self.share) = (perMinute, share)
        bucket = TokenBucket(perMinute: perMinute)
        leases = Array(repeating: Lease(), count: routers)
    }

    private mutating func run(_ arrivals: [Arrival]) -> Outcome {
        let times = arrivals.filter { admits($0) }.map(\.time)
        outcome.admitted = times.count
        var first = 0
        for index in times.indices {
            while times[index] - times[first] >= .seconds(60) { first += 1 }
            outcome.mostInAMinute = max(outcome.mostInAMinute, index - first + 1)
        }
        return outcome
    }

    private mutating func admits(_ arrival: Arrival) -> Bool {
        let now = after(arrival.time), router = arrival.router
        if share > 0, leases[router].take(tokens: 0, isLimited: (true, false), now: now) { return true }
        outcome.roundTrips += 1
        let rest = share > 0 ? leases[router].ask() : nil
        if let rest { bucket.giveBack(rest.requests) }
        let fits = bucket.wait(for: 1, now: now) == .zero
        if fits { bucket.spend(1, now: now) }
        guard rest != nil else { return fits }
        let given = fits ? Int(share * Double(bucket.tokens(now: now))) : 0
        bucket.spend(given, now: now)
        leases[router].receive(fits ? (requests: given, tokens: 0) : nil, share: share, now: now)
        return fits
    }
}

extension [SharedLimitSimulation.Arrival] {
    /// Requests at random times and routers.
    static func random(perMinute: Int, minutes: Int, routers: Int) -> Self {
        var random = SplitMix64(seed: 1)
        var arrivals: Self = [], time = Duration.zero
        while time < .seconds(60) * minutes {
            let wait = -log(Double.random(in: Double.leastNonzeroMagnitude...1, using: &random))
            time += .seconds(60) / Double(perMinute) * wait
            arrivals.append(SharedLimitSimulation.Arrival(time: time, router: random.below(routers)))
        }
        return arrivals
    }

    /// The worst that leases can do: every router leases from a full bucket, spends nothing until its lease is nearly
    /// over, and then gets more requests than are admitted.
    static func lateBurst(routers: Int, share: Double) -> Self {
        func arrival(_ milliseconds: Int, _ router: Int) -> SharedLimitSimulation.Arrival {
            SharedLimitSimulation.Arrival(time: .milliseconds(milliseconds), router: router)
        }
        let end = Int(share * 60_000)
        let first = (0..<routers).map { arrival(0, $0) }
        let burst = (0..<2000).map { arrival(end - 1, $0 % routers) }
        return first + burst + (0..<60_000).map { arrival(end + $0, $0 % routers) }
    }
}
