import NIOCore
import ProviderKit
import RoutingPolicy
import TestSupport
import Testing

@testable import Engine

/// A call without sockets: performs the actions of a `CallMachine` against the states of a snapshot, with a clock of
/// its own. The attempts at each model follow its script.
final class ScriptedCall {
    /// How one attempt goes. The times count from its start.
    struct Turn {
        /// When the stream's first content comes; nil if the attempt sends none, or isn't streamed.
        var content: Duration?
        var end: Duration
        /// nil: the attempt succeeds.
        var error: ProviderError?
        var bytes = 10

        static func succeeds(after end: Duration = .zero, content: Duration? = nil) -> Turn { Turn(content: content, end: end) }

        static func fails(
            _ failure: FailureClass, _ status: Int? = nil, after end: Duration = .zero, content: Duration? = nil,
            retryAfter: Duration? = nil
        ) -> Turn {
            Turn(
                content: content, end: end, error: ProviderError(failure, status: status, message: "\(failure)", retryAfter: retryAfter))
        }
    }

    /// An attempt that takes longer than its request's `timeout_secs`.
    static let impatience = Turn(content: nil, end: .seconds(1), error: .impatience)

    private struct Running {
        var candidate: CallMachine.Candidate
        var turn: Turn
        var startedAt: NIODeadline
        var deadline: NIODeadline
        var permit: HeldAttempt
        var isRepeat: Bool
        var hasContent = false

        var contentAt: NIODeadline? { hasContent ? nil : turn.content.map { startedAt + $0 } }
        var endAt: NIODeadline { min(startedAt + turn.end, deadline) }
    }

    let snapshot: Snapshot
    let budget: RetryBudget
    private(set) var machine: CallMachine
    private(set) var now: NIODeadline
    let startedAt: NIODeadline
    private let key: String?
    private let tokens: Int
    private var scripts: [String: [Turn]]
    private var running: [CallMachine.Role: Running] = [:]
    private var ticket: HeldTicket?
    private var hasRepeat = false
    private var occurrences: [Occurrence] = []
    private var partialBytes = 0
    /// Called with the model's name when the call has a place in its queue.
    var whenQueued: ((String) -> Void)?
    /// The started attempts: the model's name, with `+` before a fallback and `=` before a retry.
    private(set) var attempts: [String] = []
    /// When they started, from the start of the call.
    private(set) var times: [Duration] = []
    /// What happened to the client's side: `commit a`, `resume b`, `finish b`, `fail 502`.
    private(set) var log: [String] = []
    private(set) var failure: CallFailure?
    /// The attempts that were ended because another one was faster or the call ended.
    private(set) var aborted: [String] = []

    /// - Parameters:
    ///   - scripts: the turns of each model, by its name. The last one repeats. A model without a script succeeds.
    ///   - budget: that of the process; a new one allows three repeats.
    init(
        _ models: [String], in snapshot: Snapshot, at now: NIODeadline = after(.zero), needs: RequestNeeds = RequestNeeds(),
        key: String? = nil, seed: UInt64? = nil, budget: RetryBudget = RetryBudget(loops: 1), _ scripts: [String: [Turn]] = [:],
        _ change: (inout Plan) -> Void = { _ in }
    ) throws {
        self.snapshot = snapshot
        self.now = now
        startedAt = now
        self.scripts = scripts
        self.budget = budget
        self.key = key
        tokens = needs.reservedTokens
        var state = FixedState()
        for (index, model) in snapshot.states.models.enumerated() { state.readings[index] = model.reading(now: now) }
        var plan = try Planner.plan(PlanRequest(models: models, needs: needs), in: snapshot, state: state)
        change(&plan)
        machine = CallMachine(
            plan, needs: needs, in: snapshot, deadline: now + plan.total, random: seed.map { SplitMix64(seed: $0) })
    }

    // MARK: Running

    /// Lets something happen at this time after the start of the call.
    func at(_ time: Duration, _ action: @escaping () -> Void) { occurrences.append(Occurrence(time: startedAt + time, action: action)) }

