import TestSupport
import Testing

/// Ten times more requests than the capacity: admitted requests are served completely, the others are refused at once
/// with a `retry-after`.
@Suite struct OverloadTests {
    private static let slots = 8
    /// The upstream's time for a response. At eighty responses a second, even a small machine can offer ten times as
    /// many requests.
    private static let service: Duration = .milliseconds(scaled(20, soak: 100))

    private struct Outcome {
        var served: [Duration] = []
        var refused: [Duration] = []
        /// Responses that are cut off or belong to another request, and refusals without `retry-after`.
        var wrong: [String] = []
        var time: Duration = .zero

        /// Served requests per second.
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

    /// Runs concurrent clients, each with a keep-alive connection. Every second request is streamed.
    /// - Parameters:
    ///   - rate: requests per second of all clients together; nil sends each request after the previous response.
    ///   - isRefused: is opened at the first refusal.
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

    @Test func `admitted requests keep full speed while ten times as many are refused`() throws {
        let running = Watched((now: 0, most: 0))
        let rounds = scaled(20, soak: 200)
        let isRefused = Gate()
        let upstream = try ScriptedUpstream { exchange in
            running.update { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            // The first requests of the overload keep their slots until another request is refused.
            if exchange.number >= Self.slots * rounds { try isRefused.wait() }
            try exchange.pause(Self.service)
            running.update { $0.now -= 1 }
            try ScriptedUpstream.echoing(exchange)
        }
        var policy = PolicyText(defaults: "timeouts: { queue: 60s }")
        policy.moreProviders = ["  p: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(upstream.port)/v1\" }"]
        policy.moreModels = ["  a: { provider: p, limits: { concurrent: \(Self.slots) } }"]
        let router = try RouterProcess(policy)
        let normal = try Self.offer(router, clients: Self.slots, each: rounds)
        #expect(normal.wrong == [] && normal.refused.isEmpty)

        let rate = 10 * normal.goodput
        // With a rate there are enough clients that one can wait in the queue without being late for its next request.
        let clients = scaled(10, soak: 20) * Self.slots
        let overload = try Self.offer(
            router, clients: clients, each: isSoak ? Int(rate * 60) / clients : rounds, rate: isSoak ? rate : nil, isRefused: isRefused)
        #expect(overload.wrong == [])
        #expect(!overload.refused.isEmpty && overload.served.count >= Self.slots)
        #expect(running.read { $0.most } <= Self.slots)

        let afterwards = try Self.offer(router, clients: Self.slots, each: rounds)
        #expect(afterwards.wrong == [] && afterwards.refused.isEmpty)
        if isSoak {
            let offered = Double(overload.served.count + overload.refused.count) / (overload.time / .seconds(1))
            print(
                "overload: capacity \(normal.goodput)/s, offered \(offered)/s, served \(overload.goodput)/s;"
                    + " p99 of a refusal \(Outcome.p99(overload.refused)), of a response"
                    + " \(Outcome.p99(normal.served)) before and \(Outcome.p99(afterwards.served)) afterwards")
            #expect(overload.time <= .seconds(63), "less than ten times the capacity was offered")
            #expect(overload.goodput >= 0.9 * normal.goodput)
            #expect(Outcome.p99(overload.refused) <= .milliseconds(20))
            #expect(Outcome.p99(afterwards.served) <= Outcome.p99(normal.served) * 1.5)
        }
    }
}

extension ContinuousClock.Instant {
    /// Blocks until this instant.
    fileprivate func await() {
        _ = Watched(()).wait(until: Deadline(self - .now)) { _ in Bool?.none }
    }
}
