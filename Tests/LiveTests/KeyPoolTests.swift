import TestSupport
import Testing

/// Several keys of one provider.
@Suite struct KeyPoolTests {
    private static let keys = ["sk-first-0123456789", "sk-second-0123456789"]

    private static func router(_ upstream: ScriptedUpstream) throws -> RouterProcess {
        var policy = PolicyText(["a": upstream], routes: ["  r: { try: [a] }"])
        policy.provider = "api_key: [\"${KEY_1}\", \"${KEY_2}\"]"
        return try RouterProcess(policy, environment: ["KEY_1": keys[0], "KEY_2": keys[1]])
    }

    private static func key(_ exchange: UpstreamExchange) -> String { String(exchange.head["authorization"]?.dropFirst(7) ?? "") }

    @Test func `the keys take turns`() throws {
        let upstream = try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered(Self.key($0) == Self.keys[0] ? "1" : "2")) }
        let router = try Self.router(upstream)
        let texts = try (0..<4).map { _ in try router.chat("r").content ?? "" }
        #expect(Set(texts.prefix(2)) == ["1", "2"] && texts[0] == texts[2] && texts[1] == texts[3])
    }

    @Test(arguments: [429, 402, 401])
    func `a key that is limited, without credit or refused cools down alone, and the client notices nothing`(status: Int) throws {
        let upstream = try ScriptedUpstream { exchange in
            guard Self.key(exchange) == Self.keys[0] else { return try exchange.respond(200, OpenAIReplies.buffered("ok")) }
            // The upstream repeats the key.
            try exchange.respond(status, OpenAIReplies.error("no more for \(Self.keys[0])"), fields: ["Retry-After: 60"])
        }
        let router = try Self.router(upstream)
        for _ in 0..<4 { #expect(try router.chat("r").status == 200) }
        #expect(upstream.requests.count == 5)
        #expect(try router.metric("llm_router_attempts_total", #"model="a",outcome="failed""#) == 0)
        #expect(try router.metric("llm_router_repaired_requests_total", #"model="a""#) == 1)
        #expect(try router.metric("llm_router_breaker_open", #"model="a""#) == 0)
        let state = status == 429 ? "limited" : "refused"
        #expect(try router.metric("llm_router_provider_keys", "state=\"\(state)\"") == 1)
        try router.waitForLog("one of the router's keys")
        let log = router.standardError
        #expect(log.contains("1 of 2"))
        for key in Self.keys { #expect(!log.contains(key)) }
        let attempt = try router.call("POST", "/admin/explain", body: RouterProcess.chatBody("r")).json?["attempts"]?[0]
        #expect(attempt?["keys"]?.int == 2 && attempt?["cooling_keys"]?[0]?["key"]?.int == 1)
        #expect(attempt?["cooling_keys"]?[0]?["reason"]?.string == state)
    }

    @Test func `a provider whose every key is limited is limited until the first is due`() throws {
        let upstream = try ScriptedUpstream { exchange in
            let wait = Self.key(exchange) == Self.keys[0] ? 90 : 30
            try exchange.respond(429, OpenAIReplies.error("slow down"), fields: ["Retry-After: \(wait)"])
        }
        let router = try Self.router(upstream)
        let response = try router.chat("r")
        #expect(response.status == 429 && upstream.requests.count == 2)
        let wait = try #require(response.head["retry-after"].flatMap { Int($0) })
        #expect((25...30).contains(wait))
    }

    @Test func `a limit without a wait lasts as long for all keys together as for one`() throws {
        let upstream = try ScriptedUpstream { try $0.respond(429, OpenAIReplies.error("slow down")) }
        let router = try Self.router(upstream)
        for _ in 0..<3 {
            let response = try router.chat("a")
            let wait = try #require(response.head["retry-after"].flatMap { Int($0) })
            #expect(response.status == 429 && (1...15).contains(wait))
        }
        #expect(upstream.requests.count == 2)
    }

    @Test(arguments: [
        (403, #"{"Message":"User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:CountTokens"}"#, "AccessDeniedException"),
        (400, #"{"message":"The provided model identifier is invalid."}"#, "ValidationException"),
        (404, #"{"message":"The requested operation is not recognized by the service."}"#, "UnknownOperationException"),
        (429, #"{"message":"Too many requests"}"#, "ThrottlingException"), (503, "", "ServiceUnavailableException"),
    ])
    func `a refused or failing count of Bedrock's is an estimate, and neither the keys nor the chats learn of it`(
        status: Int, body: String, type: String
    ) throws {
        let upstream = try ScriptedUpstream { exchange in
            guard exchange.head.target.hasSuffix("/count-tokens") else {
                let message = #"{"role":"assistant","content":[{"text":"hello"}]}"#
                return try exchange.respond(
                    200, #"{"output":{"message":\#(message)},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1}}"#)
            }
            try exchange.respond(status, body, fields: ["x-amzn-errortype: \(type)"])
        }
        let policy = PolicyText().with {
            let url = "http://127.0.0.1:\(upstream.port)"
            $0.moreProviders = [
                "  b: { plugin: bedrock, region: us-east-1, base_url: \"\(url)\", api_key: [\(Self.keys[0]), \(Self.keys[1])] }"
            ]
            $0.moreModels = ["  m: { provider: b }"]
        }
        let router = try RouterProcess(policy)
        let counts = [
            ("/v1/messages/count_tokens", RouterProcess.messageBody("m", "Hello"), "input_tokens"),
            ("/v1beta/models/m:countTokens", #"{"contents":[{"parts":[{"text":"Hello"}]}]}"#, "totalTokens"),
        ]
        for _ in 0..<2 {
            for (path, body, member) in counts {
                let response = try router.call("POST", path, body: body)
                #expect(response.status == 200 && (response.json?[member]?.int ?? 0) > 0, "\(response.text)")
            }
            #expect(try router.chat("m").content == "hello")
        }
        #expect(upstream.requests.count == 6)
        for state in ["limited", "refused"] { #expect(try router.metric("llm_router_provider_keys", "state=\"\(state)\"") == 0) }
    }

    @Test(
        arguments: [
            (401, #"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}"#),
            (403, #"{"error":{"message":"The account is deactivated","code":"account_deactivated"}}"#),
            (402, #"{"error":{"message":"Insufficient balance","code":"insufficient_quota"}}"#),
        ], [0, 1])
    func `a provider with one limited and one refused key is limited, in whatever order they fail`(
        refusal: (status: Int, body: String), refused: Int
    ) throws {
        for path in ["/v1/chat/completions", "/v1/messages"] {
            let upstream = try ScriptedUpstream { exchange in
                guard exchange.number == refused else {
                    return try exchange.respond(
                        429, OpenAIReplies.error("slow down", type: "rate_limit_error"), fields: ["Retry-After: 20"])
                }
                try exchange.respond(refusal.status, refusal.body)
            }
            let response = try Self.router(upstream).call(
                "POST", path, body: #"{"model":"a","max_tokens":9,"messages":[{"role":"user","content":"Hello"}]}"#)
            #expect(upstream.requests.count == 2)
            #expect(response.status == 429 && response.json?["error"]?["type"]?.string == "rate_limit_error", "\(response.text)")
            let wait = try #require(response.head["retry-after"].flatMap { Int($0) })
            #expect((15...20).contains(wait))
        }
    }

    @Test func `a cooldown survives a reload that doesn't change the provider`() throws {
        let upstream = try ScriptedUpstream { exchange in
            guard Self.key(exchange) == Self.keys[0] else { return try exchange.respond(200, OpenAIReplies.buffered("ok")) }
            try exchange.respond(401, OpenAIReplies.error("no"))
        }
        var policy = PolicyText(["a": upstream], routes: ["  r: { try: [a] }"])
        policy.provider = "api_key: [\(Self.keys[0]), \(Self.keys[1])]"
        let router = try RouterProcess(policy)
        for _ in 0..<2 { _ = try router.chat("r") }
        #expect(upstream.requests.count == 3)
        try router.reload(policy.with { $0.routes.append("  s: { try: [a] }") }.text)
        for _ in 0..<2 { _ = try router.chat("r") }
        #expect(upstream.requests.count == 5)
    }

    @Test func `a token in a file is read again when the upstream refuses it`() throws {
        let folder = try TemporaryFolder(), path = folder.path + "/token"
        try folder.write("token", Array("old-token-0123456789\n".utf8))
        let upstream = try ScriptedUpstream { exchange in
            guard Self.key(exchange) == "new-token-0123456789" else {
                try folder.write("token", Array("new-token-0123456789\n".utf8))
                return try exchange.respond(401, OpenAIReplies.error("old-token-0123456789 has expired"))
            }
            try exchange.respond(200, OpenAIReplies.buffered("ok"))
        }
        var policy = PolicyText(routes: ["  r: { try: [m] }"])
        policy.moreProviders = ["  az: { plugin: azure-openai, base_url: \"http://127.0.0.1:\(upstream.port)\", token_file: \(path) }"]
        policy.moreModels = ["  m: { provider: az }"]
        let router = try RouterProcess(policy)
        #expect(try router.chat("r").content == "ok")
        #expect(upstream.requests.count == 2)
        #expect(!router.standardError.contains("old-token-0123456789") && !router.standardError.contains("new-token-0123456789"))
    }
}
