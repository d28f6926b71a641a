import NIOCore
import ProviderKit
import RoutingPolicy

/// Performs the actions of a `CallMachine` without sockets. The owner provides the failure of each attempt. An attempt
/// takes no time, waits have no jitter, and the models' states are copies.
struct CallSimulation: ~Copyable {
    struct Attempt: Equatable {
        /// An index into the policy's models.
        var model: Int
        var isFallback: Bool
        var isRetry: Bool
        /// The time between the end of the previous attempt and the start of this one.
        var wait: Duration
    }

    private(set) var attempts: [Attempt] = []
    /// The failure that the client gets; nil if an attempt succeeded.
    private(set) var failure: CallFailure?

    private let tokens: Int
    private let simulatedFailure: (Int) -> ProviderError?
    private var machine: CallMachine
    private var states: SimulatedStates
    private var now: NIODeadline
    private var lastEnd: NIODeadline
    /// The running attempt.
    private var permit: AttemptPermit?
    private var random = SplitMix64(seed: 1)

    /// - Parameter failure: returns the failure of every attempt at a model; nil if the attempts succeed.
    init(
        _ plan: Plan, _ needs: RequestNeeds, in snapshot: Snapshot, _ states: SimulatedStates, at now: NIODeadline,
        failure: @escaping (Int) -> ProviderError?
    ) {
        machine = CallMachine(plan, needs: needs, in: snapshot, deadline: now + plan.total, random: nil)
        tokens = needs.reservedTokens
        self.states = states
        simulatedFailure = failure
        (self.now, lastEnd) = (now, now)
        var event: CallMachine.Event? = .began
        while let next = event { event = perform(machine.on(next, now: self.now)) }
    }

    var ending: CallEnding { machine.ending ?? .exhausted }

    /// The status that the client gets.
    var status: Int { failure?.status ?? 200 }

    /// Performs the action. Returns the event that follows; nil at the end of the call.
    private mutating func perform(_ action: CallMachine.Action) -> CallMachine.Event? {
        switch action {
        case .nothing, .promoteHedge, .commit, .resume, .sendAgain:
            return nextEvent()
        case .reserveRepeat:
            return .reserved
        case .ask(let candidate, _, let allowsEarlyProbe):
            return begin(candidate, allowsEarlyProbe: allowsEarlyProbe)
        case .queue(let candidate), .claim(let candidate):
            if states.isQueueFull(ofModel: candidate.model) { return .refused(CallMachine.Refusal(availability: .full)) }
            states.state(ofModel: candidate.model).limits.freeSlots()
            return begin(candidate)
        case .finish:
            endAttempt(.succeeded(latency: .zero, firstToken: nil))
            return nil
        case .fail(let failure):
            self.failure = failure
            return nil
        }
    }

    private mutating func begin(_ candidate: CallMachine.Candidate, allowsEarlyProbe: Bool = false) -> CallMachine.Event {
        let state = states.state(ofModel: candidate.model)
        switch state.begin(tokens: tokens, now: now, allowsEarlyProbe: allowsEarlyProbe) {
        case .refused(let availability): return .refused(state.refusal(availability, now: now))
        case .granted(let permit):
            self.permit = consume permit
            attempts.append(
                Attempt(model: candidate.model, isFallback: candidate.isFallback, isRetry: candidate.isRetry, wait: now - lastEnd))
            return .started(p95: nil)
        }
    }

    /// The end of the attempt that runs, or else of the call's wait.
    private mutating func nextEvent() -> CallMachine.Event? {
        guard let model = machine.running?.main.model else {
            guard let time = machine.holding.wakeTime else { return nil }
            now = max(now, time)
            return .timerFired
        }
        guard let error = simulatedFailure(model) else { return .succeeded(.main) }
        let state = states.state(ofModel: model)
        if error.failure == .providerRejected { state.account.remember(error) }
        endAttempt(machine.outcome(of: error, atModel: model))
        let isOpen = if case .open = state.availability(now: now) { true } else { false }
        return .failed(.main, CallMachine.Failure(error: error, isOpen: isOpen))
    }

    private mutating func endAttempt(_ outcome: AttemptOutcome) {
        lastEnd = now
        if let permit = permit.take() { permit.end(outcome, usedTokens: nil, now: now, using: &random) }
    }
}

extension ProviderError {
    /// The failure of an attempt at a model that is assumed to be down.
    static let simulatedOutage = ProviderError(.unreachable, message: "assumed to be down")
    /// The failure of an attempt at any other model.
    static let simulatedFailure = ProviderError(.upstreamError, status: 500, message: "assumed to fail")
}
