import TestSupport
import Testing

/// A client can't choose where a provider's key is sent, and the router never outputs a secret.
@Suite struct SecretsTests {
    @Test func `fields and headers of a client never decide where a request is sent`() throws {
        let (upstream, attacker) = (try ScriptedUpstream(ScriptedUpstream.echoing), try ScriptedUpstream(ScriptedUpstream.echoing))
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let address = "http://127.0.0.1:\(attacker.port)/v1"
        let names = [
            "api_base", "base_url", "baseURL", "api_key", "custom_host", "host", "endpoint", "url", "proxy", "extra_headers", "extra_body",
            "headers", "provider", "custom_llm_provider",
            "litellm_params", "model_list", "router",
        ]
        for name in names {
            let quoted = JSON.quote(address)
            for extra in [
                "\"\(name)\":\(quoted)", "\"metadata\":{\"\(name)\":\(quoted)}", "\"a\":{\"b\":{\"c\":{\"\(name)\":\(quoted)}}}",
                "\"\(name)\":{\"base_url\":\(quoted),\"Host\":\"127.0.0.1:\(attacker.port)\"}",
            ] {
                #expect([200, 400].contains(try router.chat("a", extra: extra).status), "\(extra)")
            }
            let query = try router.call("POST", "/v1/chat/completions?\(name)=\(address)", body: RouterProcess.chatBody("a"))
            #expect([200, 400].contains(query.status))
            #expect([200, 400].contains(try router.chat("a", fields: ["x-router-\(name): \(address)", "x-\(name): \(address)"]).status))
        }
        for host in ["127.0.0.1:\(attacker.port)", "attacker"] {
            let client = try router.client()
            client.send("POST http://\(host)/v1/chat/completions HTTP/1.1\r\nHost: \(host)\r\nContent-Length: 0\r\n\r\n")
            _ = try client.readResponse()
        }
        for model in ["..%2F..%2F", "../../x", "a?x=http://127.0.0.1:\(attacker.port)", "@127.0.0.1:\(attacker.port)/"] {
            _ = try router.chat(model)
        }
        #expect(attacker.connections == 0)
        #expect(
            upstream.requests.allSatisfy {
                $0.head.target == "/v1/chat/completions" && $0.head.all("host") == ["127.0.0.1:\(upstream.port)"]
            })
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `a redirect is not followed`(status: Int) throws {
        let attacker = try ScriptedUpstream(ScriptedUpstream.echoing)
        let upstream = try ScriptedUpstream {
            try $0.respond(status, "", fields: ["Location: http://127.0.0.1:\(attacker.port)/v1/chat/completions"])
        }
        let router = try RouterProcess(PolicyText(["a": upstream], routes: ["  r: { try: a }"]))
        let response = try router.chat("r")
        #expect(response.status == 502)
        #expect(response.head["location"] == nil)
        #expect(attacker.connections == 0)
        #expect(upstream.requests.count == 1)
    }

