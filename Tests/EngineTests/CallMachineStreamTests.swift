import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

/// Hedging, resuming, and the rule that a call belongs to the attempt with the first content.
@Suite("the attempts that a client's stream has")
struct CallMachineStreamTests {
    // MARK: The commit rule

    @Test("after its first content a stream is never given to another model, unless the route resumes")
    func commits() throws {
        let call = try ScriptedCall(["r"], in: callPolicy(), ["a": [.fails(.upstreamError, 500, after: .ms(20), content: .ms(10))]]).run()
        #expect(call.attempts == ["a"] && call.log == ["commit a", "fail 500"])
        let staged = try ScriptedCall(["r"], in: callPolicy(), ["a": [.fails(.upstreamError, 500, after: .ms(20))]]).run()
        #expect(staged.attempts == ["a", "b"] && staged.log == ["finish b"])
    }

    @Test("a broken stream without a status is a 502, or a 504 after a timeout")
    func brokenStatus() throws {
        for (failure, status) in [(FailureClass.reset, 502), (.timeout, 504)] {
            let call = try ScriptedCall(["r"], in: callPolicy(), ["a": [.fails(failure, after: .ms(20), content: .ms(10))]]).run()
            #expect(call.status == status)
        }
    }

    // MARK: Hedges

    private static let hedged = "try: [a, b, c], hedge: { after: 100ms }"

    @Test("the first content wins, and the other attempt is aborted at once")
    func secondWins() throws {
        let call = try ScriptedCall(
            ["r"], in: callPolicy(Self.hedged),
            ["a": [.succeeds(after: .seconds(9), content: .seconds(8))], "b": [.succeeds(after: .ms(80), content: .ms(50))]]
        ).run()
        #expect(call.attempts == ["a", "b"] && call.times == [.zero, .ms(100)])
        #expect(call.log == ["commit b", "finish b"] && call.aborted == ["a"])
    }

    @Test("a slow first attempt may still win")
    func firstWins() throws {
        let call = try ScriptedCall(
            ["r"], in: callPolicy(Self.hedged), ["a": [.succeeds(after: .ms(150))], "b": [.succeeds(after: .seconds(9))]]
        ).run()
        #expect(call.log == ["finish a"] && call.aborted == ["b"])
    }

    @Test("a fast first attempt, and one that has begun its stream, is not hedged")
    func fast() throws {
        for turn in [ScriptedCall.Turn.succeeds(after: .ms(99)), .succeeds(after: .seconds(9), content: .ms(99))] {
            #expect(try ScriptedCall(["r"], in: callPolicy(Self.hedged), ["a": [turn]]).run().attempts == ["a"])
        }
    }

    @Test("if one of the two fails, the other one serves the request")
    func oneFails() throws {
        let failing = ScriptedCall.Turn.fails(.upstreamError, 500, after: .ms(150)), good = ScriptedCall.Turn.succeeds(after: .ms(300))
        let first = try ScriptedCall(["r"], in: callPolicy(Self.hedged), ["a": [failing], "b": [good]]).run()
        #expect(first.attempts == ["a", "b"] && first.log == ["promote", "finish b"])
        let second = try ScriptedCall(["r"], in: callPolicy(Self.hedged), ["a": [good], "b": [.fails(.upstreamError, 500)]]).run()
        #expect(second.attempts == ["a", "b"] && second.log == ["finish a"])
    }

    @Test("if both fail, the call goes on with the remaining candidates, hedged again")
    func bothFail() throws {
        let failing = ScriptedCall.Turn.fails(.upstreamError, 500, after: .ms(150))
        let call = try ScriptedCall(
            ["r"], in: callPolicy("try: [a, b, c, d], hedge: { after: 100ms }"),
            [
                "a": [failing], "b": [failing], "c": [.succeeds(after: .seconds(9))],
            ]
        ).run()
        #expect(call.attempts == ["a", "b", "c", "d"] && call.times == [.zero, .ms(100), .ms(250), .ms(350)])
        let ended = try ScriptedCall(["r"], in: callPolicy("try: [a, b], hedge: { after: 100ms }"), ["a": [failing], "b": [failing]]).run()
        #expect(ended.status == 502 && ended.machine.failures.count >= 2)
    }

