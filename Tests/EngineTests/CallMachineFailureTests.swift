import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

/// Which models a call asks after failures, and what the client gets.
@Suite("what a call does after a failure")
struct CallMachineFailureTests {
    // MARK: The failure table

    @Test("an error of the client is its response, and no other model is asked", arguments: [400, 405, 413, 422])
    func clientErrors(status: Int) throws {
        let call = try ScriptedCall(["r"], in: callPolicy(), ["a": [.fails(.clientError, status)]]).run()
        #expect(call.attempts == ["a"] && call.log == ["fail \(status)"] && call.failure?.cause == .upstream)
        #expect(call.machine.ending == .stopped(.clientError))
    }

    @Test(
        "after a failure of the model or its provider the next model serves the request",
        arguments: [
            FailureClass.unreachable, .timeout, .upstreamError, .notFound, .providerRejected, .unsupported, .invalidJSON, .routerLimit,
        ])
    func next(failure: FailureClass) throws {
        let call = try ScriptedCall(["r"], in: callPolicy(), ["a": [.fails(failure)]]).run()
        #expect(call.attempts == ["a", "b"] && call.log == ["finish b"] && call.machine.ending == .succeeded)
    }

    @Test(
        "the next request skips a model in cooldown",
        arguments: [(FailureClass.providerRejected, nil), (.notFound, nil), (.rateLimited, .seconds(60))] as [(FailureClass, Duration?)])
    func skips(failure: FailureClass, retryAfter: Duration?) throws {
        let policy = try callPolicy(), script = ["a": [ScriptedCall.Turn.fails(failure, retryAfter: retryAfter)]]
        #expect(try ScriptedCall(["r"], in: policy, script).run().attempts == ["a", "b"])
        // As if both requests had been planned at the same time.
        let second = try ScriptedCall(["r"], in: policy) { $0.tries = [0, 1] }.run()
        #expect(second.attempts == ["b"] && second.machine.sequence.notCalled.map(\.model) == [0])
    }

    @Test("the short timeout_secs of some clients rests no model for the others")
    func impatience() throws {
        let policy = try callPolicy()
        for index in 0..<20 {
            let call = try ScriptedCall(["r"], in: policy, at: after(.seconds(index)), ["a": [ScriptedCall.impatience]]).run()
            #expect(call.attempts == ["a", "b"])
        }
        for index in 0..<20 {
            _ = try ScriptedCall(["r"], in: policy, at: after(.seconds(20 + index)), ["a": [.fails(.timeout)]]).run()
        }
        #expect(try ScriptedCall(["r"], in: policy, at: after(.seconds(40))).run().attempts == ["b"], "the policy's own timeouts do")
    }

    @Test("a refused account stops all models of its provider, and the client gets the provider's own words")
    func account() throws {
        let policy = try callPolicy("try: [a, a2], fallback: [b]", more: ["a2: { provider: pa }"])
        let script = ["a": [ScriptedCall.Turn.fails(.providerRejected, 401)]]
        #expect(try ScriptedCall(["r"], in: policy, script).run().attempts == ["a", "+b"])
        for model in ["a", "a2", "a2,a"] {
            let call = try ScriptedCall(model.split(separator: ",").map(String.init), in: policy, at: after(.seconds(5)), script).run()
            #expect(call.attempts == [] && call.status == 502 && call.failure?.error.message == "providerRejected")
            #expect(call.failure?.retryAfter == .seconds(295))
        }
        let later = try ScriptedCall(["a"], in: policy, at: after(.seconds(10)), script).run()
        #expect(later.attempts == ["a"] && later.status == 502, "probed early once the refusal is ten seconds ago")
    }

