import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

/// What a call does while no candidate can be called: it queues, waits, probes, or fails.
@Suite("what a call waits for")
struct CallMachineWaitTests {
    // MARK: Cooldowns and limits

    @Test("if all candidates are in cooldown, the call waits for the first one that becomes available")
    func cooldown() throws {
        let policy = try callPolicy(defaults: "retry: { retries: 0 }")
        let (a, b) = (
            ScriptedCall.Turn.fails(.rateLimited, 429, retryAfter: .seconds(5)),
            ScriptedCall.Turn.fails(.rateLimited, 429, retryAfter: .seconds(2))
        )
        #expect(try ScriptedCall(["r"], in: policy, ["a": [a], "b": [b]]).run().status == 429)
        let second = try ScriptedCall(["r"], in: policy).run()
        #expect(second.attempts == ["b"] && second.times == [.seconds(2)] && second.machine.sequence.notCalled.map(\.model) == [0])
    }

    @Test("if the wait exceeds the deadline, the call fails at once with the earliest retry-after")
    func tooLate() throws {
        let policy = try callPolicy(defaults: "timeouts: { total: 60s }")
        let scripts = [
            "a": [ScriptedCall.Turn.fails(.rateLimited, 429, retryAfter: .seconds(86400))],
            "b": [ScriptedCall.Turn.fails(.rateLimited, 429, retryAfter: .seconds(90))],
        ]
        for attempts in [["a", "b"], []] {
            let call = try ScriptedCall(["r"], in: policy, scripts).run()
            #expect(call.attempts == attempts && call.status == 429 && call.failure?.retryAfter == .seconds(90))
            #expect(call.now == call.startedAt)
        }
        let alone = try ScriptedCall(["a"], in: policy).run()
        #expect(alone.failure?.retryAfter == .seconds(86400) && alone.failure?.states == "'a': in cooldown for another 86400 s")
    }

