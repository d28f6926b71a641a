import Engine
import NIOCore

/// What one event loop has to tell the server about keys, and what it asks. One call about a key runs at a time. What
/// comes up meanwhile goes with the next call, so that a busy key costs few round trips.
struct RedisBatches {
    /// What one call tells and asks about a key.
    struct Batch {
        var settlement: SharedSettlement
        var demands: [Demand] = []
        /// Called with the budget after the settlement. All receivers of a key learn of the same budget, so one does.
        var receiver: ((SharedBudgetView) -> Void)?

        /// When the first request has waited long enough; nil if none waits.
        var deadline: NIODeadline? { demands.first?.deadline }
    }

    struct Demand {
        let demand: SharedDemand
        let deadline: NIODeadline
        let answer: (SharedAnswer?) -> Void
    }

    /// The most requests that one call decides about. A reply has three numbers for each that it refuses.
    static let maxDemands = 256

    /// By key.
    private var collected: [String: Batch] = [:]
    private var running: Set<String> = []

    mutating func add(_ demand: Demand) {
        collect(demand.demand.terms) { $0.demands.append(demand) }
    }

    mutating func add(_ settlement: SharedSettlement, _ receiver: @escaping (SharedBudgetView) -> Void) {
        collect(settlement.terms) {
            $0.settlement.add(settlement)
            $0.receiver = receiver
        }
    }

    /// Keeps a settlement until the server is back. What its requests took from the limits of a past minute no longer
    /// matters then.
    mutating func keep(_ settlement: SharedSettlement) {
        guard settlement.hasSpent else { return }
        collect(settlement.terms) { $0.settlement.add(settlement.ofBudget) }
    }

    /// Takes what can be sent.
    mutating func takeReady() -> [Batch] {
        var ready: [Batch] = []
        for (key, var batch) in collected where !running.contains(key) {
            collected[key] = nil
            if batch.demands.count > Self.maxDemands {
                let rest = Array(batch.demands[Self.maxDemands...])
                collected[key] = Batch(settlement: SharedSettlement(terms: batch.settlement.terms), demands: rest)
                batch.demands.removeSubrange(Self.maxDemands...)
            }
            running.insert(key)
            ready.append(batch)
        }
        return ready
    }

    /// The call about the key has ended.
    mutating func end(_ key: String) { running.remove(key) }

    /// Whether something could be sent now.
    var hasReady: Bool { collected.keys.contains { !running.contains($0) } }

    /// Whether a request waits that could be sent now.
    var hasReadyDemands: Bool { collected.contains { !$1.demands.isEmpty && !running.contains($0) } }

    /// Takes the requests that wait, because the server does not respond, and keeps the settlements.
    mutating func takeDemands() -> [Demand] {
        let demands = collected.values.flatMap(\.demands)
        collected = collected.compactMapValues { batch in
            batch.settlement.hasSpent ? Batch(settlement: batch.settlement.ofBudget) : nil
        }
        return demands
    }

    mutating func removeAll() { collected = [:] }

    /// The terms of a policy that was loaded meanwhile replace those before.
    private mutating func collect(_ terms: SharedTerms, _ change: (inout Batch) -> Void) {
        func update(_ batch: inout Batch) {
            batch.settlement.terms = terms
            change(&batch)
        }
        update(&collected[terms.key, default: Batch(settlement: SharedSettlement(terms: terms))])
    }
}

extension SharedSettlement {
    fileprivate mutating func add(_ other: SharedSettlement) {
        returnedRequests = returnedRequests.addingSaturated(other.returnedRequests)
        moreTokens = moreTokens.addingSaturated(other.moreTokens)
        spending += other.spending
        reservations += other.reservations
    }

    /// Whether a budget has to know of it.
    var hasSpent: Bool { terms.budget != nil && (spending != Spending() || !reservations.isEmpty) }

    fileprivate var ofBudget: SharedSettlement {
        var kept = self
        (kept.returnedRequests, kept.moreTokens) = (0, 0)
        return kept
    }
}