    @Test("a failure with a chain in fallback_on uses only this chain")
    func chains() throws {
        let policy = try callPolicy("try: [a], fallback: [b], fallback_on: { context_overflow: [c], content_filter: [d] }")
        #expect(try ScriptedCall(["r"], in: policy, ["a": [.fails(.contextOverflow, 400)]]).run().attempts == ["a", "+c"])
        #expect(try ScriptedCall(["r"], in: policy, ["a": [.fails(.contentFilter, 200)]]).run().attempts == ["a", "+d"])
        let plain = try callPolicy("try: [a], fallback: [b]")
        for failure in [FailureClass.contextOverflow, .contentFilter] {
            let call = try ScriptedCall(["r"], in: plain, ["a": [.fails(failure, 200)]]).run()
            #expect(call.attempts == ["a"] && call.status == 400)
        }
    }

    @Test("failover replaces rows of the table, the route's before the provider's before the defaults'")
    func failover() throws {
        let script = ["a": [ScriptedCall.Turn.fails(.providerRejected, 403)]]
        let stopped = try ScriptedCall(["r"], in: callPolicy("try: [a, b], failover: { 403: stop }"), script).run()
        #expect(stopped.attempts == ["a"] && stopped.status == 403 && stopped.failure?.error.message == "providerRejected")
        let route = try callPolicy("try: [a, b], failover: { upstream_error: next }", defaults: "failover: { upstream_error: stop }")
        #expect(try ScriptedCall(["r"], in: route, ["a": [.fails(.upstreamError, 500)]]).run().attempts == ["a", "b"])
        let defaults = try callPolicy(defaults: "failover: { upstream_error: stop }")
        #expect(try ScriptedCall(["r"], in: defaults, ["a": [.fails(.upstreamError, 500)]]).run().status == 500)
    }

    @Test(
        "attempts and models are bounded over the whole request",
        arguments: [
            ("try: [a, b, c, d], max_attempts: 2", 2), ("try: [a, b, c], fallback: [d], max_models: 2", 3), ("try: [a, b, c, d]", 4),
        ])
    func bounds(route: String, attempts: Int) throws {
        let scripts = Dictionary(uniqueKeysWithValues: ["a", "b", "c", "d"].map { ($0, [ScriptedCall.Turn.fails(.upstreamError, 500)]) })
        let call = try ScriptedCall(["r"], in: callPolicy(route, defaults: "retry: { retries: 0 }"), scripts).run()
        #expect(call.attempts.count == attempts && call.status == 502)
    }

    @Test("the final status depends on all failures")
    func finalStatus() throws {
        let limited = ScriptedCall.Turn.fails(.rateLimited, 429, retryAfter: .seconds(1000))
        func run(_ a: ScriptedCall.Turn, _ b: ScriptedCall.Turn) throws -> ScriptedCall {
            try ScriptedCall(["r"], in: callPolicy(), ["a": [a], "b": [b]]).run()
        }
        let all = try run(limited, .fails(.rateLimited, 429, retryAfter: .seconds(700)))
        #expect(all.status == 429 && all.failure?.retryAfter == .seconds(700))
        #expect(try run(.fails(.timeout), .fails(.timeout)).status == 504)
        #expect(try run(limited, .fails(.timeout)).status == 502)
        #expect(try run(.fails(.unsupported), .fails(.unsupported)).status == 400)
        #expect(try run(.fails(.routerLimit), .fails(.routerLimit)).status == 503)
        #expect(try ScriptedCall(["a"], in: callPolicy(), ["a": [.fails(.upstreamError, 503)]]).run().status == 503)
    }

    // MARK: Retries

    private static let retries = "retry: { retries: 3, delay: 20ms, jitter: 0 }"

    @Test("without another model a failed attempt is retried up to 'retries' times, after doubled delays")
    func retriesAlone() throws {
        let call = try ScriptedCall(
            ["a"], in: callPolicy(defaults: Self.retries),
            ["a": [.fails(.upstreamError, 500), .fails(.upstreamError, 502), .succeeds()]]
        ).run()
        #expect(call.attempts == ["a", "=a", "=a"] && call.times == [.zero, .ms(20), .ms(60)] && call.status == 200)
    }