    /// Lets the client leave at this time after the start of the call.
    func leaves(at time: Duration) {
        at(time) { [unowned self] in
            handle(.stopped(CallFailure(cause: .clientLeft, status: 499, error: ProviderError(.cancelled, message: "left"))))
        }
    }

    func state(_ model: String) -> ModelState { snapshot.state(ofModel: snapshot.models(named: model)[0]) }

    /// Lets the call begin. Whatever takes no time happens.
    func begin() {
        handle(.began)
        let start = now
        while !hasEnded, let next = next(), next.time <= start { perform(next) }
    }

    /// Runs the call from its beginning to its end, or until nothing can happen any more.
    @discardableResult
    func run() -> ScriptedCall {
        handle(.began)
        return finish()
    }

    /// Runs the call that has begun to its end.
    @discardableResult
    func finish() -> ScriptedCall {
        while !hasEnded, let next = next() { perform(next) }
        return self
    }

    var hasEnded: Bool { if case .ended = machine.step { true } else { false } }

    /// The status that the client gets.
    var status: Int { failure?.status ?? 200 }

    private func name(_ candidate: CallMachine.Candidate) -> String { snapshot.policy.models[candidate.model].key }

    private struct Occurrence {
        var time: NIODeadline
        var action: () -> Void
    }

    private func perform(_ occurrence: Occurrence) {
        now = max(now, occurrence.time)
        occurrence.action()
    }

    /// What happens next; nil if nothing can.
    private func next() -> Occurrence? {
        if ticket?.isGranted == true { return Occurrence(time: now) { [self] in handle(.slotGranted) } }
        var all = occurrences.indices.map { index in
            Occurrence(time: occurrences[index].time) { [self] in occurrences.remove(at: index).action() }
        }
        for role in [CallMachine.Role.main, .hedge] {
            guard let attempt = running[role] else { continue }
            if let time = attempt.contentAt, time <= attempt.endAt {
                all.append(Occurrence(time: time) { [self] in contentBegins(role) })
            } else {
                all.append(Occurrence(time: attempt.endAt) { [self] in ends(role) })
            }
        }
        if let time = machine.holding.wakeTime { all.append(Occurrence(time: time) { [self] in handle(.timerFired) }) }
        return all.min { $0.time < $1.time }
    }

    private func contentBegins(_ role: CallMachine.Role) {
        running[role]?.hasContent = true
        handle(.contentBegan(role))
    }

    private func ends(_ role: CallMachine.Role) {
        guard let attempt = running[role] else { return }
        let isLate = attempt.startedAt + attempt.turn.end > attempt.deadline
        let error = isLate ? ProviderError(.timeout, message: "the attempt's deadline") : attempt.turn.error
        guard let error else {
            end(attempt, .succeeded(latency: now - attempt.startedAt, firstToken: attempt.turn.content))
            return handle(.succeeded(role))
        }
        let state = snapshot.state(ofModel: attempt.candidate.model)
        if error.failure == .providerRejected { state.account.remember(error) }
        end(attempt, machine.outcome(of: error, atModel: attempt.candidate.model))
        let isOpen = if case .open = state.availability(now: now) { true } else { false }
        if attempt.hasContent { partialBytes += attempt.turn.bytes }
        running[role] = nil
        handle(
            .failed(role, CallMachine.Failure(error: error, isOpen: isOpen, hasContent: attempt.hasContent, partialBytes: partialBytes)))
    }

    private func end(_ attempt: Running, _ outcome: AttemptOutcome) {
        if attempt.isRepeat { budget.end() }
        attempt.permit.end(outcome, at: now)
    }

    private func abort(_ role: CallMachine.Role) {
        guard let attempt = running.removeValue(forKey: role) else { return }
        aborted.append(name(attempt.candidate))
        end(attempt, .abandoned)
    }

    // MARK: Actions

    func handle(_ event: CallMachine.Event) {
        var action = machine.on(event, now: now)
        while true {
            let holding = machine.holding
            if hasRepeat, !holding.hasRepeat {
                hasRepeat = false
                budget.end()
            }
            if !holding.isQueued {
                ticket?.cancel()
                ticket = nil
            }
            guard let answer = perform(action) else { return }
            action = machine.on(answer, now: now)
        }
    }

