import TestSupport
import Testing

/// The cost of a response in `_router` and in the access log.
@Suite struct CostTests {
    /// 600 prompt tokens at the usual price and 400 from a cache; 400 completion tokens at the usual price and 100 for
    /// reasoning.
    private static let usage =
        #"{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500,"#
        + #""prompt_tokens_details":{"cached_tokens":400},"completion_tokens_details":{"reasoning_tokens":100}}"#

    private static func router(_ upstream: ScriptedUpstream) throws -> RouterProcess {
        var policy = PolicyText(["a": upstream])
        policy.moreModels = [
            "  fine: { provider: p-a, price: { input: 1, cached_input: 0.1, output: 2, reasoning: 4 } }",
            "  plain: { provider: p-a, price: { input: 1, output: 2 } }",
        ]
        return try RouterProcess(policy)
    }

    @Test(arguments: [false, true])
    func `the cost of the reported tokens is in _router and in the access log`(stream: Bool) throws {
        let upstream = try ScriptedUpstream { exchange in
            if exchange.wantsStream { return try exchange.stream(["x"], usage: Self.usage) }
            try exchange.respond(200, OpenAIReplies.buffered("x", usage: Self.usage))
        }
        let router = try Self.router(upstream)
        let metadata = stream ? try router.stream("fine").metadata : try router.chat("fine").json?["_router"]
        #expect(metadata?["usage_source"]?.string == "reported")
        #expect(metadata?["cost_usd"]?.double == 0.00184)
        #expect(try router.waitForRecords(1)[0]["cost_usd"]?.double == 0.00184)
        #expect(try router.chat("a").json?["_router"]?["cost_usd"] == nil)
    }

    @Test(arguments: [1, 3])
    func `the cheapest model is that for as many images or responses as the request asks for, and explain says so`(count: Int) throws {
        let upstream = try ScriptedUpstream { exchange in
            if exchange.head.target.hasSuffix("/images/generations") {
                return try exchange.respond(200, #"{"created":1,"data":[{"b64_json":"AA=="}]}"#)
            }
            try exchange.respond(200, OpenAIReplies.buffered("x"))
        }
        var policy = PolicyText(["a": upstream])
        policy.moreModels = [
            "  each: { provider: p-a, serves: images, price: { per_image: 0.04 } }",
            "  all: { provider: p-a, serves: images, price: { per_request: 0.05 } }",
            "  tokens: { provider: p-a, price: { input: 3, output: 15 } }",
            "  flat: { provider: p-a, price: { input: 0.1, output: 0.1, per_request: 0.01 } }",
        ]
        policy.routes = [
            "  pictures: { try: { select: { models: [each, all] }, order: cheapest } }",
            "  words: { try: { select: { models: [tokens, flat] }, order: cheapest } }",
        ]
        let router = try RouterProcess(policy)
        for (path, operation, body, expected) in [
            ("/v1/images/generations", "images", #"{"model":"pictures","prompt":"x","n":\#(count)}"#, count == 1 ? "each" : "all"),
            (
                "/v1/chat/completions", "chat", #"{"model":"words","messages":[{"role":"user","content":"Hi"}],"n":\#(count)}"#,
                count == 1 ? "tokens" : "flat"
            ),
        ] {
            #expect(try router.call("POST", path, body: body).head["x-router-model"] == expected)
            let plan = try router.call("POST", "/admin/explain?operation=\(operation)", body: body)
            #expect(plan.json?["chosen"]?["model_name"]?.string == expected, "\(plan.text)")
        }
    }

    @Test func `a cost that the provider reports takes precedence over the price`() throws {
        let usage = Self.usage.dropLast() + #","cost":0.0042}"#
        let upstream = try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("x", usage: String(usage))) }
        let router = try Self.router(upstream)
        for model in ["plain", "a"] { #expect(try router.chat(model).json?["_router"]?["cost_usd"]?.double == 0.0042) }
    }

    @Test func `a client that leaves is charged for what it got, and the record says so`() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("four words of text"))
            exchange.hold()
        }
        let router = try Self.router(upstream)
        let client = try router.openStream("plain")
        _ = try client.readHead()
        _ = try client.nextContent()
        client.reset()
        let record = try router.waitForRecords(1)[0]
        #expect(record["status"]?.int == 499 && record["usage_source"]?.string == "delivered")
        let tokens = try #require(record["completion_tokens"]?.int), prompt = try #require(record["prompt_tokens"]?.int)
        #expect((1...18).contains(tokens) && prompt > 0)
        #expect(record["cost_usd"]?.double == Double(prompt + 2 * tokens) / 1e6)
    }

    @Test(
        "each part of a resumed stream costs its own model's price, and a model that refuses to continue costs nothing",
        arguments: [true, false])
    func resumed(isContinued: Bool) throws {
        let a = try ScriptedUpstream { exchange in
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("four words of text"))
            try exchange.event(#"{"error":{"message":"broken"}}"#)
            exchange.hold()
        }
        let b = try ScriptedUpstream { exchange in
            if isContinued {
                try exchange.stream([" and four words more"], usage: nil)
            } else {
                try ScriptedUpstream.failing(400, "no such thing")(exchange)
            }
        }
        var policy = PolicyText(["a": a, "b": b], routes: ["  r: { try: [cheap, expensive], resume: true }"])
        policy.provider = "continues: prefix"
        policy.moreModels = [
            "  cheap: { provider: p-a, price: { input: 0, output: 1 } }",
            "  expensive: { provider: p-b, price: { input: 0, output: 1000 } }",
        ]
        let router = try RouterProcess(policy)
        let response = try router.stream("r")
        let cost = try #require(response.metadata?["cost_usd"]?.double)
        let expected = isContinued ? 0.001..<0.02 : 1e-6..<2e-5
        #expect(expected.contains(cost), "\(cost)")
        if !isContinued {
            #expect(
                response.errors.last?["message"]?.string?.contains("broken") == true && response.metadata?["model_name"]?.string == "cheap")
        }
    }
}
