import ConfigTree
import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

@Suite("an expectation")
struct ExplanationExpectationTests {
    private func verdict(
        _ models: [String] = ["auto"], needs: RequestNeeds = RequestNeeds(), key: String? = nil,
        _ change: (inout RoutingExpectation) -> Void
    ) throws -> ExpectationTrial.Verdict {
        var definition = RoutingExpectation(name: "x", position: SourcePosition(file: "routes.yaml", line: 7, column: 5), body: [])
        change(&definition)
        let snapshot = try snapshot(ExplanationPolicy.yaml)
        let scope = snapshot.policy.keys.first { $0.name == key }?.models
        return ExpectationTrial(definition, in: snapshot).verdict(
            of: PlanRequest(models: models, needs: needs, scope: scope), refusal: ExplanationPolicy.refusal)
    }

    private func mismatch(_ verdict: ExpectationTrial.Verdict) -> ExpectationTrial.Mismatch? {
        if case .fails(let mismatches) = verdict { mismatches.first } else { nil }
    }

    @Test("the chosen model is the first attempted one that is not down")
    func chosen() throws {
        #expect(try verdict(["strict"]) { $0.chosen = ["swift"] } == .holds)
        #expect(try verdict(["strict"]) { $0.chosen = ["wise", "near/swift"] } == .holds)
        #expect(try verdict(["strict"]) { ($0.down, $0.chosen) = (["swift"], ["wise"]) } == .holds)
        #expect(
            try verdict(["bounded"]) { ($0.down, $0.chosen) = (["near"], ["vast"]) } != .holds, "max_attempts is 2, and both are near's")
        let failed = try mismatch(verdict(["strict"]) { ($0.down, $0.chosen) = (["swift"], ["swift", "vast"]) })
        #expect(failed == .init(expected: "swift or vast to be chosen", got: "wise, after swift failed"))
    }

    @Test("a name matches the models of all providers, and provider/name matches one")
    func names() throws {
        #expect(try verdict(["far/twin"]) { $0.chosen = ["twin"] } == .holds)
        #expect(try verdict(["far/twin"]) { $0.chosen = ["near/twin"] } != .holds)
    }

    @Test("'order' is compared with the first attempts, including those that fail")
    func order() throws {
        #expect(try verdict(["cheap"]) { $0.order = ["swift", "wise"] } == .holds)
        #expect(try verdict(["cheap"]) { ($0.down, $0.order) = (["swift"], ["swift", "wise", "vast"]) } == .holds)
        let failed = try mismatch(verdict(["cheap"]) { $0.order = ["wise", "swift"] })
        #expect(failed == .init(expected: "the order [wise, swift]", got: "[swift, wise, vast]"))
        #expect(try verdict(["bounded"]) { $0.order = ["swift", "wise", "vast"] } != .holds, "max_models is 2")
    }

    @Test("retries do not count in an order")
    func retries() throws {
        #expect(try verdict(["swift"]) { $0.order = ["swift"] } == .holds)
        #expect(try verdict(["swift"]) { $0.order = ["swift", "swift"] } != .holds)
    }

    @Test("'never' covers every possible attempt, including fallbacks and fallback_on chains")
    func never() throws {
        #expect(try verdict { $0.never = ["gone", "twin"] } == .holds)
        #expect(try verdict(["strict"]) { $0.never = ["wise"] } == .holds, "the failover stops before this model")
        #expect(try mismatch(verdict { $0.never = ["gone", "vast"] })?.expected == "no call to vast")
        #expect(try verdict(["best"]) { $0.never = ["tiny"] } == .holds)
        #expect(
            try mismatch(verdict(["chained"]) { $0.never = ["vast"] })
                == .init(expected: "no call to vast", got: "[swift]; fallback_on: [vast]"))
    }

    @Test("an expectation about a random order must hold for every seed, and a failure names the seed")
    func draws() throws {
        #expect(try verdict { $0.chosen = ["swift", "wise"] } == .holds)
        let failed = try #require(try mismatch(verdict { $0.chosen = ["swift"] }))
        #expect(failed.got.hasPrefix("wise (with seed "))
        #expect(try verdict(["turns"]) { $0.chosen = ["tiny", "twin"] } == .holds)
        #expect(try verdict(["turns"]) { $0.chosen = ["tiny"] } != .holds)
        #expect(try verdict(needs: RequestNeeds(supports: [.image])) { $0.chosen = ["wise"] } == .holds, "only one candidate remains")
    }

    @Test(
        "'refused' is compared with the status of the refusal",
        arguments: [("nobody", nil, 404), ("vast", "one", 403), ("gone", nil, 503)] as [(String, String?, Int)])
    func refused(model: String, key: String?, status: Int) throws {
        #expect(try verdict([model], key: key) { $0.refused = status } == .holds)
        #expect(try verdict([model], key: key) { $0.refused = 418 } != .holds)
    }

    @Test("'refused' is compared with the status of the final failure if every candidate is down")
    func allDown() throws {
        #expect(try verdict(["strict"]) { ($0.down, $0.refused) = (["near"], 502) } == .holds)
        let failed = try mismatch(verdict(["strict"]) { $0.refused = 502 })
        #expect(failed == .init(expected: "the refusal 502", got: "swift"))
    }

    @Test("an expected model that is not chosen because of a refusal reports the refusal")
    func refusal() throws {
        let failed = try mismatch(verdict(needs: RequestNeeds(supports: [.audio])) { $0.chosen = ["swift"] })
        #expect(failed == .init(expected: "swift to be chosen", got: "400 auto: 4"))
        let down = try mismatch(verdict(["strict"]) { ($0.down, $0.chosen) = (["near"], ["swift"]) })
        #expect(down == .init(expected: "swift to be chosen", got: "502 every attempt failed: swift, wise"))
    }

    @Test("for an observed call, an order is compared only with the attempts that were made")
    func observed() throws {
        let snapshot = try snapshot(ExplanationPolicy.yaml)
        var definition = RoutingExpectation(name: "x", position: SourcePosition(file: "f", line: 1, column: 1), body: [])
        definition.order = ["swift", "wise"]
        let trial = ExpectationTrial(definition, in: snapshot)
        #expect(trial.verdict(of: .init(attempts: [0], chosen: 0, isComplete: false)) == .holds)
        #expect(trial.verdict(of: .init(attempts: [1], chosen: 1, isComplete: false)) != .holds)
        #expect(trial.verdict(of: .init(attempts: [0], refusal: .init(status: 502, code: nil, message: ""), isComplete: false)) != .holds)
    }
}