    @Test("after a failed hedge, a retry calls the model of the first attempt")
    func retriesFirst() throws {
        let call = try ScriptedCall(
            ["r"], in: callPolicy("try: [a, b], hedge: { after: 100ms }", defaults: "retry: { delay: 10ms, jitter: 0 }"),
            ["a": [.fails(.reset, after: .ms(300)), .succeeds()], "b": [.fails(.timeout, after: .ms(50))]]
        ).run()
        #expect(call.attempts == ["a", "b", "=a"] && call.times.last == .ms(310))
    }

    @Test("a client that leaves aborts both attempts")
    func leaves() throws {
        let silent = [ScriptedCall.Turn.succeeds(after: .seconds(9))]
        let call = try ScriptedCall(["r"], in: callPolicy(Self.hedged), ["a": silent, "b": silent])
        call.leaves(at: .ms(200))
        call.run()
        #expect(call.log == ["fail 499"] && Set(call.aborted) == ["a", "b"])
    }

    @Test("a second attempt that may cost more than the cap, or whose price is unknown, is not made")
    func cost() throws {
        let policy = try callPolicy(
            "try: [a, b], hedge: { after: 50ms, max_cost: 0.01 }", models: ["b": "price: { input: 0, output: 1000 }"])
        func attempts(_ policy: Snapshot, maxTokens: Int?) throws -> [String] {
            try ScriptedCall(["r"], in: policy, needs: RequestNeeds(maxTokens: maxTokens), ["a": [.succeeds(after: .ms(300))]]).run()
                .attempts
        }
        #expect(try attempts(policy, maxTokens: 1000) == ["a"] && attempts(policy, maxTokens: nil) == ["a"])
        #expect(try attempts(policy, maxTokens: 5) == ["a", "b"])
        #expect(try attempts(callPolicy("try: [a, b], hedge: { after: 50ms, max_cost: 1 }"), maxTokens: 5) == ["a"])
    }

    @Test("an unaffordable hedge stays a candidate for the case that the first attempt fails")
    func costThenFailure() throws {
        let policy = try callPolicy("try: [a, b], hedge: { after: 50ms, max_cost: 1 }")
        #expect(try ScriptedCall(["r"], in: policy, ["a": [.fails(.timeout, after: .ms(300))]]).run().attempts == ["a", "b"])
    }