    @Test func `an upstream gets the router's headers and none of the client's`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": upstream], keys: ["  k: { secret: \"client-key\" }"]))
        let fields = [
            "Cookie: evil", "X-Goog-Api-Key: evil", "Proxy-Authorization: Basic evil", "Connection: x-secret, keep-alive", "X-Secret: evil",
            "Keep-Alive: evil", "TE: trailers",
            "X-Forwarded-For: evil", "Forwarded: for=evil", "OpenAI-Organization: evil", "X-Anything: evil", "User-Agent: evil",
            "Referer: http://evil", "Accept-Encoding: gzip",
        ]
        #expect(try router.chat("a", key: "client-key", fields: fields).status == 200)
        let head = try upstream.waitForRequest().head
        #expect(!head.raw.contains("evil") && !head.raw.contains("client-key") && !head.raw.lowercased().contains("x-secret"))
        #expect(head.all("authorization") == ["Bearer sk-provider"])
        #expect(head["accept-encoding"] == "identity")
        #expect(head.all("transfer-encoding").count + head.all("content-length").count == 1)
    }

    @Test func `cookies and connection headers of an upstream are not passed on`() throws {
        let upstream = try ScriptedUpstream {
            try $0.respond(
                200, OpenAIReplies.buffered("x"),
                fields: [
                    "Set-Cookie: evil=1", "Connection: x-hop", "X-Hop: evil", "Keep-Alive: timeout=5", "Server: evil",
                    "X-RateLimit-Remaining-Requests: 7",
                ])
        }
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let response = try router.chat("a")
        #expect(response.status == 200)
        for name in ["set-cookie", "x-hop", "keep-alive"] { #expect(response.head[name] == nil, "\(name)") }
    }

    /// The echo of a key in every place of a failure: across the length at which messages are cut, encoded, in a code,
    /// in an error event, and in a header.
    @Test func `an upstream that echoes the key shows no eight characters of it to anyone`() throws {
        let key = "sk-live-9ZqX7Lm2Tf5Rb8Wc1Yd4Ke6Nh"
        let forms = [
            key, "c2stbGl2ZS05WnFYN0xtMlRmNVJiOFdjMVlkNEtlNk5o", "736b2d6c6976652d395a7158374c6d325466355262385763315964344b65364e68",
            key.utf8.map { "%\(String($0, radix: 16))" }.joined(), key.utf8.map { "&#\($0);" }.joined(),
        ]
        let texts = forms + [1000, 4080].map { String(repeating: "x", count: $0) + " " + key }
        let errors = texts.flatMap { [$0, OpenAIReplies.error($0), "{\"error\":{\"message\":\"no\",\"code\":\(JSON.quote($0))}}"] }
        let upstream = try ScriptedUpstream { exchange in
            let error = errors[exchange.number / 3 % errors.count]
            switch exchange.number % 3 {
            case 0: try exchange.respond(400, error, fields: ["X-Request-Id: \(key)"])
            case 1: try exchange.respond(200, error)
            default:
                try exchange.respond(
                    200, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: \(error)\n\n", type: "text/event-stream")
            }
        }
        var policy = PolicyText(["a": upstream])
        policy.provider = "api_key: \(key)"
        let router = try RouterProcess(policy)
        var output = ""
        for number in 0..<(3 * errors.count) {
            let response = try router.call("POST", "/v1/chat/completions", body: RouterProcess.chatBody("a", stream: number % 3 == 2))
            output += response.head.raw + response.text
        }
        _ = try router.waitForRecords(3 * errors.count)
        output += router.standardOutput + router.standardError
        for form in forms {
            let bytes = Array(form.utf8), width = form == forms[3] || form == forms[4] ? 40 : 8
            for start in 0...(bytes.count - width) {
                let part = String(decoding: bytes[start..<(start + width)], as: UTF8.self)
                #expect(!output.contains(part), "\(part)")
            }
        }
    }

    /// Produces every failure whose message quotes something, with a planted secret in each quoted part.
    @Test func `no planted secret appears in logs, metrics or bodies`() throws {
        let canaries = Canaries([
            "provider key": "sk-canary-Zq81provider", "header value": "canary-Hx52header-value", "client's key": "sk-canary-Kc93client",
            "wrong key": "sk-canary-Wr47wrong",
            "environment": "canary-Ev66environment",
        ])
        let logCanaries = Canaries(["prompt": "canary-Pr19prompt-text", "completion": "canary-Co28completion"])
        let echoed = "Incorrect API key provided: sk-canary-Zq81provider (canary-Hx52header-value)"
        let buffered = OpenAIReplies.buffered("canary-Co28completion")
        let scripts: [ScriptedUpstream.Script] = [
            ScriptedUpstream.failing(401, echoed), ScriptedUpstream.failing(400, echoed), ScriptedUpstream.failing(500, echoed),
            ScriptedUpstream.failing(429, echoed),
            { try $0.respond(404, echoed, type: "text/html") }, { try $0.respond(200, echoed, type: "text/html") },
            { try $0.respond(302, "", fields: ["Location: http://sk-canary-Zq81provider@127.0.0.1/?key=sk-canary-Zq81provider"]) },
            { try $0.respond(200, OpenAIReplies.error(echoed)) }, { try $0.send("HTTP/1.1 200 OK\r\nBad sk-canary-Zq81provider\r\n\r\n") },
            { $0.reset() },
            {
                try $0.send(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(buffered.utf8.count)\r\n\r\n"
                        + buffered.dropLast(9));
                $0.close()
            },
            { try $0.respond(200, buffered) },
        ]
        // A refused account would not be asked again.
        var policy = PolicyText(
            defaults: "breaker: { opens_at_once: [not_found] }", routes: ["  r: { try: a }"],
            keys: ["  root: { secret: \"${CLIENT_KEY}\", admin: true }"])
        let upstream = try ScriptedUpstream { try scripts[$0.number % scripts.count]($0) }
        policy.upstreams = [("a", upstream.port)]
        policy.provider = "api_key: \"${PROVIDER_KEY}\", headers: { X-Team: \"${HEADER}\" }"
        let environment = [
            "PROVIDER_KEY": "sk-canary-Zq81provider", "HEADER": "canary-Hx52header-value", "CLIENT_KEY": "sk-canary-Kc93client",
            "OTHER": "canary-Ev66environment",
        ]
        let router = try RouterProcess(policy, environment: environment)
        var sinks: [String: String] = [:]
        for (index, model) in (0..<(2 * scripts.count)).map({ ($0, $0 < scripts.count ? "a" : "r") }) {
            let response = try router.chat(model, "canary-Pr19prompt-text", key: "sk-canary-Kc93client")
            sinks["response \(index)"] = response.head.raw + response.text
        }
        #expect(upstream.requests.count >= 2 * scripts.count)
        for (index, fields) in [
            ["Authorization: Bearer sk-canary-Wr47wrong"], ["x-api-key: sk-canary-Wr47wrong"], ["Authorization: sk-canary-Wr47wrong"],
        ].enumerated() {
            let response = try router.call(
                "POST", "/v1/chat/completions?key=sk-canary-Wr47wrong", body: RouterProcess.chatBody("a"), fields: fields)
            sinks["refusal \(index)"] = response.head.raw + response.text
        }
        for path in ["/metrics", "/health", "/models", "/nowhere?key=sk-canary-Wr47wrong"] {
            sinks[path] = try router.get(path, key: "sk-canary-Kc93client").text
        }
        let bad =
            "  bad: { plugin: openai-compatible, api_key: \"${PROVIDER_KEY}\", "
            + "base_url: \"http://user:${PROVIDER_KEY}@h/\", x: \"${OTHER}\" }"
        try router.reloadRefused(policy.with { $0.moreProviders = [bad] }.text)
        _ = try router.waitForRecords(2 * scripts.count + 3)
        sinks["stdout"] = router.standardOutput
        sinks["stderr"] = router.standardError
        #expect(canaries.leaks(in: sinks) == [])
        #expect(logCanaries.leaks(in: ["stdout": router.standardOutput, "stderr": router.standardError]) == [])
    }
}
