import TestSupport
import Testing

/// Client keys: which requests are accepted, and which models and endpoints a key may use.
@Suite struct AuthenticationTests {
    @Test func `a request without a known key is a 401, whatever else is wrong with it`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": upstream], keys: ["  k: { secret: \"good-key\" }"]))
        for fields in [
            [], ["Authorization: Bearer bad-key"], ["Authorization: Bearer "], ["Authorization: good-key-and-more"],
            ["Authorization: Basic good-key"], ["Authorization: Basic Z29vZC1rZXk="], ["Authorization: Basic dXNlcjpiYWQta2V5"],
            ["Authorization: Basic Z29vZC1rZXk6"], ["Authorization: Basic dXNlcjo="], ["Authorization: Basic"], ["x-api-key: bad-key"],
            ["Authorization: Basic dXNlcjpnb29kLWtleQ==", "x-api-key: bad-key"],
            ["Authorization: Bearer good-key", "x-api-key: bad-key"], ["Authorization: Bearer bad-key", "x-api-key: good-key"],
        ] {
            for body in [RouterProcess.chatBody("a"), "not json", RouterProcess.chatBody("unknown-model")] {
                let response = try router.call("POST", "/v1/chat/completions", body: body, fields: fields)
                #expect(response.status == 401, "\(fields)")
                #expect(response.errorType == "authentication_error")
            }
            #expect(try router.call("GET", "/v1/models", fields: fields).status == 401)
        }
        #expect(upstream.connections == 0)
        #expect(try router.chat("a", "hi", key: "good-key").content == "hi")
        #expect(try router.chat("a", "hi", fields: ["x-api-key: good-key"]).content == "hi")
        for basic in ["Basic dXNlcjpnb29kLWtleQ==", "basic   Omdvb2Qta2V5"] {
            #expect(try router.chat("a", "hi", fields: ["Authorization: \(basic)"]).content == "hi", "\(basic)")
            #expect(try router.chat("a", "hi", fields: ["Authorization: \(basic)", "x-api-key: good-key"]).content == "hi", "\(basic)")
        }
        for empty in ["Authorization: Bearer ", "Authorization:", "Authorization: Basic dXNlcjo="] {
            #expect(try router.chat("a", "hi", fields: [empty, "x-api-key: good-key"]).content == "hi", "\(empty)")
        }
        for path in ["/health", "/livez", "/readyz"] { #expect(try router.get(path).status == 200) }
    }

    @Test func `a key may be given by its digest`() throws {
        let router = try RouterProcess(
            PolicyText(keys: ["  k: { sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 }"]).demo)
        #expect(try router.chat("demo", key: "test").status == 200)
        #expect(try router.chat("demo", key: "test2").status == 401)
    }

    @Test func `each request on a connection is checked by its own key and the current policy`() throws {
        let keys = ["  one: { secret: \"key-1\" }", "  two: { secret: \"key-2\", endpoints: [models] }"]
        let router = try RouterProcess(PolicyText(keys: keys).demo)
        let client = try router.client()
        func status(_ key: String) throws -> Int {
            client.send(RouterProcess.request("POST", "/v1/chat/completions", body: RouterProcess.chatBody("demo"), key: key))
            return try client.readResponse().status
        }
        #expect(try status("key-1") == 200)
        #expect(try status("key-2") == 403)
        for unknown in ["key-3", "key-11", "key-", "kez-1"] { #expect(try status(unknown) == 401, "\(unknown)") }
        #expect(try status("key-1") == 200)
        try router.reload(PolicyText(keys: [keys[1]]).demo.text)
        #expect(try status("key-1") == 401)
        #expect(try status("key-2") == 403)
        try router.reload(PolicyText(keys: ["  two: { secret: \"key-1\" }"]).demo.text)
        #expect(try status("key-1") == 200)
        #expect(try status("key-2") == 401)
    }

    @Test func `admin endpoints need a key with admin if keys are defined`() throws {
        let router = try RouterProcess(
            PolicyText(keys: ["  k: { secret: \"user-key\" }", "  root: { secret: \"root-key\", admin: true }"]).demo)
        #expect(try router.get("/metrics").status == 401)
        #expect(try router.get("/metrics", key: "user-key").status == 403)
        #expect(try router.get("/metrics", key: "root-key").status == 200)
        #expect(try router.call("POST", "/admin/reload", body: "").status == 401)
        #expect(try router.call("POST", "/admin/reload", body: "", key: "user-key").status == 403)
        let open = try RouterProcess(PolicyText().demo)
        #expect(try open.get("/metrics").status == 200)
    }

    @Test func `a key may use only its endpoints`() throws {
        let router = try RouterProcess(PolicyText(keys: ["  k: { secret: \"models-key\", endpoints: [models] }"]).demo)
        #expect(try router.get("/models", key: "models-key").status == 200)
        let refused = try router.chat("demo", key: "models-key")
        #expect(refused.status == 403)
        #expect(refused.errorType == "permission_error")
    }

    @Test func `a key may use only its models, in whatever way another one is requested`() throws {
        let (a, b) = (try ScriptedUpstream(ScriptedUpstream.echoing), try ScriptedUpstream(ScriptedUpstream.echoing))
        let router = try RouterProcess(
            PolicyText(["a": a, "b": b], routes: ["  only-b: { try: b }"], keys: ["  k: { secret: \"key-a\", models: [a] }"]))
        let unknown = try router.chat("no-such-model", key: "key-a")
        #expect(unknown.status == 404)
        for name in ["b", "B", " b", "b ", "ｂ", "p-b/b", "p-b/up-b", "up-b", "*", "only-b", "b\u{0}", "b,only-b", "tag:b", "../b"] {
            let response = try router.chat(name, key: "key-a")
            #expect(response.status == 404, "\(name): \(response.text)")
            #expect(response.errorCode == unknown.errorCode, "\(name)")
        }
        let list = try router.chat("a,b", key: "key-a")
        #expect(list.status == 200 && list.json?["_router"]?["skipped"]?[0]?["model"]?.string == "b")
        let twice = #"{"model":"a","model":"b","messages":[{"role":"user","content":"x"}]}"#
        #expect(try router.call("POST", "/v1/chat/completions", body: twice, key: "key-a").status == 400)
        let escaped = #"{"model":"a","\u006dodel":"b","messages":[{"role":"user","content":"x"}]}"#
        #expect(try router.call("POST", "/v1/chat/completions", body: escaped, key: "key-a").status == 400)
        let byQuery = try router.call("POST", "/v1/chat/completions?model=b", body: RouterProcess.chatBody("a"), key: "key-a")
        #expect([200, 400].contains(byQuery.status))
        _ = try router.chat("a", key: "key-a", fields: ["x-router-model: b"])
        _ = try router.chat("a", extra: #""fallback_model":"b","fallback_provider":"p-b""#, key: "key-a")
        #expect(b.connections == 0)
        for path in ["/models", "/v1/models", "/api/v1/models"] {
            let ids = try #require(try router.get(path, key: "key-a").json?["data"]?.array).compactMap { $0["id"]?.string }
            #expect(ids == ["a"])
        }
    }

    @Test func `a model or route that a key may not use and one that does not exist get the same response`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let names = ["b", "vendor/b:free", "only-b", "off", "hidden"]
        let router = try RouterProcess(
            PolicyText(
                ["a": upstream, "b": upstream], routes: ["  only-b: { try: b }"],
                keys: ["  k: { secret: \"key-a\", models: [a] }", "  root: { secret: \"key-root\", admin: true }"]
            ).with {
                $0.moreProviders = ["  absent: { plugin: openai, api_key: \"${SURELY_NOT_SET}\" }", "  vendor: { plugin: demo }"]
                $0.moreModels = [
                    "  vendor/b:free: { provider: vendor }", "  \"off\": { provider: absent }",
                    "  hidden: { provider: vendor, hidden: true }",
                ]
            })
        /// The status and body of every endpoint that takes a model's name.
        func responses(_ name: String) throws -> [String] {
            let body = RouterProcess.chatBody(name)
            let all = [
                try router.chat(name, key: "key-a"), try router.chat("a,\(name)", key: "key-a"),
                try router.call("POST", "/v1/chat/completions", body: RouterProcess.chatBody(name, stream: true), key: "key-a"),
                try router.call(
                    "POST", "/v1/chat/completions", body: body.replacing("\"\(name)\"", with: "[\"a\",\"\(name)\"]"), key: "key-a"),
                try router.chat("a", key: "key-a", fields: ["x-router-model: \(name)"]),
                try router.chat("a", extra: "\"fallback_model\":\"\(name)\"", key: "key-a"),
                try router.get("/v1/models/\(name)", key: "key-a"), try router.get("/models/\(name)/", key: "key-a"),
                try router.get("/v1/models/\(name.replacing("/", with: "%2F"))", key: "key-a"),
                // The plan itself says more to the administrator.
                try router.call("POST", "/admin/explain?key=k", body: body, key: "key-root"),
            ]
            // A request that is served says so by its status alone: its ids and times differ.
            return all.map { $0.status == 200 && $0.json?["refused"] == nil ? "200" : "\($0.status) \($0.error(replacing: name))" }
        }
        let unknown = try responses("nothing")
        for name in names {
            for (response, unknown) in zip(try responses(name), unknown) { #expect(response == unknown, "\(name)") }
        }
        #expect(unknown.first?.hasPrefix("404") == true)
        #expect(try router.get("/v1/models/b", key: "key-root").status == 200)
    }

    @Test func `a fallback that a key may not use is not called`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.failing(500, "a is broken"))
        let b = try ScriptedUpstream(ScriptedUpstream.echoing)
        let policy = PolicyText(
            ["a": a, "b": b], routes: ["  auto: { try: a, fallback: [b] }", "  granted: { try: a, fallback: [b] }"],
            keys: ["  k: { secret: \"key-a\", models: [a] }", "  g: { secret: \"key-g\", models: [granted] }"])
        let router = try RouterProcess(policy)
        let refused = try router.chat("auto", key: "key-a")
        #expect(refused.status == 502)
        #expect(refused.text.contains("a is broken"))
        #expect(b.connections == 0)
        #expect(a.requests.count == 1)
        let granted = try router.chat("granted", "by b", key: "key-g")
        #expect(granted.content == "by b")
    }

    @Test func `a removed key is refused after the reload`() throws {
        let policy = PolicyText(keys: ["  k: { secret: \"old-key\" }"]).demo
        let router = try RouterProcess(policy)
        #expect(try router.chat("demo", key: "old-key").status == 200)
        try router.reload(policy.with { $0.keys = ["  k: { secret: \"new-key\" }"] }.text)
        #expect(try router.chat("demo", key: "old-key").status == 401)
        #expect(try router.chat("demo", key: "new-key").status == 200)
    }

    @Test func `a stream of a revoked key ends as if nothing had happened, and its connection gets no second request`() throws {
        let gate = Gate()
        let upstream = try ScriptedUpstream { exchange in
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("before "))
            try gate.wait()
            try exchange.event(OpenAIReplies.contentChunk("after"))
            try exchange.event(OpenAIReplies.finishChunk)
            try exchange.event(OpenAIReplies.doneEvent)
            try exchange.finishChunks()
        }
        let policy = PolicyText(["a": upstream], keys: ["  k: { secret: \"old-key\" }", "  ops: { secret: \"ops-key\" }"])
        let router = try RouterProcess(policy)
        let client = try router.openStream("a", key: "old-key")
        let head = try client.readHead()
        #expect(try client.nextContent() == "before ")
        // A reload that has been reported is in force: no later request uses the earlier policy.
        try router.reload(policy.with { $0.keys = ["  ops: { secret: \"ops-key\" }"] }.text)
        #expect(try router.chat("a", key: "old-key").status == 401)
        gate.open()
        let rest = try client.readRest(of: head)
        #expect(rest.content == "after" && rest.isDone)
        client.send(RouterProcess.request("GET", "/v1/models", key: "old-key"))
        #expect(try client.readHead().status == 401)
    }
}

extension Response {
    /// The code and message of the error or the refusal, with `NAME` in place of a name.
    fileprivate func error(replacing name: String) -> String {
        let error = json?["error"] ?? json?["refused"]
        return "\(error?["code"]?.string ?? "") \(error?["message"]?.string ?? "")".replacing("\(name)'", with: "NAME'")
    }
}