    private func perform(_ action: CallMachine.Action) -> CallMachine.Event? {
        switch action {
        case .nothing, .sendAgain:
            return nil
        case .reserveRepeat:
            hasRepeat = budget.tryBegin()
            return hasRepeat ? .reserved : .denied
        case .ask(let candidate, let role, let allowsEarlyProbe):
            let state = snapshot.state(ofModel: candidate.model)
            return answer(state.tryAttempt(tokens: tokens, at: now, early: allowsEarlyProbe), candidate, role)
        case .queue(let candidate):
            return answer(snapshot.state(ofModel: candidate.model).queue(tokens: tokens, for: key, at: now), candidate, .main)
        case .claim(let candidate):
            guard let granted = ticket else { return nil }
            ticket = nil
            return granted.claim(at: now).map { answer($0, candidate, .main) }
        case .promoteHedge:
            running[.main] = running.removeValue(forKey: .hedge)
            log.append("promote")
        case .commit(let role):
            give(to: role)
            log.append("commit \(running[.main].map { name($0.candidate) } ?? "")")
        case .resume:
            log.append("resume \(running[.main].map { name($0.candidate) } ?? "")")
        case .finish(let role):
            if let winner = running.removeValue(forKey: role) { log.append("finish \(name(winner.candidate))") }
            [.main, .hedge].forEach(abort)
        case .fail(let failure):
            self.failure = failure
            [.main, .hedge].forEach(abort)
            log.append("fail \(failure.status)")
        }
        return nil
    }

    private func give(to role: CallMachine.Role) {
        abort(role == .hedge ? .main : .hedge)
        if role == .hedge { running[.main] = running.removeValue(forKey: .hedge) }
    }

    private func answer(_ admission: HeldAdmission, _ candidate: CallMachine.Candidate, _ role: CallMachine.Role) -> CallMachine.Event {
        switch admission {
        case .refused(let availability):
            return .refused(snapshot.state(ofModel: candidate.model).refusal(availability, now: now))
        case .queued(let ticket):
            self.ticket = ticket
            whenQueued?(name(candidate))
            return .queued
        case .granted(let permit):
            var script = scripts[name(candidate)] ?? []
            let turn = script.first ?? .succeeds()
            if script.count > 1 {
                script.removeFirst()
                scripts[name(candidate)] = script
            }
            let total = snapshot.timeouts(ofModel: candidate.model, on: machine.plan.timeoutRoute).total
            running[role] = Running(
                candidate: candidate, turn: turn, startedAt: now,
                deadline: min(machine.deadline, now + min(total, machine.plan.attemptTimeout ?? total)),
                permit: permit, isRepeat: hasRepeat)
            hasRepeat = false
            attempts.append((candidate.isRetry ? "=" : "") + (candidate.isFallback ? "+" : "") + name(candidate))
            times.append(now - startedAt)
            return .started(p95: snapshot.state(ofModel: candidate.model).statistics.p95FirstToken(now: now))
        }
    }
}

/// A policy with the models a to d, each at a provider of its own that can continue a stream, and the route r.
func callPolicy(
    _ route: String = "try: [a, b]", defaults: String = "", models: [String: String] = [:], more: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> Snapshot {
    let names = ["a", "b", "c", "d"]
    let yaml =
        ["listen: 127.0.0.1:0", "defaults: { \(defaults) }", "providers:"]
        + names.map { "  p\($0): { plugin: silent, can_continue: true }" } + ["models:"]
        + names.map { "  \($0): { provider: p\($0)\(models[$0].map { ", \($0)" } ?? "") }" } + more.map { "  \($0)" }
        + ["routes: { r: { \(route) } }"]
    return try snapshot(yaml.joined(separator: "\n"), sourceLocation: sourceLocation)
}

extension Duration {
    static func ms(_ count: Int) -> Duration { .milliseconds(count) }
}
