import NIOCore
import ProviderKit
import RoutingPolicy

/// The final failures.
extension CallMachine {
    /// Ends the call, because no attempt is left or can follow.
    mutating func fail(_ ending: CallEnding) -> Action {
        end(.fail(.final(after: failures.map(\.error), isNamed: plan.isNamed)), ending)
    }

    mutating func failOverdue() -> Action {
        let error = ProviderError(.timeout, message: "the 'total' timeout of \(plan.total) ran out", code: "request_timeout")
        return end(.fail(CallFailure(cause: .total, status: 504, error: error)), .overdue)
    }

    /// Ends the call because of a `stop` rule. If the rule comes from `failover` and not from the failure table, the
    /// client gets the upstream's status and message.
    mutating func stop(after error: ProviderError) -> Action {
        guard error.failureRule() != .stop, let status = error.status, status >= 400 else { return fail(.stopped(error.failure)) }
        return end(
            .fail(CallFailure(cause: .upstream, status: status, error: error, retryAfter: error.retryAfter)), .stopped(error.failure))
    }

    /// Ends the call because its stream broke. If a model that was to continue it sent no content, the earlier failure
    /// is the one that ended the response.
    mutating func failBroken() -> Action {
        guard let error = brokenBy.map({ failures[$0].error }) ?? failures.last?.error else { return fail(.exhausted) }
        let status = error.status ?? (error.failure == .timeout ? 504 : 502)
        return end(.fail(CallFailure(cause: .allFailed, status: status, error: error)), .stopped(error.failure))
    }

    /// Ends the call because no candidate becomes available in time.
    mutating func failUnavailable(_ now: NIODeadline) -> Action {
        guard hasQueueFailed || !sequence.waitable.isEmpty else { return fail(.exhausted) }
        return end(.fail(unavailability(now)), .unavailable)
    }

    private func unavailability(_ now: NIODeadline) -> CallFailure {
        let skipped = sequence.waitable
        let retryAfter: Duration? = skipped.compactMap(\.refusal.availability.until).min().map { max(.zero, $0 - now) }
        let areAllLimited = !hasQueueFailed && skipped.allSatisfy { $0.refusal.availability.availableAgainAt != nil }
        guard failures.isEmpty else {
            return .final(after: failures.map(\.error), isNamed: plan.isNamed, cooldown: areAllLimited ? retryAfter : nil)
        }
        // Only accounts that are refused are left.
        if !hasQueueFailed, skipped.allSatisfy({ $0.refusal.account != nil }), let refusal = skipped.last?.refusal.account {
            return CallFailure(cause: .allFailed, status: 502, error: refusal, retryAfter: retryAfter ?? .seconds(1))
        }
        let message =
            areAllLimited
            ? "every candidate is in cooldown or has used up its requests or tokens for this minute"
            : hasQueueFailed
                ? "no candidate is available: at least one is at its limit of concurrent requests, and its queue is full or the wait timed out"
                : "no candidate is available"
        return CallFailure(
            cause: .unavailable, status: areAllLimited ? 429 : 503,
            error: ProviderError(
                areAllLimited ? .rateLimited : .upstreamError, message: message,
                code: areAllLimited ? "rate_limit_exceeded" : "no_model_available"),
            retryAfter: retryAfter ?? .seconds(1), states: states(of: skipped, now))
    }

    private static let maxListedStates = 3

    /// The skipped candidates with their states: `'a': breaker open for another 12 s`.
    private func states(of skipped: [(candidate: Candidate, refusal: Refusal)], _ now: NIODeadline) -> String? {
        let listed = skipped.prefix(Self.maxListedStates).compactMap { candidate, refusal in
            refusal.availability.reason(now: now).map { "'\(snapshot.models[candidate.model].key)': \($0)" }
        }
        let more = skipped.count - listed.count
        return listed.isEmpty ? nil : listed.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "")
    }
}
