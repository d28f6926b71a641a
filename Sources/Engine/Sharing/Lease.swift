package import NIOCore

/// A part of shared limits that a router has taken from the store, to spend it without asking.
///
/// A lease is a share of what is left, so leases become small where a limit is nearly used up. It ends after the time
/// in which the limits refill it (10 %: 6 s). What isn't spent by then goes back when the router asks again.
///
/// What is spent was taken at most that long before. So in any minute, all routers together admit at most what the
/// store hands out in a minute and that time: what one router would admit, and `share` of the limit more, however many
/// they are.
package struct Lease: Sendable {
    private var requests = 0
    private var tokens = 0
    private var end = NIODeadline.uptimeNanoseconds(0)
    /// Whether a request has asked the store for the next lease. Others then ask only for themselves.
    private var isAsked = false

    package init() {}

    /// Takes one request and the tokens. Returns false if the lease has ended or has too little left.
    package mutating func take(tokens count: Int, isLimited limits: (requests: Bool, tokens: Bool), now: NIODeadline) -> Bool {
        guard now < end, !limits.requests || requests >= 1, !limits.tokens || tokens >= count else { return false }
        requests -= 1
        tokens -= count
        return true
    }

    /// Whether a request without tokens could be served from it.
    package func isLeft(now: NIODeadline) -> Bool { now < end && requests >= 1 }

    /// Begins to ask for the next lease: returns what is left of the one before, which goes back to the store. Until
    /// `receive`, nil.
    package mutating func ask() -> (requests: Int, tokens: Int)? {
        guard !isAsked else { return nil }
        isAsked = true
        // What isn't limited is counted below zero.
        let rest = (max(requests, 0), max(tokens, 0))
        (requests, tokens) = (0, 0)
        return rest
    }

    /// Begins anew with what the store has given; nil if it gave nothing.
    package mutating func receive(_ given: (requests: Int, tokens: Int)?, share: Double, now: NIODeadline) {
        isAsked = false
        guard let given else { return }
        (requests, tokens) = given
        end = now + .seconds(60) * share
    }
}
