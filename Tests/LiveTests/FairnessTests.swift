import TestSupport
import Testing

/// The fair queue for the slots of a model.
@Suite struct FairnessTests {
    @Test func `a key with one request doesn't wait for all requests of another key`() throws {
        let gates = (0..<3).map { _ in Gate() }
        let upstream = try ScriptedUpstream { exchange in
            try gates[min(exchange.number, 2)].wait()
            try ScriptedUpstream.responding("done")(exchange)
        }
        var policy = PolicyText(server: "keepalive: 50ms", keys: ["  many: { secret: \"key-many\" }", "  one: { secret: \"key-one\" }"])
        policy.moreProviders = ["  p: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(upstream.port)/v1\" }"]
        policy.moreModels = ["  a: { provider: p, limits: { concurrent: 4 } }"]
        policy.defaults = "timeouts: { queue: 30s }"
        let router = try RouterProcess(policy)
        let running = try (0..<4).map { number in
            let client = try router.openStream("a", "running", key: "key-many")
            try upstream.waitForRequest(number)
            return client
        }
        let waiting =
            try (0..<3).map { _ in try router.openStream("a", "many", key: "key-many") } + [router.openStream("a", "one", key: "key-one")]
        // A comment before any content shows that the request is queued.
        let heads = try waiting.map { client in
            let head = try client.readHead()
            guard case .comment = try client.nextItem() else {
                throw TestFailure("the first item is not a comment", CallSite(#fileID, #line))
            }
            return head
        }
        // Two slots become free, one after the other.
        for number in 0..<2 {
            gates[number].open()
            try upstream.waitForRequest(4 + number)
        }
        let served = upstream.requests[4...5].map { $0.json?["messages"]?[0]?["content"]?.string }
        #expect(served.contains("one"))
        gates[2].open()
        for client in running { #expect(try client.readStream().isDone) }
        for (client, head) in zip(waiting, heads) { #expect(try client.readRest(of: head).isDone) }
    }
}
