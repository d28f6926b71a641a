import TestSupport
import Testing

/// Ten times more than there is room for: what is admitted is served whole, what isn't is told at once when to come back.
@Suite struct OverloadTests {
    private static let slots = 8
    /// Of a response at the upstream. Eighty answers a second leave a small machine enough to offer ten times as many.
    private static let service: Duration = .milliseconds(scaled(20, soak: 100))

    private struct Outcome {
        var served: [Duration] = []
        var refused: [Duration] = []
        /// Answers that are cut, somebody else's, or a refusal that doesn't say when to come back.
        var wrong: [String] = []
        var time: Duration = .zero

        /// Answers a second.
        var goodput: Double { Double(served.count) / (time / .seconds(1)) }

        static func p99(_ durations: [Duration]) -> Duration {
            durations.isEmpty ? .zero : durations.sorted()[(durations.count * 99 - 1) / 100]
        }

        mutating func add(_ response: StreamedResponse, to nonce: String, after time: Duration) {
            let content = response.isStream ? response.content : response.json?["choices"]?[0]?["message"]?["content"]?.string
            switch response.status {
            case 200 where content == nonce && response.isStream == response.isDone: served.append(time)
            case 503
            where (Int(response.head["retry-after"] ?? "") ?? 0) >= 1 && response.json?["error"]?["code"]?.string == "no_model_available":
                refused.append(time)
            default: wrong.append("\(nonce): \(response.head.raw)\(String(decoding: response.body, as: UTF8.self))\(response.data)")
            }
        }
    }

    /// Parallel clients, each with a connection that it keeps, whose every second request is streamed.
    /// - Parameters:
    ///   - rate: requests a second over all clients; nil: as fast as they are answered.
    ///   - isRefused: opened at the first refusal.
    private static func offer(
        _ router: RouterProcess, clients: Int, each: Int, rate: Double? = nil, isRefused: Gate = Gate()
    ) throws -> Outcome {
        let start = ContinuousClock.now
        let parts = try concurrently(clients, within: .seconds(240)) { index in
            let client = try router.client()
            var outcome = Outcome()
            for round in 0..<each {
                if let rate { start.advanced(by: .seconds(Double(round * clients + index) / rate)).await() }
                let nonce = "\(index)-\(round)"
                let sent = ContinuousClock.now
                client.send(
                    RouterProcess.request("POST", "/v1/chat/completions", body: RouterProcess.chatBody("a", nonce, stream: round % 2 == 1)))
                outcome.add(try client.readStream(within: .seconds(60)), to: nonce, after: .now - sent)
                if !outcome.refused.isEmpty { isRefused.open() }
            }
            return outcome
        }
        return parts.reduce(into: Outcome(time: .now - start)) { sum, part in
            sum.served += part.served
            sum.refused += part.refused
            sum.wrong += part.wrong
        }
    }

    @Test func `the served go on at full speed beside ten times as many that are refused`() throws {
        let underWay = Watched((now: 0, most: 0))
        let rounds = scaled(20, soak: 200)
        let isRefused = Gate()
        let upstream = try ScriptedUpstream { exchange in
            underWay.update { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            // The overload's first requests keep their slots until another is refused.
            if exchange.number >= Self.slots * rounds { try isRefused.wait() }
            try exchange.pause(Self.service)
            underWay.update { $0.now -= 1 }
            try ScriptedUpstream.echoing(exchange)
        }
        var policy = PolicyText(defaults: "timeouts: { queue: 60s }")
        policy.moreProviders = ["  p: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(upstream.port)/v1\" }"]
        policy.moreModels = ["  a: { provider: p, limits: { concurrent: \(Self.slots) } }"]
        let router = try RouterProcess(policy)
        let normal = try Self.offer(router, clients: Self.slots, each: rounds)
        #expect(normal.wrong == [] && normal.refused.isEmpty)

        let rate = 10 * normal.goodput
        // At a rate, a client who is served has time to wait in the queue without being late for its next request.
        let clients = scaled(10, soak: 20) * Self.slots
        let overload = try Self.offer(
            router, clients: clients, each: isSoak ? Int(rate * 60) / clients : rounds, rate: isSoak ? rate : nil, isRefused: isRefused)
        #expect(overload.wrong == [])
        #expect(!overload.refused.isEmpty && overload.served.count >= Self.slots)
        #expect(underWay.read { $0.most } <= Self.slots)

        let afterwards = try Self.offer(router, clients: Self.slots, each: rounds)
        #expect(afterwards.wrong == [] && afterwards.refused.isEmpty)
        if isSoak {
            print(
                "overload: capacity \(normal.goodput)/s, offered \(Double(overload.served.count + overload.refused.count) / (overload.time / .seconds(1)))/s,"
                    + " served \(overload.goodput)/s, p99 of a refusal \(Outcome.p99(overload.refused)), of a response \(Outcome.p99(normal.served)) before and"
                    + " \(Outcome.p99(afterwards.served)) afterwards")
            #expect(overload.time <= .seconds(63), "not ten times the capacity was offered")
            #expect(overload.goodput >= 0.9 * normal.goodput)
            #expect(Outcome.p99(overload.refused) <= .milliseconds(20))
            #expect(Outcome.p99(afterwards.served) <= Outcome.p99(normal.served) * 1.5)
        }
    }
}

extension ContinuousClock.Instant {
    /// For what is offered at a rate.
    fileprivate func await() {
        _ = Watched(()).wait(until: Deadline(self - .now)) { _ in Bool?.none }
    }
}
