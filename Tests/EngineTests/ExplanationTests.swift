import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

@Suite("an explanation")
struct ExplanationTests {
    private typealias Fixture = ExplanationPolicy

    // MARK: Reasons

    @Test("weighted shows weight x success rate x speed, and the share of each candidate")
    func weighted() throws {
        let readings = ["swift": Fixture.reading(successRate: 0.5, latency: 400), "wise": Fixture.reading(latency: 200)]
        let explanation = try Fixture.explain(readings: readings)
        #expect(explanation.why("swift") == "weighted: 3 x 0.5 x 2.5 = 3.75 (42.9 %)")
        #expect(explanation.why("wise") == "weighted: 1 x 1 x 5 = 5 (57.1 %)")
        #expect(explanation.plannedCall?.seed == 1)
    }

    @Test("a draw depends only on its seed")
    func seed() throws {
        let firsts = try (1...40).map { try Fixture.explain(seed: UInt64($0)).called.first }
        #expect(Set(firsts) == ["swift", "wise"])
        #expect(try Fixture.explain(seed: 7) == Fixture.explain(seed: 7))
    }

    @Test("best shows the product, and draws nothing")
    func best() throws {
        let explanation = try Fixture.explain(["best"], readings: ["wise": Fixture.reading(successRate: 0.98, latency: 250)])
        #expect(explanation.called.first == "swift")
        #expect(explanation.why("swift") == "best: 3 x 1 x 10 = 30")
        #expect(explanation.why("wise") == "best: 1 x 0.98 x 4 = 3.92")
        #expect(explanation.plannedCall?.seed == nil)
    }

    @Test("top3 draws among the best three")
    func top3() throws {
        let explanation = try Fixture.explain(["three"])
        #expect(explanation.why("swift") == "top3: 3 x 1 x 10 = 30 (60 %)")
        #expect(explanation.why("wise") == "top3: 1 x 1 x 10 = 10 (20 %)" || explanation.rule("wise") != nil)
    }

    @Test("cheapest shows the price, fastest the time, least_busy the attempts in progress, round_robin the rotation")
    func others() throws {
        #expect(try Fixture.explain(["cheap"]).called.prefix(3) == ["swift", "wise", "vast"])
        #expect(try Fixture.explain(["cheap"]).why("swift")?.hasPrefix("cheapest: about $") == true)
        #expect(try Fixture.explain(["cheap"]).why("vast") == "cheapest: no price")
        #expect([0, 10, 1_200, 0.000_05, 2.5].map(\.small) == ["0", "10", "1200", "0.00005", "2.5"])
        let readings = ["swift": Fixture.reading(latency: 900, firstToken: 310), "wise": Fixture.reading(latency: 1500)]
        let quick = try Fixture.explain(["quick"], readings: readings)
        #expect(quick.called.prefix(3) == ["vast", "swift", "wise"])
        #expect(quick.why("vast") == "fastest: no samples")
        #expect(quick.why("swift") == "fastest: 310 ms to the first token")
        #expect(quick.why("wise") == "fastest: 1500 ms latency")
        #expect(try Fixture.explain(["idle"], readings: ["tiny": Fixture.reading(inFlight: 3)]).why("tiny") == "least_busy: 3 in progress")
        let turns = try Fixture.explain(["turns"])
        #expect(turns.plannedCall?.attempts.first?.reason.text == "round_robin: next in rotation")
        #expect(try Set((1...3).map { try Fixture.explain(["turns"], seed: $0).plannedCall?.attempts.first?.model.label }).count == 3)
    }

    @Test("the reason of a model that prefer_fast ranks shows its latency")
    func prefersFast() throws {
        var overrides = RoutingOverrides()
        overrides.prefersFast = true
        let explanation = try Fixture.explain(["cheap"], overrides: overrides, readings: ["wise": Fixture.reading(latency: 250)])
        #expect(explanation.called.first == "wise")
        #expect(explanation.why("wise") == "prefer_fast: 250 ms latency")
        #expect(explanation.why("swift") == "prefer_fast: no samples, counts as 1s")
    }

