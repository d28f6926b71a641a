import NIOCore
package import RoutingPolicy

/// What attempts took from the limits of a model or a provider since the last report.
package struct SharedUse: Sendable, Equatable {
    package var name: SharedName
    package var limits: Limits
    /// Negative: more were returned than taken.
    package var requests = 0
    package var tokens = 0

    package init(name: SharedName, limits: Limits, requests: Int = 0, tokens: Int = 0) {
        (self.name, self.limits, self.requests, self.tokens) = (name, limits, requests, tokens)
    }
}

/// What is left of limits for all routers; nil: no such limit.
package struct SharedLeft: Sendable, Equatable {
    package var requests: Int?
    package var tokens: Int?

    package init(requests: Int?, tokens: Int?) { (self.requests, self.tokens) = (requests, tokens) }
}

/// The report of a limiter that counts together with those of other routers. One report runs at a time; what is taken
/// meanwhile goes with the next one.
struct UseReport: Sendable {
    /// For so long a limiter that refuses requests doesn't ask whether another router has returned something.
    static let askingPause: Duration = .seconds(1)

    private(set) var requests = 0
    private(set) var tokens = 0
    private var isRunning = false
    private var asksAt = NIODeadline.uptimeNanoseconds(0)

    mutating func add(requests: Int, tokens: Int) {
        self.requests += requests
        self.tokens = self.tokens.addingSaturated(tokens)
    }

    /// What to report; nil if there is nothing, or a report is running.
    ///
    /// - Parameter isRefused: whether the limiter has refused a request, so that it asks even if there is nothing.
    mutating func begin(isRefused: Bool, now: NIODeadline) -> (requests: Int, tokens: Int)? {
        let asks = isRefused && now >= asksAt
        guard !isRunning, asks || requests != 0 || tokens != 0 else { return nil }
        defer { (requests, tokens, isRunning, asksAt) = (0, 0, true, now + Self.askingPause) }
        return (requests, tokens)
    }

    mutating func end() { isRunning = false }
}

extension EngineLoop {
    /// Tells the other routers what attempts took from the limits of a model and of its provider, and learns what is
    /// left. Requests don't wait for it: each router decides by what it learned last. What the routers admit beyond a
    /// limit is a debt that the next requests wait for.
    ///
    /// - Parameter isRefused: whether the limits have just refused an attempt.
    func shareUse(of limits: LimitChain, isRefused: Bool = false) {
        if let own = limits.own { shareUse(of: own, isRefused) }
        if let shared = limits.shared { shareUse(of: shared, isRefused) }
    }

    private func shareUse(of limiter: Limiter, _ isRefused: Bool) {
        guard let shared, let use = limiter.beginReport(isRefused: isRefused, now: .now()) else { return }
        let isSent = shared.use(use) { [self] left in
            limiter.endReport(left, now: .now())
            if left != nil { shareUse(of: limiter, false) }
        }
        if !isSent { limiter.endReport(nil, now: .now()) }
    }
}
