import Engine
import ProviderKit

/// What happened with the calls of a route, or of a key: on one event loop since the start, or on all.
package struct CallCounters: Sendable {
    private(set) var succeeded = 0
    /// By the class of the last failure; `cancelled` if the client left.
    private(set) var failed: [FailureClass: Int] = [:]
    /// Complete responses that a fallback served.
    private(set) var fallbacks = 0
    private(set) var tokens = TokenCounts()
    /// US dollars.
    private(set) var cost = 0.0

    mutating func count(_ record: CallRecord, _ tokens: TokenCounts) {
        if let failure = record.failure {
            failed[failure, default: 0] &+= 1
        } else {
            succeeded &+= 1
            if record.isFallback { fallbacks &+= 1 }
        }
        guard record.usage.model != nil else { return }
        self.tokens.add(tokens)
        if let cost = record.cost { self.cost += cost }
    }

    mutating func add(_ other: CallCounters) {
        succeeded &+= other.succeeded
        failed.merge(other.failed, uniquingKeysWith: &+)
        fallbacks &+= other.fallbacks
        tokens.add(other.tokens)
        cost += other.cost
    }
}

/// The counters of routes, or of keys, by name.
package struct NamedCounters: Sendable {
    private(set) var byName: [String: CallCounters] = [:]
    /// The last name that was counted and its place, because calls in a row often share it.
    private var last: (name: String, place: Dictionary<String, CallCounters>.Index)?

    mutating func count(_ record: CallRecord, _ tokens: TokenCounts, of name: String) {
        if let last, last.name == name { return byName.values[last.place].count(record, tokens) }
        byName[name, default: CallCounters()].count(record, tokens)
        last = byName.index(forKey: name).map { (name, $0) }
    }

    mutating func add(_ other: NamedCounters) {
        for (name, counters) in other.byName { byName[name, default: CallCounters()].add(counters) }
        last = nil
    }
}