    @Test("a percentile as the delay hedges only after twenty responses of the model")
    func percentile() throws {
        let policy = try callPolicy("try: [a, b], hedge: { after: p95 }")
        let slow = ["a": [ScriptedCall.Turn.succeeds(after: .seconds(9), content: .seconds(8))]]
        func answer() throws { try ScriptedCall(["a"], in: policy, ["a": [.succeeds(after: .ms(50), content: .ms(40))]]).run() }
        for _ in 0..<19 { try answer() }
        #expect(
            try ScriptedCall(["r"], in: policy, slow) {
                $0.tries = [0, 1]; $0.attemptTimeout = .seconds(1); $0.maxModels = 1
            }.run().attempts == ["a"])
        try answer()
        let call = try ScriptedCall(["r"], in: policy, slow) { $0.tries = [0, 1] }.run()
        #expect(call.attempts == ["a", "b"] && call.times.last == .ms(40))
    }

    @Test("a hedge that isn't available is skipped, and the next candidate is asked")
    func hedgeSkips() throws {
        let policy = try callPolicy(Self.hedged, models: ["b": "limits: { requests_per_minute: 1 }"])
        #expect(try ScriptedCall(["b"], in: policy).run().status == 200)
        let call = try ScriptedCall(["r"], in: policy, ["a": [.succeeds(after: .seconds(9))]]) { $0.tries = [0, 1, 2] }.run()
        #expect(call.attempts == ["a", "c"] && call.machine.sequence.notCalled.map(\.model) == [1])
    }

    // MARK: Resume

    private static let resumed = "try: [a, b, c], resume: true"
    private static let breaking = ScriptedCall.Turn.fails(.reset, after: .ms(20), content: .ms(10))

    @Test("another model continues a stream that broke")
    func resumes() throws {
        let call = try ScriptedCall(
            ["r"], in: callPolicy(Self.resumed), ["a": [Self.breaking], "b": [.succeeds(after: .ms(5), content: .ms(1))]])
        #expect(call.run().attempts == ["a", "b"] && call.log == ["commit a", "resume b", "finish b"])
    }

    @Test("the stream may break again, and then the next model continues it")
    func resumesTwice() throws {
        let call = try ScriptedCall(
            ["r"], in: callPolicy(Self.resumed),
            ["a": [Self.breaking], "b": [Self.breaking], "c": [.succeeds(after: .ms(5), content: .ms(1))]])
        #expect(call.run().log == ["commit a", "resume b", "resume c", "finish c"])
    }

    @Test("a model that can't continue, and one that isn't available, is passed over")
    func cannotContinue() throws {
        let policy = try snapshot(
            """
            listen: 127.0.0.1:0
            providers: { able: { plugin: silent, can_continue: true }, other: { plugin: silent, can_continue: true }, unable: { plugin: silent } }
            models:
              a: { provider: able }
              b: { provider: unable }
              c: { provider: other, limits: { requests_per_minute: 1 } }
              d: { provider: other }
            routes: { r: { try: [a, b, c, d], resume: true } }
            """)
        #expect(try ScriptedCall(["c"], in: policy).run().status == 200)
        let call = try ScriptedCall(["r"], in: policy, ["a": [Self.breaking]]) { $0.tries = [0, 1, 2, 3] }.run()
        #expect(call.attempts == ["a", "d"] && call.status == 200)
    }

    @Test("if no model can continue, the failure that broke the stream is the client's")
    func cannotResume() throws {
        let policy = try callPolicy("try: [a, b], resume: true")
        let call = try ScriptedCall(["r"], in: policy, ["a": [Self.breaking], "b": [.fails(.clientError, 400)]]).run()
        #expect(call.attempts == ["a", "b"] && call.status == 502 && call.failure?.error.message == "reset")
    }

    @Test(
        "only a break that is the upstream's fault is resumed",
        arguments: [
            (FailureClass.timeout, true), (.rateLimited, true), (.contentFilter, false), (.clientError, false), (.providerRejected, false),
        ])
    func breaks(failure: FailureClass, resumes: Bool) throws {
        let broken = ScriptedCall.Turn.fails(failure, after: .ms(20), content: .ms(10))
        #expect(try ScriptedCall(["r"], in: callPolicy(Self.resumed), ["a": [broken]]).run().attempts.count == (resumes ? 2 : 1))
    }

    @Test(
        "a response that can't be continued, without text or with more than 1 MiB of it is not resumed",
        arguments: [nil, 0, 1, 1 << 20, 1 << 20 + 1])
    func partialBytes(bytes: Int?) throws {
        var machine = CallMachine(
            Plan(tries: [0, 1], maxModels: 2, maxAttempts: 4, isNamed: false, total: .seconds(60), resumes: true), needs: RequestNeeds(),
            in: try callPolicy(), deadline: after(.seconds(60)), random: nil)
        for event in [CallMachine.Event.began, .started(p95: nil), .contentBegan(.main)] { _ = machine.on(event, now: after(.zero)) }
        let failure = CallMachine.Failure(error: ProviderError(.reset, message: "x"), hasContent: true, partialBytes: bytes)
        let action = machine.on(.failed(.main, failure), now: after(.zero))
        let isResumed = if case .ask = action { true } else { false }
        #expect(isResumed == (1...(1 << 20)).contains(bytes ?? 0))
    }

    @Test("a stream that breaks after 'total' is not resumed")
    func overdue() throws {
        let policy = try callPolicy("try: [a, b], resume: true", defaults: "timeouts: { total: 1s }")
        let call = try ScriptedCall(["r"], in: policy, ["a": [.succeeds(after: .seconds(9), content: .ms(10))]]).run()
        #expect(call.attempts == ["a"] && call.status == 504)
    }
}