    @Test("a client that names a model waits for it up to 'named_wait' in total", arguments: [(6, 0), (10_800, 0), (4, 4)])
    func namedWait(seconds: Int, waited: Int) throws {
        let script = ["a": [ScriptedCall.Turn.fails(.rateLimited, 429, retryAfter: .seconds(seconds)), .succeeds()]]
        let call = try ScriptedCall(["a"], in: callPolicy(), script).run()
        #expect(call.status == (waited > 0 ? 200 : 429) && call.now == call.startedAt + .seconds(waited))
        if waited == 0 { #expect(call.failure?.retryAfter == .seconds(seconds)) }
    }

    @Test("the waits of a call for a named model count together")
    func namedWaits() throws {
        let policy = try callPolicy(defaults: "retry: { retries: 9 }, max_attempts: 9")
        let call = try ScriptedCall(["a"], in: policy, ["a": [.fails(.rateLimited, 429, retryAfter: .seconds(2))]]).run()
        #expect(call.times == [.zero, .seconds(2), .seconds(4)] && call.status == 429)
    }

    @Test("over a model's limit the next model is called, and if none is left the call waits for the limit")
    func limits() throws {
        let policy = try callPolicy(models: ["a": "limits: { requests_per_minute: 2 }"])
        let served = try (0..<3).map { _ in try ScriptedCall(["r"], in: policy) { $0.tries = [0, 1] }.run().attempts }
        #expect(served == [["a"], ["a"], ["b"]])
        #expect(try ScriptedCall(["a"], in: policy).run().failure?.retryAfter == .seconds(30))
        let waiting = try ScriptedCall(["a"], in: policy) { $0.retry.namedWait = .seconds(60) }.run()
        #expect(waiting.times == [.seconds(30)] && waiting.status == 200)
    }

    @Test("a call doesn't wait for a model beyond 'max_models'")
    func maxModels() throws {
        let policy = try callPolicy("try: [a, b], max_models: 1", models: ["a": "limits: { concurrent: 1 }"])
        let call = try ScriptedCall(["r"], in: policy, ["b": [.fails(.timeout)]])
        let other = try #require(call.state("a").tryAttempt(at: after(.zero)).attempt)
        #expect(call.run().attempts == ["b"] && call.now == call.startedAt && call.status == 504)
        other.end(.abandoned, at: after(.zero))
    }

    // MARK: Slots

    private static let oneSlot = ["a": "limits: { concurrent: 1 }"]

    @Test("a call queues for a slot, and begins when another attempt ends")
    func queue() throws {
        let policy = try callPolicy(models: Self.oneSlot)
        let call = try ScriptedCall(["a"], in: policy)
        let other = try #require(call.state("a").tryAttempt(at: after(.zero)).attempt)
        call.at(.seconds(3)) { other.end(.succeeded(latency: .seconds(3), firstToken: nil), at: call.now) }
        call.run()
        #expect(call.attempts == ["a"] && call.times == [.seconds(3)] && call.status == 200)
    }

    @Test("a call that has the model's slot queues for the provider's")
    func bothQueues() throws {
        let policy = try snapshot(
            """
            listen: 127.0.0.1:0
            providers: { p: { plugin: silent, limits: { concurrent: 2 } } }
            models: { a: { provider: p, limits: { concurrent: 1 } }, b: { provider: p } }
            """)
        let call = try ScriptedCall(["a"], in: policy)
        let others = try ["a", "b"].map { try #require(call.state($0).tryAttempt(at: after(.zero)).attempt) }
        let third = try #require(call.state("b").queue(at: after(.zero)).ticket)
        var thirdAttempt: HeldAttempt?
        call.at(.seconds(1)) {
            others[0].end(.abandoned, at: call.now)
            thirdAttempt = third.claim(at: call.now)?.attempt
        }
        call.at(.seconds(2)) { thirdAttempt?.end(.abandoned, at: call.now) }
        call.run()
        #expect(call.times == [.seconds(2)] && call.status == 200)
        others[1].end(.abandoned, at: call.now)
        #expect(call.state("a").limits.shared?.gate?.inUse == 0)
    }

    @Test("a wait in the queue ends at the route's 'queue' timeout, and a full queue refuses at once, both with a 503")
    func queueEnds() throws {
        let policy = try callPolicy("try: [a], timeouts: { queue: 200ms }", models: Self.oneSlot)
        let call = try ScriptedCall(["r"], in: policy)
        let other = try #require(call.state("a").tryAttempt(at: after(.zero)).attempt)
        call.run()
        #expect(call.now == call.startedAt + .ms(200) && call.status == 503 && call.failure?.error.code == "no_model_available")
        let queued = try #require(call.state("a").queue(at: after(.zero)).ticket)
        let refused = try ScriptedCall(["r"], in: policy).run()
        #expect(refused.now == refused.startedAt && refused.status == 503 && refused.failure?.retryAfter == .seconds(1))
        queued.cancel()
        other.end(.abandoned, at: after(.zero))
        #expect(call.state("a").limits.own?.gate?.inUse == 0)
    }

    @Test("a client that leaves the queue takes no slot")
    func leavesQueue() throws {
        let policy = try callPolicy(models: Self.oneSlot)
        let call = try ScriptedCall(["a"], in: policy)
        let other = try #require(call.state("a").tryAttempt(at: after(.zero)).attempt)
        call.leaves(at: .seconds(1))
        call.run()
        #expect(call.attempts == [] && call.log == ["fail 499"])
        other.end(.abandoned, at: call.now)
        #expect(call.state("a").limits.own?.gate?.inUse == 0 && call.state("a").limits.own?.gate?.waiting == 0)
    }

    @Test("a queued call goes to the next candidate if the breaker opens meanwhile")
    func opensInQueue() throws {
        let policy = try callPolicy(
            "try: [a, b]", defaults: "breaker: { failures: 1 }",
            models: ["a": "limits: { concurrent: 1 }", "b": "limits: { concurrent: 1 }"])
        let call = try ScriptedCall(["r"], in: policy) { $0.tries = [0, 1] }
        let others = try ["a", "b"].map { try #require(call.state($0).tryAttempt(at: after(.zero)).attempt) }
        call.at(.seconds(1)) { others[0].end(.failed(.timeout, retryAfter: nil), at: call.now) }
        call.at(.seconds(2)) { others[1].end(.abandoned, at: call.now) }
        call.run()
        #expect(call.attempts == ["b"] && call.times == [.seconds(2)])
    }

    // MARK: Breakers

    @Test("a breaker opens after failures in a row, and then only the next model is called")
    func breaker() throws {
        let policy = try callPolicy(defaults: "breaker: { failures: 3, cooldown: 60s, jitter: 0 }")
        let attempts = try (0..<6).map { _ in
            try ScriptedCall(["r"], in: policy, ["a": [.fails(.upstreamError, 500)]]) { $0.tries = [0, 1] }.run().attempts.count
        }
        #expect(attempts == [2, 2, 2, 1, 1, 1])
    }

    @Test("a half-open breaker lets one probe through at a time, and closes after enough of them")
    func probes() throws {
        let policy = try callPolicy(defaults: "breaker: { failures: 1, cooldown: 300ms, successes: 2, jitter: 0 }")
        func call(at time: Duration, _ turn: ScriptedCall.Turn = .succeeds()) throws -> ScriptedCall {
            try ScriptedCall(["r"], in: policy, at: after(time), ["a": [turn]]) { $0.tries = [0, 1] }
        }
        #expect(try call(at: .zero, .fails(.upstreamError, 500)).run().attempts == ["a", "b"])
        let probe = try call(at: .ms(300), .succeeds(after: .ms(10)))
        probe.begin()
        #expect(try call(at: .ms(305)).run().attempts == ["b"])
        #expect(probe.finish().attempts == ["a"])
        #expect(try call(at: .ms(320)).run().attempts == ["a"])
        #expect(probe.state("a").availability(now: after(.ms(320))) == .ready)
    }

    @Test("if every breaker is open, the one that is due first is probed at once")
    func earlyProbe() throws {
        let policy = try callPolicy(defaults: "breaker: { failures: 1, cooldown: 60s, jitter: 0 }, retry: { retries: 0 }")
        for (time, failing) in [(Duration.zero, "b"), (.seconds(1), "a")] {
            #expect(try ScriptedCall([failing], in: policy, at: after(time), [failing: [.fails(.upstreamError, 500)]]).run().status == 500)
        }
        let probing = try ScriptedCall(["r"], in: policy, at: after(.seconds(2)), ["b": [.succeeds(after: .seconds(9))]])
        probing.begin()
        #expect(probing.attempts == ["b"])
        // While its probe runs, the other one is probed; then none is left.
        let second = try ScriptedCall(["r"], in: policy, at: after(.seconds(3)), ["a": [.succeeds(after: .seconds(9))]])
        second.begin()
        #expect(second.attempts == ["a"])
        let third = try ScriptedCall(["r"], in: policy, at: after(.seconds(4))).run()
        #expect(third.attempts == [] && third.status == 503 && third.machine.ending == .unavailable)
        #expect(probing.finish().status == 200 && second.finish().status == 200)
    }

    @Test("an early probe respects a cooldown after a 429")
    func earlyProbeInCooldown() throws {
        let policy = try callPolicy(
            defaults: "breaker: { counts: [rate_limited], failures: 1, cooldown: 60s, jitter: 0 }, retry: { retries: 0 }")
        #expect(try ScriptedCall(["a"], in: policy, ["a": [.fails(.rateLimited, 429, retryAfter: .seconds(3))]]).run().status == 429)
        let call = try ScriptedCall(["a"], in: policy).run()
        #expect(call.times == [.seconds(3)] && call.status == 200)
    }

    @Test("if no candidate is available, the error names up to three with their states")
    func states() throws {
        let policy = try callPolicy(
            "try: [a, b, c, d]", defaults: "breaker: { failures: 1, cooldown: 60s, jitter: 0 }, retry: { retries: 0 }")
        let probes = try ["a", "b", "c", "d"].map { model in
            try ScriptedCall([model], in: policy, [model: [.fails(.upstreamError, 500)]]).run()
            let probe = try ScriptedCall([model], in: policy, [model: [.succeeds(after: .seconds(1))]])
            probe.begin()
            return probe
        }
        let call = try ScriptedCall(["r"], in: policy).run()
        #expect(call.status == 503 && call.failure?.error.message == "no candidate is available")
        let running = "its breaker's probe is running"
        #expect(call.failure?.states == "'a': \(running); 'b': \(running); 'c': \(running); and 1 more")
        for probe in probes { probe.finish() }
    }

    // MARK: Deadlines

    @Test("'total' bounds all attempts and waits together")
    func total() throws {
        let policy = try callPolicy("try: [a, b, c]", defaults: "timeouts: { total: 500ms }")
        let silent = Dictionary(uniqueKeysWithValues: ["a", "b", "c"].map { ($0, [ScriptedCall.Turn.fails(.timeout, after: .ms(200))]) })
        let call = try ScriptedCall(["r"], in: policy, silent).run()
        #expect(call.attempts == ["a", "b", "c"] && call.now == call.startedAt + .ms(500))
        #expect(call.status == 504 && call.failure?.error.code == "request_timeout" && call.machine.ending == .overdue)
    }

    @Test("the request's 'timeout_secs' bounds each attempt, so that the next model is called")
    func attemptTimeout() throws {
        let call = try ScriptedCall(["r"], in: callPolicy(), ["a": [.succeeds(after: .seconds(9))]]) { $0.attemptTimeout = .seconds(1) }
        call.run()
        #expect(call.attempts == ["a", "b"] && call.times == [.zero, .seconds(1)] && call.status == 200)
    }

    @Test("a call whose client leaves ends at once, in a wait and in an attempt", arguments: [Duration.ms(50), .ms(250)])
    func leaves(time: Duration) throws {
        let policy = try callPolicy(defaults: "retry: { delay: 100ms, jitter: 0 }")
        let call = try ScriptedCall(["a"], in: policy, ["a": [.fails(.reset), .succeeds(after: .seconds(9))]])
        call.leaves(at: time)
        call.run()
        #expect(call.log == ["fail 499"] && call.now == call.startedAt + time)
        #expect(call.budget.repeatsInProgress == 0 && call.state("a").inFlight == 0)
    }
}
