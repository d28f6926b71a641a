import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

@Suite("an explanation")
struct ExplanationTests {
    private typealias Given = ExplanationPolicy

    // MARK: Why a model stands where it does

    @Test("weighted shows weight x success rate x speed, and each share of the draw")
    func weighted() throws {
        let readings = ["swift": Given.reading(successRate: 0.5, latency: 400), "wise": Given.reading(latency: 200)]
        let explanation = try Given.explain(readings: readings)
        #expect(explanation.why("swift") == "weighted: 3 x 0.5 x 2.5 = 3.75 (42.9 %)")
        #expect(explanation.why("wise") == "weighted: 1 x 1 x 5 = 5 (57.1 %)")
        #expect(explanation.course?.seed == 1)
    }

    @Test("a draw depends on its seed alone")
    func seed() throws {
        let firsts = try (1...40).map { try Given.explain(seed: UInt64($0)).asked.first }
        #expect(Set(firsts) == ["swift", "wise"])
        #expect(try Given.explain(seed: 7) == Given.explain(seed: 7))
    }

    @Test("best shows its product, and nothing is drawn")
    func best() throws {
        let explanation = try Given.explain(["best"], readings: ["wise": Given.reading(successRate: 0.98, latency: 250)])
        #expect(explanation.asked.first == "swift")
        #expect(explanation.why("swift") == "best: 3 x 1 x 10 = 30")
        #expect(explanation.why("wise") == "best: 1 x 0.98 x 4 = 3.92")
        #expect(explanation.course?.seed == nil)
    }

    @Test("top3 draws among the best three")
    func top3() throws {
        let explanation = try Given.explain(["three"])
        #expect(explanation.why("swift") == "top3: 3 x 1 x 10 = 30 (60 %)")
        #expect(explanation.why("wise") == "top3: 1 x 1 x 10 = 10 (20 %)" || explanation.rule("wise") != nil)
    }

    @Test("cheapest shows the price, fastest the time to first token, least_busy what is under way, round_robin the turn")
    func others() throws {
        #expect(try Given.explain(["cheap"]).asked.prefix(3) == ["swift", "wise", "vast"])
        #expect(try Given.explain(["cheap"]).why("swift") == "cheapest: $0.75")
        #expect(try Given.explain(["cheap"]).why("vast") == "cheapest: no price")
        let readings = ["swift": Given.reading(latency: 900, firstToken: 310), "wise": Given.reading(latency: 1500)]
        let quick = try Given.explain(["quick"], readings: readings)
        #expect(quick.asked.prefix(3) == ["vast", "swift", "wise"])
        #expect(quick.why("vast") == "fastest: never observed")
        #expect(quick.why("swift") == "fastest: 310 ms to first token")
        #expect(quick.why("wise") == "fastest: 1500 ms for a response")
        #expect(try Given.explain(["idle"], readings: ["tiny": Given.reading(inFlight: 3)]).why("tiny") == "least_busy: 3 under way")
        let turns = try Given.explain(["turns"])
        #expect(turns.course?.attempts.first?.reason.words == "round_robin: its turn")
        #expect(try Set((1...3).map { try Given.explain(["turns"], seed: $0).course?.attempts.first?.model.label }).count == 3)
    }

    @Test("what prefer_fast put first says so")
    func prefersFast() throws {
        var fields = RoutingOverrides()
        fields.prefersFast = true
        #expect(try Given.explain(["strict"], fields: fields).why("swift") == "listed, prefer_fast")
    }

    // MARK: Where it comes from

    @Test("each attempt tells its part of the policy, and chains of fallback_on stand apart")
    func parts() throws {
        let course = try #require(try Given.explain().course)
        #expect(course.attempts.map(\.part.words) == ["try", "try", "fallback", "fallback"])
        #expect(course.chains.map(\.model.label) == ["far/vast"])
        #expect(course.chains.map(\.part.words) == ["fallback_on.context_overflow"])
        #expect(try Given.explain(["swift"]).course?.attempts.first?.part == .named)
    }

