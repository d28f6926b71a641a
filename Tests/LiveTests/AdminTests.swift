import Glibc
import TestSupport
import Testing

/// The endpoints for operators below `/admin`.
@Suite struct AdminTests {
    private static let keys = [
        "  ops: { secret: admin-secret-of-ops, admin: true, limits: { requests_per_minute: 100 } }",
        "  team: { secret: client-secret-of-team }",
    ]
    private static let ops = "admin-secret-of-ops", team = "client-secret-of-team"
    private static let paths = [
        "state", "state/a", "requests", "events", "history", "metrics", "rate-limits", "usage", "reloads", "policy",
    ]

    @Test func `every endpoint needs an admin key, and works below the earlier router's path too`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": a], keys: Self.keys))
        for path in Self.paths {
            #expect(try router.get("/admin/\(path)").status == 401, "\(path)")
            #expect(try router.get("/admin/\(path)", key: Self.team).status == 403, "\(path)")
            for prefix in ["/admin", "/api/v1/admin"] where path != "events" {
                let response = try router.get("\(prefix)/\(path)", key: Self.ops)
                #expect(response.status == 200 && response.json != nil, "\(prefix)/\(path)")
            }
        }
        #expect(try router.call("POST", "/admin/state/a/reset", key: Self.team).status == 403)
        let head = try router.call("HEAD", "/admin/events", key: Self.ops)
        #expect(head.status == 200 && head.head["content-type"] == "text/event-stream; charset=utf-8")
    }

    @Test func `the state of a model has its breaker with the reason, and a reset closes it`() throws {
        let isFailing = Watched(true)
        let a = try ScriptedUpstream {
            try (isFailing.read { $0 } ? ScriptedUpstream.failing(500, "disk full") : ScriptedUpstream.responding("a"))($0)
        }
        let b = try ScriptedUpstream(ScriptedUpstream.responding("b"))
        let router = try RouterProcess(
            PolicyText(["a": a, "b": b], defaults: "breaker: { failures: 1, cooldown: 1h }", routes: ["  r: { try: [a, b] }"]).with {
                $0.moreProviders = ["  absent: { plugin: openai-compatible, base_url: \"http://127.0.0.1:1/v1\", api_key: \"${ABSENT}\" }"]
                $0.moreModels = ["  c: { provider: absent, limits: { concurrent: 2 } }"]
            })
        _ = try router.chat("r")
        let state = try #require(try router.get("/admin/state").json)
        #expect(state["generation"]?.int == 1)
        #expect(state["config"] == (try router.policy())["digest"])
        let models = try #require(state["models"]?.array)
        #expect(models.map { $0["model"]?.string } == ["a", "b", "c"] && models.map { $0["state"]?.string } == ["open", "ready", "off"])
        let broken = try #require(models.first)
        #expect(broken["until"]?.string ?? "" > "2026" && broken["upstream"]?.string == "up-a")
        #expect(broken["breaker"]?["state"]?.string == "open" && broken["breaker"]?["failures_in_row"]?.int == 1)
        let opened = try #require(broken["breaker"]?["opened"])
        #expect(opened["class"]?.string == "upstream_error" && opened["status"]?.int == 500 && opened["message"]?.string == "disk full")
        #expect(broken["statistics"]?["samples"]?.int == 1 && broken["statistics"]?["success_rate"]?.double == 0)
        #expect(models[1]["statistics"]?["mean_ms"]?.double ?? 0 > 0)
        #expect(models[2]["unset"]?.array == [.string("ABSENT")] && models[2]["limits"]?["concurrent"]?["slots"]?.int == 2)

        isFailing.update { $0 = false }
        #expect(try router.get("/admin/state/p-a/a").json?["models"]?[0] == models.first)
        let reset = try router.call("POST", "/admin/state/a/reset")
        #expect(reset.status == 200 && reset.json?["models"]?[0]?["state"]?.string == "ready")
        #expect(reset.json?["models"]?[0]?["statistics"]?["samples"]?.int == 0)
        #expect(try router.chat("r").content == "a")
        let missing = try router.get("/admin/state/gpt-9")
        #expect(missing.status == 404 && missing.text.contains("'gpt-9'"))
    }

    @Test func `the last requests have their ledgers, by filter and by id`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.failing(500, "disk full"))
        let b = try ScriptedUpstream(ScriptedUpstream.responding("b"))
        let router = try RouterProcess(
            PolicyText(["a": a, "b": b], routes: ["  r: { try: [a, b] }"], keys: Self.keys))
        for (index, (model, id)) in [("r", "first"), ("a", "second"), ("gpt-9", "third")].enumerated() {
            _ = try router.chat(model, key: Self.team, fields: ["x-request-id: \(id)"])
            _ = try router.waitForRecords(index + 1)
        }
        func ids(_ query: String) throws -> [String?] {
            try #require(try router.get("/admin/requests\(query)", key: Self.ops).json?["requests"]?.array).map { $0["request_id"]?.string }
        }
        #expect(try ids("") == ["third", "second", "first"])
        for (query, found) in [
            ("?limit=1", ["third"]), ("?route=r", ["first"]), ("?model=a", ["second", "first"]), ("?provider=p-a", ["second", "first"]),
            ("?status=4xx", ["third"]),
            ("?status=200&provider=p-b", ["first"]), ("?key=ops", []), ("?model=&status&limit=1", ["third"]),
        ] {
            #expect(try ids(query) == found, "\(query)")
        }
        let ledger = try #require(try router.get("/admin/requests/first", key: Self.ops).json)
        #expect(ledger == (try router.waitForRecords(3)[0]))
        let failed = try #require(ledger["failed"]?[0])
        #expect(failed["start_ms"]?.double ?? -1 >= 0 && failed["duration_ms"]?.double ?? -1 > 0)
        let start = try #require(ledger["upstream_start_ms"]?.double), firstByte = try #require(ledger["first_byte_ms"]?.double)
        #expect(start > 0 && firstByte > start && ledger["duration_ms"]?.double ?? 0 >= firstByte && ledger["plan_ms"] != nil)
        #expect(try router.get("/admin/requests/fourth", key: Self.ops).status == 404)
        for query in ["?limit=0", "?limit=x", "?status=abc", "?status=9xx", "?page=2", "?page"] {
            let refused = try router.get("/admin/requests\(query)", key: Self.ops)
            #expect(refused.status == 400, "\(query)")
        }
    }

    @Test func `a stream's ledger has the time of its first content, and the hour its figures`() throws {
        let router = try RouterProcess(PolicyText().demo)
        // A response may reach the client before its record is written, which another event loop then overtakes.
        _ = try router.stream("demo")
        _ = try router.waitForRecords(1)
        _ = try router.chat("demo")
        _ = try router.waitForRecords(2)
        _ = try router.chat("gpt-9")
        _ = try router.waitForRecords(3)
        let ledgers = try #require(try router.get("/admin/requests").json?["requests"]?.array)
        #expect(ledgers.map { $0["first_content_ms"] != nil } == [false, false, true])
        let history = try #require(try router.get("/admin/history").json)
        #expect(history["minutes"]?.array?.count == 60)
        let hour = try #require(history["hour"])
        #expect(hour["requests"]?.int == 3 && hour["refused"]?.int == 1 && hour["streams"]?.int == 1 && hour["failed"]?.int == 0)
        #expect(hour["first_token_ms"]?["count"]?.int == 1 && hour["total_ms"]?["count"]?.int == 2)
        #expect(hour["tokens"]?["output"]?.int ?? 0 > 0)
        let metrics = try #require(try router.get("/admin/metrics").json?["metrics"]?.array)
        let requests = try #require(metrics.first { $0["name"]?.string == "llm_router_requests_total" })
        #expect(requests["type"]?.string == "counter")
        let chats = requests["samples"]?.array?.first { $0["labels"] == .object(["endpoint": .string("chat"), "status": .string("200")]) }
        #expect(chats?["value"]?.int == 2)
    }

    @Test func `rate limits show what is left`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.responding("a"))
        let router = try RouterProcess(
            PolicyText(["a": a], keys: Self.keys).with { $0.provider = "api_key: [sk-1, sk-2], limits: { concurrent: 3 }" })
        _ = try router.chat("a", key: Self.ops)
        let json = try #require(try router.get("/admin/rate-limits", key: Self.ops).json)
        let limits = try #require(json["limits"]?.array)
        #expect(limits.map { $0["scope"]?.string } == ["provider", "key"] && limits.map { $0["name"]?.string } == ["p-a", "ops"])
        #expect(limits[0]["concurrent"] == .object(["slots": .number(3), "in_use": .number(0), "waiting": .number(0)]))
        #expect(limits[1]["requests"]?["per_minute"]?.int == 100 && limits[1]["requests"]?["left"]?.int == 99)
        #expect(
            json["provider_keys"]?[0]
                == .object(["provider": .string("p-a"), "ready": .number(2), "limited": .number(0), "refused": .number(0)]))
    }

    @Test func `reloads are listed with their changes and errors, and the policy without its secrets`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.responding("a"))
        let policy = PolicyText(["a": a], keys: Self.keys)
        let router = try RouterProcess(policy)
        try router.reload(policy.with { $0.routes = ["  r: { try: [a] }"] }.text)
        try router.reloadRefused("version: 1\nmodels: { x: { provider: nowhere } }\n")
        let json = try #require(try router.get("/admin/reloads", key: Self.ops).json)
        let reloads = try #require(json["reloads"]?.array)
        #expect(json["generation"]?.int == 2 && reloads.map { $0["status"]?.string } == ["failed", "ok", "ok"])
        #expect(reloads.map { $0["by"]?.string } == ["SIGHUP", "SIGHUP", "start"])
        #expect(reloads[0]["errors"]?[0]?.string?.contains("'nowhere'") == true && reloads[0]["config"] == reloads[1]["config"])
        #expect(reloads[1]["changes"]?[0]?.string?.contains("+ route r") == true)
        // That of the policy in service, not of the refused one.
        let shown = try router.get("/admin/policy", key: Self.ops)
        let text = try #require(shown.json?["files"]?[0]?["text"]?.string)
        #expect(text.contains("r: { try: [a] }") && text.contains("secret: <secret>") && text.contains("api_key: <secret>"))
        #expect(!shown.text.contains("secret-of-") && !shown.text.contains("sk-provider"))
    }

    @Test func `the event feed tells what happens, and ends at the shutdown`() throws {
        let a = try ScriptedUpstream(ScriptedUpstream.responding("a"))
        let policy = PolicyText(["a": a])
        let router = try RouterProcess(policy)
        let client = try router.client()
        client.send(RouterProcess.request("GET", "/admin/events"))
        let head = try client.readHead()
        #expect(head.status == 200 && head["content-type"] == "text/event-stream; charset=utf-8")
        func next(_ kind: String) throws -> JSON {
            while let item = try client.nextItem() {
                guard item == .field("event: \(kind)"), case .data(let text)? = try client.nextItem() else { continue }
                return try #require(JSON(text))
            }
            throw TestFailure("the feed ended before '\(kind)'", CallSite(#fileID, #line))
        }
        #expect(try next("state")["models"]?[0]?["model"]?.string == "a")
        _ = try router.chat("a", fields: ["x-request-id: mine"])
        #expect(try next("request")["request_id"]?.string == "mine")
        // The minute may be a new one meanwhile.
        repeat { _ = try router.chat("a") } while try next("minute")["requests"]?.int ?? 0 == 0
        try router.reload(policy.with { $0.routes = ["  r: { try: [a] }"] }.text)
        #expect(try next("reload")["status"]?.string == "ok")
        router.process.signal(SIGTERM)
        while try client.nextItem() != nil {}
        #expect(try router.process.waitForExit(within: .seconds(10)) == .code(0))
    }

    @Test func `a feed has the kinds of events that it asks for`() throws {
        let router = try RouterProcess(PolicyText().demo)
        let client = try router.client()
        client.send(RouterProcess.request("GET", "/admin/events?types=request"))
        _ = try client.readHead()
        _ = try router.chat("demo")
        #expect(try client.nextItem() == .field("event: request"))
        #expect(try router.get("/admin/events?types=request,nothing").status == 400)
    }
}
