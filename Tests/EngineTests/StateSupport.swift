import NIOCore
import ProviderKit
import TestSupport
import Testing

@testable import Engine
@testable import RoutingPolicy

extension SplitMix64 {
    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    mutating func one<Element>(of choices: [Element]) -> Element { choices[below(choices.count)] }
}

/// A time on the clock of the tests, which begins an hour after the start of the machine.
func after(_ duration: Duration) -> NIODeadline { .uptimeNanoseconds(3_600_000_000_000) + duration }

extension BreakerSettings {
    static func exact(
        failures: Int = 3, cooldown: Duration = .seconds(30), max: Duration = .seconds(300), successes: Int = 2, jitter: Double = 0
    ) -> Self {
        var settings = BreakerSettings()
        settings.failures = failures
        settings.cooldown = cooldown
        settings.maxCooldown = max
        settings.successes = successes
        settings.jitter = jitter
        return settings
    }
}

func modelState(
    _ limits: Limits = Limits(), provider: Limiter? = nil, breaker: BreakerSettings = .exact(), window: Duration = .seconds(600)
) -> ModelState {
    ModelState(
        key: ModelStateKey(provider: "p", name: "m", upstream: "m"), statistics: ModelStatistics(window: window),
        breaker: SharedBreaker(breaker), account: .account(),
        limits: LimitChain(own: Limiter(limits), shared: provider), attemptsInFlight: Gauge())
}

/// The state of a model that has this availability now: `ready`, `full`, or one that ends at a time.
func modelState(_ availability: Availability, now: NIODeadline) -> ModelState {
    switch availability {
    case .open(let until):
        let state = modelState(breaker: .exact(failures: 1, cooldown: until - now))
        state.tryAttempt(at: now).attempt?.end(.failed(.upstreamError, retryAfter: nil), at: now)
        return state
    case .coolingDown(let until):
        let state = modelState()
        state.tryAttempt(at: now).attempt?.end(.failed(.rateLimited, retryAfter: until - now), at: now)
        return state
    case .limited(let until):
        // With one token a minute, the next token comes as many minutes later as tokens were taken.
        let state = modelState(Limits(tokensPerMinute: 1))
        _ = state.tryAttempt(tokens: Int((until - now as Duration) / .seconds(60)), at: now)
        return state
    case .full:
        let state = modelState(Limits(concurrent: 1))
        _ = state.tryAttempt(at: now)
        return state
    case .ready, .probe, .probing:
        return modelState()
    }
}

/// A permit in a class, so that a list can contain it.
final class HeldAttempt {
    private var permit: AttemptPermit?

    init(_ permit: consuming AttemptPermit) {
        self.permit = consume permit
    }

    var isProbe: Bool { permit?.isProbe ?? false }

    func end(_ outcome: AttemptOutcome, usedTokens: Int? = nil, at now: NIODeadline, seed: Int = 1) {
        var random = SplitMix64(seed: UInt64(seed))
        if let permit = permit.take() { permit.end(outcome, usedTokens: usedTokens, now: now, using: &random) }
    }

    func giveBack(at now: NIODeadline) {
        if let permit = permit.take() { permit.giveBack(now: now) }
    }
}

/// A ticket in a class, and the number of its grants.
final class HeldTicket {
    private var ticket: AttemptTicket?
    let grants: Watched<Int>

    init(_ ticket: consuming AttemptTicket, _ grants: Watched<Int>) {
        self.ticket = consume ticket
        self.grants = grants
    }

    var isGranted: Bool { grants.read { $0 } > 0 }

    func claim(at now: NIODeadline) -> HeldAdmission? {
        guard let ticket = ticket.take() else { return nil }
        grants.update { $0 = 0 }
        return HeldAdmission(ticket.claim(now: now), grants)
    }

    func cancel() {
        if let ticket = ticket.take() { ticket.cancel() }
    }
}

enum HeldAdmission {
    case granted(HeldAttempt)
    case queued(HeldTicket)
    case refused(Availability)

    init(_ admission: consuming ModelState.QueuedAdmission, _ grants: Watched<Int>) {
        switch consume admission {
        case .granted(let permit): self = .granted(HeldAttempt(permit))
        case .queued(let ticket): self = .queued(HeldTicket(ticket, grants))
        case .refused(let availability): self = .refused(availability)
        }
    }

    var attempt: HeldAttempt? { if case .granted(let attempt) = self { attempt } else { nil } }
    var ticket: HeldTicket? { if case .queued(let ticket) = self { ticket } else { nil } }
    var refusal: Availability? { if case .refused(let availability) = self { availability } else { nil } }
}

extension ModelState {
    func tryAttempt(tokens: Int = 1, at now: NIODeadline, early: Bool = false) -> HeldAdmission {
        switch begin(tokens: tokens, now: now, allowsEarlyProbe: early) {
        case .granted(let permit): .granted(HeldAttempt(permit))
        case .refused(let availability): .refused(availability)
        }
    }

    func queue(tokens: Int = 1, for key: String? = nil, at now: NIODeadline) -> HeldAdmission {
        let grants = Watched(0)
        return HeldAdmission(wait(tokens: tokens, fairnessKey: key, now: now) { grants.update { $0 += 1 } }, grants)
    }
}