    @Test("max_attempts bounds the retries, and a request may allow fewer")
    func fewerRetries() throws {
        let policy = try callPolicy(defaults: "max_attempts: 3, breaker: off, " + Self.retries)
        for (retries, count) in [(nil, 3), (1, 2), (0, 1)] {
            let call = try ScriptedCall(["a"], in: policy, ["a": [.fails(.upstreamError, 500)]]) { $0.retry.retries = retries }.run()
            #expect(call.attempts.count == count)
        }
    }

    @Test("a reset is retried once, and then the next model is called")
    func reset() throws {
        #expect(try ScriptedCall(["r"], in: callPolicy(), ["a": [.fails(.reset)]]).run().attempts == ["a", "=a", "b"])
    }

    @Test("a 503 with a wait is retried before the next model, other upstream errors after it")
    func upstreamErrors() throws {
        let waiting = ScriptedCall.Turn.fails(.upstreamError, 503, retryAfter: .ms(100))
        #expect(try ScriptedCall(["r"], in: callPolicy(), ["a": [waiting, .succeeds()]]).run().attempts == ["a", "=a"])
        let call = try ScriptedCall(
            ["r"], in: callPolicy(), ["a": [.fails(.upstreamError, 503), .succeeds()], "b": [.fails(.upstreamError, 500)]]
        ).run()
        #expect(call.attempts == ["a", "b", "=a"])
    }

    @Test("a rate limited model is retried after the wait that its upstream asked for", arguments: [1000, 300, 0])
    func retryAfter(milliseconds: Int) throws {
        let policy = try callPolicy(defaults: Self.retries)
        let call = try ScriptedCall(["a"], in: policy, ["a": [.fails(.rateLimited, 429, retryAfter: .ms(milliseconds)), .succeeds()]]).run()
        #expect(call.times == [.zero, .ms(milliseconds)] && call.status == 200)
    }

    @Test("a rate limited model without a wait from its upstream is ready for the retry, whatever the jitter draws", arguments: 0..<50)
    func cooldown(seed: UInt64) throws {
        let policy = try callPolicy(defaults: "retry: { retries: 1, delay: 20ms, jitter: 1 }")
        let call = try ScriptedCall(["a"], in: policy, seed: seed, ["a": [.fails(.rateLimited, 429), .succeeds()]]).run()
        #expect(call.attempts == ["a", "=a"] && call.times[1] <= .ms(40))
    }

    @Test("if the upstream asks for a wait of more than a second, and of more than 'delay', other models are called first")
    func longWait() throws {
        let script = ["a": [ScriptedCall.Turn.fails(.rateLimited, 429, retryAfter: .seconds(2)), .succeeds()]]
        #expect(try ScriptedCall(["r"], in: callPolicy(), script).run().attempts == ["a", "b"])
        #expect(try ScriptedCall(["r"], in: callPolicy(defaults: "retry: { delay: 2s }"), script).run().attempts == ["a", "=a"])
        let last = try ScriptedCall(["r"], in: callPolicy(), script.merging(["b": [.fails(.timeout)]]) { $1 }).run()
        #expect(last.attempts == ["a", "b", "=a"] && last.times.last == .seconds(2))
    }