    @Test("a request's own fallback comes first of the fallbacks, and is told apart")
    func requestedFallback() throws {
        var fields = RoutingOverrides()
        fields.fallbackModel = "twin"
        fields.fallbackProvider = "far"
        let explanation = try Given.explain(fields: fields)
        #expect(explanation.course?.attempts.first { $0.isFallback }?.model.label == "far/twin")
        #expect(explanation.course?.attempts.first { $0.isFallback }?.part == .requestedFallback)
        #expect(explanation.course?.attempts.last?.part == .fallback)
    }

    // MARK: How far it goes

    @Test("max_models and max_attempts end it, and what they keep out says so")
    func bounds() throws {
        let bounded = try Given.explain(["bounded"])
        #expect(bounded.asked == ["swift", "wise"])
        #expect(bounded.rule("vast") == "max_models: 2 before it")
        #expect(bounded.course?.ending == .maxAttempts)
        let narrow = try Given.explain(
            fields: {
                var fields = RoutingOverrides(); fields.maxModelSwitches = 1; return fields
            }())
        #expect(narrow.course?.maxModels == 2)
    }

    @Test("the last candidate is asked once more, after its delay, where no other is left")
    func again() throws {
        let explanation = try Given.explain(["swift"])
        #expect(explanation.asked == ["swift", "=swift"])
        #expect(explanation.course?.attempts.last?.wait == .milliseconds(500))
        #expect(explanation.course?.ending == .exhausted)
    }

    @Test("a failover that stops is told")
    func stop() throws {
        let explanation = try Given.explain(["strict"])
        #expect(explanation.asked == ["swift"])
        #expect(explanation.course?.ending == .stopped(.upstreamError) && explanation.course?.status == 500)
        #expect(explanation.rule("wise") == "failover: upstream_error ends the call")
    }

    @Test("what is down fails and the next answers")
    func down() throws {
        let explanation = try Given.explain(["strict"], down: ["swift"])
        #expect(explanation.asked == ["swift", "wise"])
        #expect(explanation.chosen?.model.name == "wise")
        #expect(explanation.course?.attempts.first?.state == .down)
        #expect(try Given.explain(down: ["near", "far"]).chosen == nil)
    }

    // MARK: State

    @Test("a model that rests comes after those that can be asked, with its state and the wait for it")
    func coolingDown() throws {
        let explanation = try Given.explain(["strict"], readings: ["swift": Given.reading(.coolingDown(until: Given.after(12)))])
        #expect(explanation.asked == ["wise"])
        let bounded = try Given.explain(["bounded"], readings: ["swift": Given.reading(.coolingDown(until: Given.after(12)))])
        #expect(bounded.asked == ["wise", "vast"])
        let named = try Given.explain(["swift"], readings: ["swift": Given.reading(.coolingDown(until: Given.after(12)))])
        #expect(named.course?.attempts.first?.state == .coolingDown(.seconds(12)))
        #expect(named.course?.attempts.first?.wait == .seconds(12))
    }

    @Test("an open model is asked only where every other is open too: the one that is due first")
    func open() throws {
        let readings = ["swift": Given.reading(.open(until: Given.after(30))), "wise": Given.reading(.open(until: Given.after(9)))]
        let explanation = try Given.explain(["strict"], readings: readings)
        #expect(explanation.asked == ["wise"])
        #expect(explanation.course?.attempts.first?.state == .open(.seconds(9)))
        #expect(explanation.course?.attempts.first?.wait == .zero)
    }

    @Test("what rests beyond the request's time is not waited for")
    func tooLate() throws {
        let explanation = try Given.explain(["swift"], readings: ["swift": Given.reading(.limited(until: Given.after(900)))])
        #expect(explanation.asked == [])
        #expect(explanation.course?.ending == .unavailable && explanation.course?.status == 429)
        #expect(explanation.rule("swift") == "not to be had before the request's time is up")
    }

    // MARK: Deadlines

    @Test("timeouts and retries are those that the attempt gets")
    func waits() throws {
        let course = try #require(try Given.explain(["bounded"]).course)
        #expect(course.attempts[0].timeouts.firstByte == .seconds(60) && course.attempts[0].retry.retries == 1)
        let vast = try #require(try Given.explain(["vast"]).course?.attempts.first)
        #expect(vast.timeouts.firstByte == .seconds(5) && vast.retry.retries == 0)
        #expect(course.hedge == Hedge(delay: .after(.seconds(3)), maxCost: 0.01) && course.resumes)
    }

