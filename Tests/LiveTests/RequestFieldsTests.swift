import TestSupport
import Testing

/// Request fields and options that choose what serves a request, through the real process.
struct RequestFieldsTests {
    @Test func `a fallback_model that the policy does not list is called by its own name, and is 'other' in metrics`() throws {
        let (a, b) = (try ScriptedUpstream(ScriptedUpstream.failing(500)), try ScriptedUpstream(ScriptedUpstream.responding("b")))
        let router = try RouterProcess(PolicyText(["a": a, "b": b]))
        for stream in [false, true] {
            let body = RouterProcess.chatBody("a", stream: stream, extra: #""fallback_provider":"p-b","fallback_model":"vendor/New:free""#)
            let response = try router.call("POST", "/v1/chat/completions", body: body)
            #expect(response.status == 200 && response.head["x-router-model"] == "vendor/New:free")
            #expect(response.head["x-router-fallback"] == "true")
        }
        #expect(b.requests.map { $0.json?["model"]?.string } == ["vendor/New:free", "vendor/New:free"])
        #expect(try router.metric("llm_router_attempts_total", #"model="other""#, #"outcome="ok""#) == 2)
        #expect(try !router.get("/metrics").text.contains("vendor"))
        #expect(try !router.get("/v1/models").text.contains("vendor"))
        for name in ["a b", "é", String(repeating: "m", count: 257)] {
            let refused = try router.chat("a", extra: #""fallback_provider":"p-b","fallback_model":"\#(name)""#)
            #expect(refused.status == 400 && refused.json?["error"]?["param"]?.string == "fallback_model")
        }
    }

    @Test func `the breaker of an unlisted fallback_model opens, and other models of its provider are not affected`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.failing(500))
        let b = try ScriptedUpstream { exchange in
            if exchange.json?["model"]?.string == "bad" { return try ScriptedUpstream.failing(500)(exchange) }
            try ScriptedUpstream.responding("b")(exchange)
        }
        let router = try RouterProcess(PolicyText(["a": a, "b": b], defaults: "breaker: { failures: 2 }"))
        for _ in 0..<4 { _ = try router.chat("a", extra: #""fallback_provider":"p-b","fallback_model":"bad""#) }
        // Two failures open it; each later call probes it once early, because no other candidate is left.
        let status = try router.chat("a", extra: #""fallback_provider":"p-b","fallback_model":"good""#)
        #expect(status.content == "b")
        #expect(try router.chat("b").content == "b")
    }

    @Test func `names in a list that do not exist are skipped and reported, with commas as in a list`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.responding("a"))
        let router = try RouterProcess(PolicyText(["a": a], routes: ["  auto: { try: [a] }", "  team/fast: { try: [a] }"]))
        for model in ["p-a/nope, a", "nope,auto", "nope , team/fast"] {
            let response = try router.chat(model)
            #expect(response.content == "a")
            #expect(response.json?["_router"]?["skipped"]?[0]?["model"]?.string?.hasSuffix("nope") == true)
        }
        #expect(try router.chat("nope, no").status == 404)
        #expect(try router.get("/v1/models/team/fast").json?["id"]?.string == "team/fast")
    }

    @Test func `defaults.fallback serves a named model that fails, and without it the model's own response stands`() throws {
        let (a, b) = (try ScriptedUpstream(ScriptedUpstream.failing(503)), try ScriptedUpstream(ScriptedUpstream.responding("b")))
        let router = try RouterProcess(PolicyText(["a": a, "b": b]))
        #expect(try router.chat("a").status == 503)
        let served = try RouterProcess(PolicyText(["a": a, "b": b], defaults: "fallback: [b]"))
        for stream in [false, true] {
            let body = RouterProcess.chatBody("a", stream: stream, extra: #""tags":["none"],"prefer_fast":true"#)
            #expect(try served.call("POST", "/v1/chat/completions", body: body).head["x-router-fallback"] == "true")
        }
    }

    @Test func `valid_json asks the next model after a response that is not JSON, and removes a fence`() throws {
        let prose = try ScriptedUpstream(ScriptedUpstream.responding("Sure, here it is: {}"))
        let fenced = try ScriptedUpstream(ScriptedUpstream.responding("```json\n{\"a\": 1}\n```"))
        var policy = PolicyText(["p": prose, "f": fenced], routes: ["  r: { try: [p, f], valid_json: true }", "  plain: { try: [f] }"])
        policy.moreModels = ["  strict: { provider: p-p, upstream: up-p, valid_json: true }"]
        // Only models that support JSON are candidates of a route.
        let router = try RouterProcess(policy.text.replacing("upstream:", with: "supports: [json], upstream:"))
        let wanted = #""response_format":{"type":"json_object"}"#
        let response = try router.chat("r", extra: wanted)
        #expect(response.content == #"{"a": 1}"#)
        #expect(response.json?["_router"]?["errors"]?[0]?["class"]?.string == "invalid_json")
        #expect(response.json?["_router"]?["data"]?["a"]?.int == 1)
        #expect(try router.metric("llm_router_attempt_failures_total", #"reason="invalid_json""#) == 1)
        #expect(try router.chat("r").content == "Sure, here it is: {}")
        #expect(try router.stream("r", extra: wanted).content == "Sure, here it is: {}")
        let unchecked = try router.chat("plain", extra: wanted)
        #expect(unchecked.content == "```json\n{\"a\": 1}\n```" && unchecked.json?["_router"]?["data"]?["a"]?.int == 1)
        let alone = try router.chat("strict", extra: wanted)
        #expect(alone.status == 502 && alone.json?["_router"]?["errors"]?[0]?["class"]?.string == "invalid_json")
    }

    @Test func `with 'breaker off' a model that fails is called by every request`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.failing(500)), b = try ScriptedUpstream(ScriptedUpstream.failing(401))
        let router = try RouterProcess(PolicyText(["a": a, "b": b], defaults: "breaker: off"))
        for _ in 0..<8 {
            _ = try router.chat("a")
            _ = try router.chat("b")
        }
        #expect(a.requests.count == 8 && b.requests.count == 8)
    }
}