    @Test("an explanation shows the names that are skipped, and the timeout and the delays that the request sets")
    func requestBounds() throws {
        var overrides = RoutingOverrides()
        (overrides.timeout, overrides.retryDelay) = (.milliseconds(2500), .milliseconds(700))
        (overrides.retries, overrides.maxModelSwitches) = (3, 1)
        let explanation = try Fixture.explain(["nope", "swift"], overrides: overrides)
        #expect(explanation.plannedCall?.skippedNames == ["nope"])
        #expect(explanation.plannedCall?.attempts.dropFirst().map(\.wait.rounded) == ["700ms", "700ms"])
        let text = ExplanationTable(explanation, policyName: "p").text
        #expect(text.contains("skipped  nope: unknown, or not for this key"))
        #expect(text.contains("timeout_secs  2500ms for each attempt") && text.contains("3 per model, after 700ms, ± 20 %"))
        #expect(String(decoding: explanation.json, as: UTF8.self).contains(#""skipped":["nope"]"#))
    }

    // MARK: Parts of the policy

    @Test("each attempt shows its part of the policy, and fallback_on chains are separate")
    func parts() throws {
        let call = try #require(try Fixture.explain().plannedCall)
        #expect(call.attempts.map(\.part.label) == ["try", "try", "fallback", "fallback"])
        #expect(call.chains.map(\.model.label) == ["far/vast"])
        #expect(call.chains.map(\.part.label) == ["fallback_on.context_overflow"])
        #expect(try Fixture.explain(["swift"]).plannedCall?.attempts.first?.part == .named)
    }

    @Test("the request's fallback_model comes before the other fallbacks, and has its own label")
    func requestedFallback() throws {
        var overrides = RoutingOverrides()
        overrides.fallbackModel = "twin"
        overrides.fallbackProvider = "far"
        let explanation = try Fixture.explain(overrides: overrides)
        #expect(explanation.plannedCall?.attempts.first { $0.isFallback }?.model.label == "far/twin")
        #expect(explanation.plannedCall?.attempts.first { $0.isFallback }?.part == .requestedFallback)
        #expect(explanation.plannedCall?.attempts.last?.part == .fallback)
    }

    // MARK: Bounds

    @Test("max_models and max_attempts end the call, and are the rule for the models that are left out")
    func bounds() throws {
        let bounded = try Fixture.explain(["bounded"])
        #expect(bounded.called == ["swift", "wise"])
        #expect(bounded.rule("vast") == "beyond max_models (2)")
        #expect(bounded.plannedCall?.ending == .maxAttempts)
        let narrow = try Fixture.explain(
            overrides: {
                var overrides = RoutingOverrides(); overrides.maxModelSwitches = 1; return overrides
            }())
        #expect(narrow.plannedCall?.maxModels == 1)
    }

    @Test("the last candidate is retried after a delay if no other is left")
    func retry() throws {
        let explanation = try Fixture.explain(["swift"])
        #expect(explanation.called == ["swift", "=swift"])
        #expect(explanation.plannedCall?.attempts.last?.wait == .milliseconds(500))
        #expect(explanation.plannedCall?.ending == .exhausted)
    }

    @Test("a failover rule that ends the call is shown")
    func stop() throws {
        let explanation = try Fixture.explain(["strict"])
        #expect(explanation.called == ["swift"])
        #expect(explanation.plannedCall?.ending == .stopped(.upstreamError) && explanation.plannedCall?.status == 500)
        #expect(explanation.rule("wise") == "failover: upstream_error ends the call")
    }

    @Test("an attempt at a model that is down fails, and the next model is chosen")
    func down() throws {
        let explanation = try Fixture.explain(["strict"], down: ["swift"])
        #expect(explanation.called == ["swift", "wise"])
        #expect(explanation.chosen?.model.name == "wise")
        #expect(explanation.plannedCall?.attempts.first?.state == .down)
        #expect(try Fixture.explain(down: ["near", "far"]).chosen == nil)
    }

    // MARK: State

    @Test("a model in cooldown comes after the available ones, with its state and the wait")
    func coolingDown() throws {
        let explanation = try Fixture.explain(["strict"], readings: ["swift": Fixture.reading(.coolingDown(until: Fixture.after(12)))])
        #expect(explanation.called == ["wise"])
        let bounded = try Fixture.explain(["bounded"], readings: ["swift": Fixture.reading(.coolingDown(until: Fixture.after(12)))])
        #expect(bounded.called == ["wise", "vast"])
        let named = try Fixture.explain(["swift"], readings: ["swift": Fixture.reading(.coolingDown(until: Fixture.after(4)))])
        #expect(named.plannedCall?.attempts.first?.state == .coolingDown(.seconds(4)))
        #expect(named.plannedCall?.attempts.first?.wait == .seconds(4))
    }

