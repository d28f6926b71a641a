package import NIOCore
package import ProviderKit
import RoutingPolicy

/// How an attempt ended, as far as the model's state is concerned.
package enum AttemptOutcome: Sendable {
    /// - latency: duration of the complete attempt.
    /// - firstToken: from the start of the attempt to its first content; nil for a non-streamed response.
    case succeeded(latency: Duration, firstToken: Duration?)
    /// - retryAfter: the cooldown after a 429: the wait that the upstream requested, or else the delay before the next
    ///   attempt. nil: no cooldown. It is ignored for all other failure classes.
    case failed(FailureClass, retryAfter: Duration?)
    /// The client disconnected, or another attempt was faster.
    case abandoned
}

/// The transitions that an attempt has caused.
package struct BreakerTransitions: Sendable, Equatable {
    /// Of the model's breaker.
    package var model: Breaker.Transition?
    /// Of the breaker of its provider's account.
    package var account: Breaker.Transition?
}

/// The right to make one attempt at a model, with everything that the attempt has reserved there.
/// It must be ended exactly once: with `end`, or with `giveBack` if the attempt was never made.
package struct AttemptPermit: ~Copyable, Sendable {
    package let state: ModelState
    private var pass: Breaker.Pass
    private var accountPass: Breaker.Pass
    private let limits: LimitPermit?

    init(state: ModelState, pass: Breaker.Pass, accountPass: Breaker.Pass, limits: consuming LimitPermit?) {
        self.state = state
        self.pass = pass
        self.accountPass = accountPass
        self.limits = limits
    }

    /// Whether the next state of a breaker depends on this attempt.
    package var isProbe: Bool { pass.isProbe || accountPass.isProbe }

    /// Counts a probe as a success at its first content, so that a long stream doesn't keep other requests from the
    /// model. If the stream breaks later, that counts as a failure of its own.
    package mutating func recordFirstContent(
        now: NIODeadline, using random: inout some RandomNumberGenerator
    ) -> BreakerTransitions {
        BreakerTransitions(
            model: pass.isProbe ? state.breaker.succeed(&pass, now: now, using: &random) : nil,
            account: accountPass.isProbe ? state.account.succeed(&accountPass, now: now, using: &random) : nil)
    }

    /// Ends the attempt.
    ///
    /// - Parameter usedTokens: the tokens that the attempt used; nil keeps the estimate. It is ignored if the upstream
    ///   was never reached: such an attempt uses nothing.
    @discardableResult
    package consuming func end(
        _ outcome: AttemptOutcome, usedTokens: Int?, now: NIODeadline, using random: inout some RandomNumberGenerator
    ) -> BreakerTransitions {
        let transitions = state.end(outcome, pass, accountPass, now, using: &random)
        if outcome.reachedUpstream {
            limits?.end(usedTokens: usedTokens, now: now)
        } else {
            limits?.giveBack(now: now)
        }
        return transitions
    }

    /// Returns the permit unused.
    package consuming func giveBack(now: NIODeadline) {
        state.breaker.cancel(pass, now: now)
        state.account.cancel(accountPass, now: now)
        state.attemptsInFlight.decrement()
        limits?.giveBack(now: now)
    }
}

extension ModelState {
    /// Counts the end of an attempt. A method of the state, because the permit would retain each part of it.
    fileprivate func end(
        _ outcome: AttemptOutcome, _ pass: Breaker.Pass, _ accountPass: Breaker.Pass, _ now: NIODeadline,
        using random: inout some RandomNumberGenerator
    ) -> BreakerTransitions {
        statistics.record(outcome, now: now)
        attemptsInFlight.decrement()
        return BreakerTransitions(
            model: breaker.on(Breaker.Verdict(outcome, of: breaker), of: pass, now: now, using: &random),
            account: account.on(Breaker.Verdict(ofAccount: outcome, of: breaker), of: accountPass, now: now, using: &random))
    }
}

extension AttemptOutcome {
    fileprivate var reachedUpstream: Bool {
        if case .failed(.unreachable, _) = self { false } else { true }
    }
}

extension Breaker.Verdict {
    /// The column "counts for the breaker" of the failure table, as the model's settings have it.
    init(_ outcome: AttemptOutcome, of breaker: SharedBreaker) {
        switch outcome {
        case .succeeded: self = .succeeded
        case .abandoned: self = .none
        case .failed(let failure, let retryAfter):
            let weight = Breaker.Weight(failure, breaker.settings)
            if failure == .rateLimited, let retryAfter {
                self = .rateLimited(cooldown: retryAfter, weight)
            } else {
                self = weight.verdict
            }
        }
    }

    /// What the outcome reveals about the provider's account. A response that isn't a refusal shows that the account is
    /// accepted, even if the request failed for another reason.
    ///
    /// - Parameter breaker: that of the model, whose settings say whether refusals count.
    init(ofAccount outcome: AttemptOutcome, of breaker: SharedBreaker) {
        switch outcome {
        case .succeeded: self = .succeeded
        case .abandoned: self = .none
        case .failed(let failure, _):
            switch failure {
            case .providerRejected: self = breaker.settings.opensAtOnce.contains(failure) ? .failed : .none
            case .notFound, .contextOverflow, .contentFilter, .unsupported, .invalidJSON, .clientError: self = .succeeded
            case .unreachable, .reset, .timeout, .upstreamError, .rateLimited, .routerLimit, .cancelled: self = .none
            }
        }
    }
}

extension ModelStatistics {
    /// Records the outcome as a sample if it reveals something about the model.
    func record(_ outcome: AttemptOutcome, now: NIODeadline) {
        switch outcome {
        case .succeeded(let latency, let firstToken):
            recordSuccess(latency: latency, firstToken: firstToken, now: now)
        case .failed(let failure, _):
            switch failure {
            case .unreachable, .reset, .timeout, .upstreamError, .notFound, .providerRejected: recordFailure(now: now)
            case .rateLimited, .contextOverflow, .contentFilter, .unsupported, .invalidJSON, .clientError, .routerLimit, .cancelled: break
            }
        case .abandoned:
            break
        }
    }
}
