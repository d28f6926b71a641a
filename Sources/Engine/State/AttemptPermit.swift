package import NIOCore
package import ProviderKit

/// How an attempt went, as far as the model's state is concerned.
package enum AttemptOutcome: Sendable {
    /// - latency: of the whole attempt.
    /// - firstToken: from its start to its first content; nil for a response that isn't streamed.
    case succeeded(latency: Duration, firstToken: Duration?)
    /// - retryAfter: what a 429 rests for: the upstream's wait, or else the delay before the next try. nil, no rest. Other classes don't look at it.
    case failed(FailureClass, retryAfter: Duration?)
    /// The client left, or another attempt was faster.
    case abandoned
}

/// The right to one attempt at a model, with all that it holds there. Ended once: with `end`, or with `giveBack` if it was never made.
package struct AttemptPermit: ~Copyable, Sendable {
    package let state: ModelState
    private let pass: Breaker.Pass
    private let limits: LimitPermit?

    init(state: ModelState, pass: Breaker.Pass, limits: consuming LimitPermit?) {
        self.state = state
        self.pass = pass
        self.limits = limits
    }

    /// The breaker's next step hangs on it.
    package var isProbe: Bool { pass.isProbe }

    /// - Parameter usedTokens: what the attempt cost; nil leaves the estimate. An upstream that was never reached cost nothing, whatever is said here.
    package consuming func end(
        _ outcome: AttemptOutcome, usedTokens: Int?, now: NIODeadline, using random: inout some RandomNumberGenerator
    ) {
        state.breaker.on(Breaker.Verdict(outcome), of: pass, now: now, using: &random)
        state.statistics.record(outcome, now: now)
        state.underWay.decrement()
        if outcome.reachedUpstream {
            limits?.end(usedTokens: usedTokens, now: now)
        } else {
            limits?.giveBack(now: now)
        }
    }

    /// The attempt is not made.
    package consuming func giveBack(now: NIODeadline) {
        // A verdict of none draws no random number.
        var random = SystemRandomNumberGenerator()
        state.breaker.on(.none, of: pass, now: now, using: &random)
        state.underWay.decrement()
        limits?.giveBack(now: now)
    }
}

extension AttemptOutcome {
    fileprivate var reachedUpstream: Bool {
        if case .failed(.unreachable, _) = self { false } else { true }
    }
}

extension Breaker.Verdict {
    /// The column "counts for the breaker" of the failure table.
    init(_ outcome: AttemptOutcome) {
        switch outcome {
        case .succeeded: self = .succeeded
        case .abandoned: self = .none
        case .failed(let failure, let retryAfter):
            switch failure {
            case .unreachable, .reset, .timeout, .upstreamError: self = .failed
            case .notFound: self = .notFound
            case .providerRejected: self = .rejected
            case .rateLimited: self = retryAfter.map { .rateLimited(rest: $0) } ?? .none
            case .contextOverflow, .contentFilter, .unsupported, .clientError, .cancelled: self = .none
            }
        }
    }
}

extension ModelStatistics {
    /// What says nothing about the model is no sample.
    func record(_ outcome: AttemptOutcome, now: NIODeadline) {
        switch outcome {
        case .succeeded(let latency, let firstToken):
            recordSuccess(latency: latency, firstToken: firstToken, now: now)
        case .failed(let failure, _):
            switch failure {
            case .unreachable, .reset, .timeout, .upstreamError, .notFound, .providerRejected: recordFailure(now: now)
            case .rateLimited, .contextOverflow, .contentFilter, .unsupported, .clientError, .cancelled: break
            }
        case .abandoned:
            break
        }
    }
}