    @Test("a retry waits up to a second longer if another request learns meanwhile of a longer cooldown")
    func longerCooldown() throws {
        for (extended, expected) in [(Duration.ms(450), ["a", "=a"]), (.ms(2000), ["a", "b"])] {
            let policy = try callPolicy(defaults: "retry: { retries: 1, delay: 300ms, jitter: 0 }")
            let call = try ScriptedCall(["r"], in: policy, ["a": [.fails(.rateLimited, 429, retryAfter: .ms(300)), .succeeds()]])
            let other = try #require(call.state("a").tryAttempt(at: after(.zero)).attempt)
            call.at(.ms(150)) { other.end(.failed(.rateLimited, retryAfter: extended - .ms(150)), at: call.now) }
            call.run()
            #expect(call.attempts == expected)
            if expected.last == "=a" { #expect(call.times.last == extended) }
        }
    }

    @Test("a retry is dropped if the failure opens the breaker")
    func opened() throws {
        let policy = try callPolicy(defaults: "retry: { retries: 3 }, breaker: { failures: 1 }")
        let call = try ScriptedCall(["a"], in: policy, ["a": [.fails(.upstreamError, 500)]]).run()
        #expect(call.attempts == ["a"] && call.status == 500)
    }

    @Test("a repeat that the retry budget refuses is not made, and the next model of another provider is called")
    func budget() throws {
        let budget = RetryBudget(loops: 1)
        for _ in 0..<3 { #expect(budget.tryBegin()) }
        let policy = try callPolicy("try: [a, a2, b]", more: ["a2: { provider: pa }"])
        let call = try ScriptedCall(["r"], in: policy, budget: budget, ["a": [.fails(.reset)]]).run()
        #expect(call.attempts == ["a", "b"] && budget.repeatsInProgress == 3)
        let alone = try ScriptedCall(["a"], in: policy, budget: budget, ["a": [.fails(.upstreamError, 500)]]).run()
        #expect(alone.attempts == ["a"] && alone.status == 500 && alone.machine.ending == .exhausted)
    }

    @Test("retries at a failing provider stay within the budget, however many requests fail at once")
    func budgetOfMany() throws {
        let budget = RetryBudget(loops: 1)
        for _ in 0..<100 { budget.cells[0].begin() }
        let policy = try callPolicy(defaults: "breaker: off, retry: { retries: 3, delay: 400ms }, max_attempts: 4")
        let calls = try (0..<100).map { _ in
            try ScriptedCall(["a"], in: policy, budget: budget, ["a": [.fails(.upstreamError, 503, retryAfter: .ms(400))]])
        }
        // All fail before the first retry begins: a fifth of the requests may wait for one.
        for call in calls { call.begin() }
        #expect(budget.repeatsInProgress == 20)
        for call in calls { call.finish() }
        #expect(calls.allSatisfy { $0.status == 503 } && budget.repeatsInProgress == 0)
    }

    // MARK: The same request again

    @Test("a request is replayed once, however many of its attempts meet a closed connection, unless replay is off")
    func replay() throws {
        let plan = Plan(tries: [0], maxModels: 1, maxAttempts: 4, isNamed: true, total: .seconds(60))
        func machine(_ defaults: String) throws -> CallMachine {
            CallMachine(plan, needs: RequestNeeds(), in: try callPolicy(defaults: defaults), deadline: after(.seconds(60)), random: nil)
        }
        var on = try machine(""), off = try machine("retry: { replay: off }")
        #expect(isSendAgain(on.on(.connectionClosed(model: 0), now: after(.zero))))
        #expect(!isSendAgain(on.on(.connectionClosed(model: 0), now: after(.zero))))
        #expect(!isSendAgain(off.on(.connectionClosed(model: 0), now: after(.zero))))
    }

    @Test("a refused request is repaired up to four times, and never twice in the same way")
    func repairs() throws {
        let plan = Plan(tries: [0], maxModels: 1, maxAttempts: 4, isNamed: true, total: .seconds(60))
        var machine = CallMachine(plan, needs: RequestNeeds(), in: try callPolicy(), deadline: after(.seconds(60)), random: nil)
        let repairs = (0..<6).map { Repair("without \($0)", isLasting: false) }
        for count in repairs.indices.dropLast() {
            let action = machine.on(.repairable(repairs[count], earlier: Array(repairs[..<count])), now: after(.zero))
            #expect(isSendAgain(action) == (count < 4))
        }
        #expect(!isSendAgain(machine.on(.repairable(repairs[0], earlier: [repairs[0]]), now: after(.zero))))
    }

    private func isSendAgain(_ action: CallMachine.Action) -> Bool { if case .sendAgain = action { true } else { false } }
}
