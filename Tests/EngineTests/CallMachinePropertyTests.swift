import NIOCore
import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

/// What holds for every call, whatever the models, the limits and the clients do.
@Suite("any call")
struct CallMachinePropertyTests {
    private static let routes = [
        "try: [a, b, c, d]", "try: [a, b], fallback: [c, d], max_models: 1", "try: [a, b, c], hedge: { after: 100ms }",
        "try: [a, b, c], resume: true, max_attempts: 3", "try: [a, b, c, d], hedge: { after: p95 }, resume: true, max_attempts: 9",
        "try: [a, b], fallback: [c], fallback_on: { context_overflow: [d], content_filter: [d] }, timeouts: { queue: 0s }",
        "try: [a], failover: { client_error: retry, timeout: stop, 503: next }, timeouts: { total: 3s }",
    ]

    private static func policy(_ random: inout SplitMix64) throws -> Snapshot {
        let limits = ["limits: { concurrent: 1 }", "limits: { requests_per_minute: 3 }", "context: 1000", "weight: 2"]
        return try callPolicy(
            random.one(of: routes),
            defaults:
                "retry: { retries: \(random.below(4)), delay: \(random.one(of: [1, 20, 900]))ms }, breaker: { failures: \(1 + random.below(3)), cooldown: 2s }",
            models: Dictionary(uniqueKeysWithValues: ["a", "b", "c", "d"].map { ($0, random.one(of: limits)) }))
    }

    private static func error(_ random: inout SplitMix64) -> ProviderError {
        ProviderError(
            random.one(of: FailureClass.allCases.filter { $0 != .cancelled }), status: random.one(of: [nil, 200, 400, 429, 500, 503]),
            message: "x", retryAfter: random.one(of: [nil, nil, .zero, .ms(300), .seconds(2), .seconds(9999)]))
    }

    private static func plan(_ policy: Snapshot, _ random: inout SplitMix64) throws -> Plan {
        try Planner.plan(PlanRequest(models: [random.one(of: ["r", "r", "a"])]), in: policy, state: FixedState())
    }

    @Test("random answers and events break no rule of the machine", arguments: 0..<200)
    func events(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let policy = try Self.policy(&random), plan = try Self.plan(policy, &random)
        var now = after(.zero)
        let deadline = now + plan.total
        var machine = CallMachine(plan, needs: RequestNeeds(), in: policy, deadline: deadline, random: SplitMix64(seed: UInt64(seed)))
        var event = CallMachine.Event.began
        var begun: [CallMachine.Candidate] = [], ends = 0, isCommitted = false, attemptsBeforeContent = 0
        for step in 0... {
            try #require(step < 2000, "the call doesn't end")
            let action = machine.on(event, now: now)
            #expect(machine.sequence.attempts <= plan.maxAttempts && machine.sequence.attempts == begun.count)
            switch action {
            case .finish, .fail: ends += 1
            case .reserveRepeat:
                event = random.below(4) == 0 ? .denied : .reserved
                continue
            case .ask(let candidate, let role, _):
                #expect(begun.count < plan.maxAttempts)
                #expect(!isCommitted || plan.resumes && role == .main)
                #expect(role == .main ? machine.running == nil : machine.running?.main != nil && machine.running?.hedge == nil)
                event = Self.answer(candidate, &begun, now, &random)
                continue
            case .queue(let candidate), .claim(let candidate):
                event = random.below(3) == 0 ? .queued : Self.answer(candidate, &begun, now, &random)
                continue
            case .commit:
                #expect(!isCommitted && machine.running?.hedge == nil)
                (isCommitted, attemptsBeforeContent) = (true, begun.count)
            case .resume:
                #expect(isCommitted && plan.resumes)
                attemptsBeforeContent = begun.count
            case .promoteHedge: #expect(machine.running != nil && machine.running?.hedge == nil)
            case .nothing, .sendAgain: break
            }
            if ends > 0 { break }
            guard let next = Self.event(machine, hasContent: attemptsBeforeContent == begun.count, deadline: deadline, &now, &random) else {
                Issue.record("the call neither runs nor waits")
                return
            }
            event = next
        }
        #expect(ends == 1 && machine.holding == CallMachine.Holding())
        // Every model is called once, and then only retried.
        let firsts = begun.filter { !$0.isRetry }
        #expect(Set(firsts.map(\.model)).count == firsts.count && firsts.count { !$0.isFallback } <= plan.maxModels)
        for late in [CallMachine.Event.timerFired, .slotGranted, .succeeded(.main), .contentBegan(.main)] {
            guard case .nothing = machine.on(late, now: now) else {
                Issue.record("something follows the end")
                return
            }
        }
    }

    /// A random answer to the question for an attempt.
    private static func answer(
        _ candidate: CallMachine.Candidate, _ begun: inout [CallMachine.Candidate], _ now: NIODeadline, _ random: inout SplitMix64
    ) -> CallMachine.Event {
        if random.below(3) > 0 {
            begun.append(candidate)
            return .started(p95: random.one(of: [nil, .ms(50)]))
        }
        let until = now + random.one(of: [.ms(100), .seconds(2), .seconds(9999)])
        return .refused(
            CallMachine.Refusal(
                availability: random.one(of: [.full, .probing, .open(until: until), .coolingDown(until: until), .limited(until: until)]),
                account: random.one(of: [nil, ProviderError(.providerRejected, message: "x")])))
    }

