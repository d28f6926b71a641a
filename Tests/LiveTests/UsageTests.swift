import Glibc
import TestSupport
import Testing

/// What the router says of the usage of keys and models.
@Suite struct UsageTests {
    private static let ops = "admin-secret-of-ops"

    /// A router that has served two requests of `team`, which cost $0.15 each, and one of `ops`.
    private static func router(state: String) throws -> RouterProcess {
        let usage = #"{"prompt_tokens":10,"completion_tokens":5}"#
        let upstream = try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("yes", usage: usage)) }
        var policy = PolicyText(
            ["plain": upstream],
            keys: [
                "  ops: { secret: \(ops), admin: true }",
                "  team: { secret: client-secret-of-team, budget: { usd: 2, tokens: 100, per: total } }",
            ])
        policy.moreModels = ["  m: { provider: p-plain, price: { input: 10000, output: 10000 } }"]
        let router = try RouterProcess(policy.text + "state: \(state)\n")
        for _ in 0..<2 { #expect(try router.chat("m", extra: #""max_tokens":1"#, key: "client-secret-of-team").status == 200) }
        #expect(try router.chat("plain", key: ops).status == 200)
        // A response may reach the client before its request is counted.
        _ = try router.waitForRecords(3)
        return router
    }

    @Test func `usage is summed up as asked, from memory and from the file`() throws {
        let folder = try TemporaryFolder()
        for state in ["memory", "{ file: \(folder.path)/state.db }"] {
            let router = try Self.router(state: state)
            let json = try #require(try router.get("/admin/usage?by=key", key: Self.ops).json)
            #expect(json["usage"]?.array?.map { $0["key"]?.string } == ["ops", "team"])
            #expect(json["usage"]?[1]?["requests"]?.double == 2 && json["usage"]?[1]?["cost_usd"]?.double == 0.3)
            #expect(json["usage"]?[0]?["unpriced"]?.double == 1)
            #expect(json["budgets"]?[0]?["usd"]?["left"]?.double == 1.7 && json["budgets"]?[0]?["tokens"]?["left"]?.double == 70)
            let finest = try #require(try router.get("/api/v1/admin/usage", key: Self.ops).json)
            #expect(finest["usage"]?.array?.map { $0["model"]?.string } == ["plain", "m"])
            #expect(try router.get("/admin/usage?since=2999-01-01", key: Self.ops).json?["usage"]?.array?.isEmpty == true)
        }
        let read = try RouterCommand(["usage", "--state", "\(folder.path)/state.db", "--by", "key", "--format", "csv"])
        #expect(read.exit == .code(0), "\(read.errors)")
        #expect(read.output.split(separator: "\n").last == "team,2,20,10,0.3,0")
        let none = try RouterCommand(["usage", "--state", "\(folder.path)/none.db"])
        #expect(none.exit == .code(1) && none.errors.contains("none.db' can't be read"), "\(none.errors)")
    }

    @Test func `the format is the query's or the client's choice, and the command shows a table`() throws {
        let router = try Self.router(state: "memory")
        func type(_ query: String, _ accept: String) throws -> String? {
            try router.call("GET", "/admin/usage\(query)", key: Self.ops, fields: ["Accept: \(accept)"]).head["content-type"]
        }
        #expect(try type("", "*/*") == "application/json")
        #expect(try type("", "text/csv") == "text/csv; charset=utf-8")
        #expect(try type("", "text/plain, application/json;q=0.5") == "text/plain; charset=utf-8")
        #expect(try type("?format=csv", "application/json") == "text/csv; charset=utf-8")
        let shown = try RouterCommand(
            ["usage", "--server", "http://127.0.0.1:\(router.port)", "--by", "model", "--since", "24h"],
            environment: ["ROUTER_ADMIN_KEY": Self.ops])
        #expect(shown.exit == .code(0) && shown.output.contains("$2 in all"), "\(shown.output)\(shown.errors)")
        #expect(shown.output.hasPrefix("MODEL  REQUESTS"))
    }

    @Test func `a bad parameter is refused with what to write`() throws {
        let router = try RouterProcess(PolicyText().demo)
        for (query, words) in [
            ("by=team", "use some of key"), ("since=yesterday", "a date such as"), ("format=xml", "one of json, csv, table"),
            ("by=key&by=model", "'by' is given twice"), ("until=1h", "the parameters are by=…, since=…, format=…"),
        ] {
            let refused = try router.get("/admin/usage?\(query)")
            #expect(refused.status == 400 && refused.text.contains(words), "\(refused.text)")
        }
        let wrong = try RouterCommand(["usage", "--by", "keys"])
        #expect(wrong.exit == .code(2) && wrong.errors.contains("did you mean 'key'"), "\(wrong.errors)")
    }
}