    @Test("a named model in cooldown for longer than 'named_wait' is not called")
    func namedWait() throws {
        let named = try Fixture.explain(["swift"], readings: ["swift": Fixture.reading(.coolingDown(until: Fixture.after(6)))])
        #expect(named.called == [] && named.plannedCall?.status == 429)
        #expect(named.rule("swift") == "not available within 'named_wait'")
    }

    @Test("a retry that the simulated failures leave no room for is not shown")
    func openedByFailures() throws {
        let snapshot = try snapshot(
            """
            listen: 127.0.0.1:0
            defaults: { breaker: { failures: 2, jitter: 0 }, retry: { retries: 3 } }
            providers: { p: { plugin: silent } }
            models: { a: { provider: p } }
            """)
        for (failuresBefore, called) in [(0, ["a", "=a"]), (1, ["a"])] {
            let states = [0: snapshot.states.models[0]]
            for _ in 0..<failuresBefore {
                states[0]?.tryAttempt(at: .uptimeNanoseconds(0)).attempt?.end(
                    .failed(.upstreamError, retryAfter: nil), at: .uptimeNanoseconds(0))
            }
            let explanation = Explanation.of(
                PlanRequest(models: ["a"]), key: .noneDefined, in: snapshot, state: .fixed([:], states, seed: 1, at: .uptimeNanoseconds(0)),
                refusal: Fixture.refusal)
            #expect(explanation.called == called)
        }
    }

    @Test("if every breaker is open, the one whose cooldown ends first is probed")
    func open() throws {
        let readings = ["swift": Fixture.reading(.open(until: Fixture.after(30))), "wise": Fixture.reading(.open(until: Fixture.after(9)))]
        let explanation = try Fixture.explain(["strict"], readings: readings)
        #expect(explanation.called == ["wise"])
        #expect(explanation.plannedCall?.attempts.first?.state == .open(.seconds(9)))
        #expect(explanation.plannedCall?.attempts.first?.wait == .zero)
    }

    @Test("a model that becomes available only after the total timeout is left out")
    func tooLate() throws {
        let explanation = try Fixture.explain(["swift"], readings: ["swift": Fixture.reading(.limited(until: Fixture.after(900)))])
        #expect(explanation.called == [])
        #expect(explanation.plannedCall?.ending == .unavailable && explanation.plannedCall?.status == 429)
        #expect(explanation.rule("swift") == "not available within 'named_wait'")
        let strict = try Fixture.explain(
            ["strict"], readings: ["swift", "wise"].reduce(into: [:]) { $0[$1] = Fixture.reading(.limited(until: Fixture.after(900))) })
        #expect(strict.called == [] && strict.rule("wise") == "not available within the total timeout")
    }

    // MARK: Timeouts

    @Test("each attempt has the timeouts and retries of its model")
    func waits() throws {
        let call = try #require(try Fixture.explain(["bounded"]).plannedCall)
        #expect(call.attempts[0].timeouts.firstByte == .seconds(60) && call.attempts[0].retry.retries == 1)
        let vast = try #require(try Fixture.explain(["vast"]).plannedCall?.attempts.first)
        #expect(vast.timeouts.firstByte == .seconds(5) && vast.retry.retries == 0)
        #expect(call.hedge == Hedge(delay: .after(.seconds(3)), maxCost: 0.01) && call.resumes)
    }

    // MARK: Left out