    /// A random event that can happen to the call now; nil if nothing can.
    private static func event(
        _ machine: CallMachine, hasContent: Bool, deadline: NIODeadline, _ now: inout NIODeadline, _ random: inout SplitMix64
    ) -> CallMachine.Event? {
        let holding = machine.holding
        if machine.running == nil {
            guard let time = holding.wakeTime else { return nil }
            #expect(time <= deadline)
        }
        var events: [CallMachine.Event] = []
        if holding.isQueued { events.append(.slotGranted) }
        if random.below(50) == 0 {
            events.append(.stopped(CallFailure(cause: .clientLeft, status: 499, error: ProviderError(.cancelled, message: "left"))))
        }
        if let running = machine.running {
            let role = running.hedge != nil && random.below(2) == 0 ? CallMachine.Role.hedge : .main
            let failure = CallMachine.Failure(
                error: error(&random), isOpen: random.below(4) == 0, hasContent: random.below(2) == 0,
                partialBytes: random.one(of: [nil, 5]))
            events += [.failed(role, failure), .failed(role, failure), .succeeded(role)]
            if !hasContent { events.append(.contentBegan(role)) }
        }
        if events.isEmpty || random.below(3) == 0, let time = holding.wakeTime {
            now = max(now, time)
            return .timerFired
        }
        now = now + .ms(random.below(300))
        return random.one(of: events)
    }

    @Test("random calls at the same models leave no slot, no place in a queue and no repeat behind, and end in time", arguments: 0..<50)
    func resources(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let policy = try Self.policy(&random), budget = RetryBudget(loops: 1)
        var start = Duration.zero
        for _ in 0..<20 {
            start += .ms(random.below(3000))
            var scripts: [String: [ScriptedCall.Turn]] = [:]
            for model in ["a", "b", "c", "d"] {
                scripts[model] = (0..<3).map { _ in
                    let end = Duration.ms(random.below(400))
                    return ScriptedCall.Turn(
                        content: random.one(of: [nil, end / 2]), end: end, error: random.below(3) == 0 ? nil : Self.error(&random))
                }
            }
            let call = try ScriptedCall(
                [random.one(of: ["r", "a"])], in: policy, at: after(start), seed: random.next(), budget: budget, scripts)
            if random.below(5) == 0 { call.leaves(at: .ms(random.below(500))) }
            let other = call.state("a").tryAttempt(at: after(start)).attempt
            call.at(.ms(random.below(500))) { other?.end(.abandoned, at: call.now) }
            call.run()
            #expect(call.hasEnded && call.log.count { $0.hasPrefix("finish") || $0.hasPrefix("fail") } == 1)
            #expect(call.now <= call.startedAt + call.machine.plan.total)
            other?.end(.abandoned, at: call.now)
            start = call.now - after(.zero)
        }
        #expect(budget.repeatsInProgress == 0)
        for state in policy.states.models {
            #expect(state.inFlight == 0 && state.limits.own?.gate?.inUse ?? 0 == 0 && state.limits.own?.gate?.waiting ?? 0 == 0)
        }
    }

    @Test("an explanation shows the attempts, the waits and the status of a call that meets the same failures", arguments: 0..<200)
    func explained(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let policy = try Self.policy(&random)
        // Some attempts have failed before.
        for _ in 0..<random.below(6) {
            let state = random.one(of: policy.states.models), error = Self.error(&random)
            state.tryAttempt(at: after(.zero)).attempt?.end(.failed(error.failure, retryAfter: error.retryAfter), at: after(.zero))
        }
        var held: [String: HeldAttempt] = [:]
        for model in ["a", "b", "c", "d"] where random.below(4) == 0 {
            held[model] = policy.state(ofModel: policy.models(named: model)[0]).tryAttempt(at: after(.zero)).attempt
        }
        let now = after(.ms(random.below(3000))), down = random.below(4), plan = try Self.plan(policy, &random)
        func failure(_ model: Int) -> ProviderError { model == down ? .simulatedOutage : .simulatedFailure }
        let before = policy.states.models.map { $0.view(now: now) }
        let states = SimulatedStates(policy) { policy.states.models[$0] }
        let simulation = CallSimulation(plan, RequestNeeds(), in: policy, states, at: now, failure: failure)
        #expect(policy.states.models.map { $0.view(now: now) } == before, "an explanation changes nothing")

        let scripts = Dictionary(
            uniqueKeysWithValues: policy.policy.models.enumerated().map {
                ($1.key, [ScriptedCall.Turn(end: .zero, error: failure($0))])
            })
        let call = try ScriptedCall(["r"], in: policy, at: now, scripts) { $0 = plan }
        call.whenQueued = { held[$0]?.end(.abandoned, at: now) }
        call.run()
        let waits = zip(call.times, [.zero] + call.times).map { $0 - $1 }
        #expect(
            simulation.attempts.map { ($0.isRetry ? "=" : "") + ($0.isFallback ? "+" : "") + policy.policy.models[$0.model].key }
                == call.attempts)
        #expect(simulation.attempts.map(\.wait) == waits)
        #expect(simulation.status == call.status && simulation.ending == call.machine.ending)
    }
}
