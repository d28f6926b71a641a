import Testing
import TestSupport

/// Ten times more than there is room for: what is admitted is served whole, what isn't is told at once when to come back.
@Suite struct OverloadTests {
    private typealias Outcome = (answered: Int, refused: [Response], wrong: [String], time: Duration)

    private static let slots = 8

    /// - Parameters:
    ///   - isRefused: opened at the first 503.
    ///   - rate: requests a second over all callers; nil: as fast as they are answered.
    /// - Returns: how many of so many parallel callers' requests were answered, and how long all took.
    private static func offer(_ router: RouterProcess, callers: Int, each: Int, isRefused: Gate, rate: Double? = nil) throws -> Outcome {
        let start = ContinuousClock.now
        let answers = try concurrently(callers, within: .seconds(240)) { caller in
            try (0..<each).map { round in
                if let rate { start.advanced(by: .seconds(Double(round * callers + caller) / rate)).await() }
                let answer = try router.chat("a", "\(caller)-\(round)", within: .seconds(60))
                if answer.status == 503 { isRefused.open() }
                return (nonce: "\(caller)-\(round)", answer)
            }
        }.flatMap { $0 }
        let wrong = answers.filter { $0.1.status == 200 && $0.1.content != $0.nonce || ![200, 503].contains($0.1.status) }.map { "\($0.nonce): \($0.1.text)" }
        return (answers.count { $0.1.status == 200 }, answers.filter { $0.1.status == 503 }.map(\.1), wrong, .now - start)
    }

    @Test func `the served go on at full speed beside ten times as many that are refused`() throws {
        let underWay = Watched((now: 0, most: 0))
        let rounds = scaled(20, soak: 400)
        let isRefused = Gate()
        let upstream = try ScriptedUpstream { exchange in
            underWay.update { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            // The overload's first requests keep their slots until another is refused.
            if exchange.number >= Self.slots * rounds { try isRefused.wait() }
            try exchange.pause(.milliseconds(20))
            underWay.update { $0.now -= 1 }
            try ScriptedUpstream.echoing(exchange)
        }
        var policy = PolicyText(defaults: "timeouts: { queue: 60s }")
        policy.moreProviders = ["  p: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(upstream.port)/v1\" }"]
        policy.moreModels = ["  a: { provider: p, limits: { concurrent: \(Self.slots) } }"]
        let router = try RouterProcess(policy)
        let capacity = try Self.offer(router, callers: Self.slots, each: rounds, isRefused: isRefused)
        #expect(capacity.answered == Self.slots * rounds && capacity.refused.isEmpty && capacity.wrong.isEmpty)

        func rate(_ result: Outcome) -> Double { Double(result.answered) / (result.time / .seconds(1)) }
        let overload = try Self.offer(router, callers: 10 * Self.slots, each: rounds, isRefused: isRefused, rate: isSoak ? 10 * rate(capacity) : nil)
        #expect(overload.wrong == [])
        #expect(!overload.refused.isEmpty)
        #expect(overload.refused.allSatisfy { Int($0.head["retry-after"] ?? "").map { $0 >= 1 } == true && $0.errorCode == "no_model_available" })
        #expect(underWay.read { $0.most } <= Self.slots)
        #expect(overload.answered >= Self.slots)
        if isSoak { #expect(rate(overload) >= 0.9 * rate(capacity)) }
        #expect(try router.chat("a", "afterwards").content == "afterwards")
    }
}

extension ContinuousClock.Instant {
    /// For what is offered at a rate.
    fileprivate func await() {
        _ = Watched(()).wait(until: Deadline(self - .now)) { _ in Bool?.none }
    }
}