    // MARK: Left out

    @Test("each model left out has the rule that left it out")
    func leftOut() throws {
        let explanation = try Given.explain(needs: RequestNeeds(supports: [.image], promptTokens: 2000))
        #expect(explanation.asked.first == "wise")
        #expect(explanation.rule("gone") == "its provider is off: FAR_KEY unset")
        #expect(explanation.rule("swift") == "it doesn't support image")
        #expect(explanation.rule("twin") == "selector: tags \"general & !paid\"")
        let long = try Given.explain(needs: RequestNeeds(promptTokens: 2000, maxTokens: 7000))
        #expect(long.rule("tiny") == "the request needs about 9000 tokens of context, it has 1000")
        #expect(long.rule("swift") == "the request asks for 7000 tokens of output, it gives 1000")
        #expect(try Given.explain(key: "one").rule("vast") == nil)
        #expect(try Given.explain(["best"], key: "one").rule("wise") == "the key may not use it")
        var fields = RoutingOverrides()
        fields.type = "fast"
        #expect(try Given.explain(fields: fields).rule("wise") == "request: type 'fast'")
        fields = RoutingOverrides()
        fields.minSuccessRate = 0.9
        let rated = try Given.explain(fields: fields, readings: ["wise": Given.reading(successRate: 0.5, latency: 100)])
        #expect(rated.rule("wise") == "success rate 50 % is below 90 %")
    }

    @Test(
        "a selector's condition is told in the policy's words, the first that fails",
        arguments: [
            ("wise", "selector: type fast"), ("vast", "selector: type fast"), ("tiny", "selector: type fast"),
        ])
    func conditions(model: String, rule: String) throws {
        #expect(try Given.explain(["narrow"]).rule(model) == rule)
    }

    @Test(
        "every condition of a selector has its words",
        arguments: [
            ("tags: paid", "tags \"paid\""), ("type: reasoning", "type reasoning"), ("provider: q", "provider q"),
            ("supports: [image, tools]", "supports image, tools"),
            ("min_context: 9000", "min_context 9000, it has 8000"), ("min_output: 9000", "min_output 9000, it has none given"),
            ("max_price: 0.3", "max_price input $0.3, output $0.3, it has input $0.25, output $0.5"), ("models: [\"b*\"]", "models b*"),
        ])
    func everyCondition(condition: String, words: String) throws {
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
            PlanRequest(models: ["r"]), from: .open, in: snapshot, state: .fresh(seed: 1), refusal: ExplanationPolicy.words)
        #expect(explanation.rule("a") == "selector: \(words)")
        #expect(explanation.asked.first == "b")
    }

    @Test("a model is listed once, and none that is asked")
    func once() throws {
        let explanation = try Given.explain(["auto", "cheap", "swift"])
        let names = explanation.leftOut.map(\.model.label)
        #expect(Set(names).count == names.count)
        #expect(Set(names).isDisjoint(with: explanation.course?.attempts.map(\.model.label) ?? []))
    }

    // MARK: Refusals

    @Test("a refusal tells what the client gets, and each candidate with the condition that it failed")
    func refused() throws {
        let unfit = try Given.explain(needs: RequestNeeds(supports: [.audio]))
        #expect(unfit.outcome == .refused(RequestRefusal(status: 400, code: "unfit", message: "auto: 4")))
        #expect(unfit.rule("swift") == "it doesn't support audio")
        #expect(unfit.rule("gone") == "its provider is off: FAR_KEY unset")
        #expect(try Given.explain(["nobody"]).outcome == .refused(RequestRefusal(status: 404, code: "unknown", message: "nobody")))
        let off = try Given.explain(["gone"])
        #expect(off.outcome == .refused(RequestRefusal(status: 503, code: "off", message: "FAR_KEY")))
        #expect(off.rule("gone") == "its provider is off: FAR_KEY unset")
        let forbidden = try Given.explain(["vast"], key: "one")
        #expect(forbidden.outcome == .refused(RequestRefusal(status: 403, code: "forbidden", message: "vast")))
        #expect(forbidden.rule("vast") == "the key may not use it")
    }
}