    @Test("each model that is left out has the rule that excludes it")
    func leftOut() throws {
        let explanation = try Fixture.explain(needs: RequestNeeds(supports: [.image], promptTokens: 2000))
        #expect(explanation.called.first == "wise")
        #expect(explanation.rule("gone") == "provider off: FAR_KEY is unset")
        #expect(explanation.rule("swift") == "does not support image")
        #expect(explanation.rule("twin") == "selector: tags \"general & !paid\"")
        let long = try Fixture.explain(needs: RequestNeeds(promptTokens: 2000, maxTokens: 7000))
        #expect(long.rule("tiny") == "context of 1000 tokens is too small: about 9000 are needed")
        #expect(long.rule("swift") == "max_output of 1000 tokens is too small: 7000 are requested")
        #expect(try Fixture.explain(key: "one").rule("vast") == nil)
        #expect(try Fixture.explain(["best"], key: "one").rule("wise") == "not allowed for this key")
        var overrides = RoutingOverrides()
        overrides.type = "fast"
        #expect(try Fixture.explain(overrides: overrides).rule("wise") == "request: type 'fast'")
        for (capability, name) in [(Capability.json, "json_response"), (.audio, "supports_audio")] {
            overrides = RoutingOverrides()
            overrides.supports = [capability]
            #expect(try Fixture.explain(overrides: overrides).rule("wise") == "request: \(name)")
        }
        overrides = RoutingOverrides()
        overrides.minSuccessRate = 0.9
        let rated = try Fixture.explain(overrides: overrides, readings: ["wise": Fixture.reading(successRate: 0.5, latency: 100)])
        #expect(rated.rule("wise") == "success rate 50 % is below 90 %")
    }

    @Test(
        "the rule is the first condition of the selector that fails",
        arguments: [
            ("wise", "selector: type fast"), ("vast", "selector: type fast"), ("tiny", "selector: type fast"),
        ])
    func conditions(model: String, rule: String) throws {
        #expect(try Fixture.explain(["narrow"]).rule(model) == rule)
    }

    @Test(
        "every condition of a selector is shown as routes.yaml writes it",
        arguments: [
            ("tags: paid", "tags \"paid\""), ("type: reasoning", "type reasoning"), ("provider: q", "provider q"),
            ("supports: [image, tools]", "supports image, tools"),
            ("min_context: 9000", "min_context 9000, the model has 8000"), ("min_output: 9000", "min_output 9000, the model has none"),
            ("max_price: 0.3", "max_price input $0.3, output $0.3, the model has input $0.25, output $0.5"),
            ("models: [\"b*\"]", "models b*"),
        ])
    func everyCondition(condition: String, text: String) throws {
        let snapshot = try snapshot(
            """
            listen: 127.0.0.1:0
            providers: { p: { plugin: silent }, q: { plugin: silent } }
            models:
              a: { provider: p, context: 8000, price: { input: 0.25, output: 0.5 } }
              b: { provider: q, type: reasoning, tags: [paid], supports: [image, tools], context: 9000, max_output: 9000, price: { input: 0.1, output: 0.2 } }
            routes: { r: { try: { select: { \(condition) } } } }
            """)
        let explanation = Explanation.of(
            PlanRequest(models: ["r"]), key: .noneDefined, in: snapshot, state: .fresh(seed: 1), refusal: ExplanationPolicy.refusal)
        #expect(explanation.rule("a") == "selector: \(text)")
        #expect(explanation.called.first == "b")
    }

    @Test("each model that is left out is listed once, and no called model is listed")
    func once() throws {
        let explanation = try Fixture.explain(["auto", "cheap", "swift"])
        let names = explanation.leftOut.map(\.model.label)
        #expect(Set(names).count == names.count)
        #expect(Set(names).isDisjoint(with: explanation.plannedCall?.attempts.map(\.model.label) ?? []))
    }

    // MARK: Refusals

    @Test("a refusal shows the client's response, and each candidate with the condition that it fails")
    func refused() throws {
        let unfit = try Fixture.explain(needs: RequestNeeds(supports: [.audio]))
        #expect(unfit.outcome == .refused(RequestRefusal(status: 400, code: "unfit", message: "auto: 4")))
        #expect(unfit.rule("swift") == "does not support audio")
        #expect(unfit.rule("gone") == "provider off: FAR_KEY is unset")
        #expect(try Fixture.explain(["nobody"]).outcome == .refused(RequestRefusal(status: 404, code: "unknown", message: "nobody")))
        let off = try Fixture.explain(["gone"])
        #expect(off.outcome == .refused(RequestRefusal(status: 503, code: "off", message: "FAR_KEY")))
        #expect(off.rule("gone") == "provider off: FAR_KEY is unset")
        let forbidden = try Fixture.explain(["vast"], key: "one")
        #expect(forbidden.outcome == .refused(RequestRefusal(status: 403, code: "forbidden", message: "vast")))
        #expect(forbidden.rule("vast") == "not allowed for this key")
    }
}
