import TestSupport
import Testing

/// `llm-router explain`, and the endpoints `/admin/explain` and `/admin/check` of a running process.
@Suite struct ExplainTests {
    private static let policy = """
        version: 1
        listen: 127.0.0.1:0
        providers:
          demo: { plugin: demo }
          other: { plugin: openai, api_key: "${NOT_SET_ANYWHERE}" }
        models:
          small: { provider: demo, tags: [general], context: 8192, weight: 3 }
          large: { provider: demo, tags: [general], supports: [image, tools] }
          off: { provider: other, tags: [general] }
        routes:
          auto: { try: { select: { tags: general } }, fallback: [large] }
          drawn: { try: { select: { tags: general }, order: weighted } }
        keys:
          admin: { secret: "key-of-the-admin", admin: true }
          team: { secret: "key-of-the-team", models: [small] }
        tests:
          - name: images go to large
            request: { image: true }
            expect: { chosen: large }

        """

    private func explain(_ arguments: String..., files: [String: String] = [:]) throws -> RouterCommand {
        try RouterCommand(["explain", "--policy", "routes.yaml"] + arguments, files: files.merging(["routes.yaml": Self.policy]) { $1 })
    }

    @Test func `a plan is shown as a table, and the exit status is 0`() throws {
        let run = try explain("--image", "--max-tokens", "100")
        #expect(run.exit == .code(0), "\(run.errors)")
        #expect(run.output.hasPrefix("chosen   demo/large\n"))
        #expect(run.output.contains("needs image"))
        #expect(run.output.contains("does not support image"))
        #expect(run.output.contains("provider off: NOT_SET_ANYWHERE is unset"))
        #expect(run.output.contains("key      none given: every model is allowed"))
        #expect(!run.output.contains("key-of-the"))
    }

    @Test func `--json shows the plan as JSON`() throws {
        let run = try explain("--json", "--model", "drawn", "--seed", "4", "--down", "small")
        #expect(run.exit == .code(0))
        let json = try #require(run.json)
        #expect(json["route"]?.string == "drawn")
        #expect(json["seed"]?.int == 4)
        #expect(json["chosen"]?["model_name"]?.string == "large")
        #expect(json["attempts"]?.array?.contains { $0["model_name"]?.string == "small" && $0["state"]?.string == "down" } == true)
        #expect(json["left_out"]?[0]?["rule"]?.string != nil)
    }

    @Test func `a refused request exits with 1 and shows what the client would get`() throws {
        let run = try explain("--audio")
        #expect(run.exit == .code(1))
        #expect(run.output.contains("refused  400 no_model_fits: "))
        #expect(try explain("--model", "nobody").exit == .code(1))
        #expect(try explain("--model", "large", "--key", "team").output.contains("refused  404 model_not_found: "))
    }

    @Test func `a key restricts the plan`() throws {
        let run = try explain("--key", "team")
        #expect(run.exit == .code(0))
        #expect(run.output.contains("key      team"))
        #expect(run.output.contains("not allowed for this key"))
    }

    @Test func `a request may come from a file or from a test of the policy`() throws {
        let request =
            #"{"model":"auto","messages":[{"role":"user","content":[{"type":"image_url","image_url":"#
            + #"{"url":"https://x/y.png"}}]}],"max_tokens":7}"#
        let run = try explain("--request", "request.json", files: ["request.json": request])
        #expect(run.output.contains("needs image; about ") && run.output.contains("at most 7 completion tokens"))
        #expect(try explain("--test", "images go to large").output.hasPrefix("chosen   demo/large\n"))
        let broken = try explain("--request", "request.json", files: ["request.json": "{"])
        #expect(broken.exit == .code(1))
        #expect(broken.output.contains("refused  400 invalid_json: "))
    }

    @Test(arguments: [
        ["--key", "teem"], ["--down", "smal"], ["--image", "--request", "routes.yaml"], ["--request", "nowhere.json"], ["--test", "nope"],
        ["--nonsense"],
        ["--max-tokens", "0"],
    ])
    func `bad usage exits with 2 and says what to write`(arguments: [String]) throws {
        let run = try RouterCommand(["explain", "--policy", "routes.yaml"] + arguments, files: ["routes.yaml": Self.policy])
        #expect(run.exit == .code(2), "\(run.output)\(run.errors)")
        #expect(run.output.isEmpty && !run.errors.isEmpty)
    }

    @Test func `a bad policy exits with 1 and its report`() throws {
        let run = try RouterCommand(["explain", "--policy", "routes.yaml"], files: ["routes.yaml": "version: 1\nroutez: {}\n"])
        #expect(run.exit == .code(1))
        #expect(run.errors.contains("routes.yaml:2:1"))
    }

    // MARK: A running process

    @Test func `a running process explains with its current state and counts nothing`() throws {
        let broken = try ScriptedUpstream(ScriptedUpstream.failing(500)),
            healthy = try ScriptedUpstream(ScriptedUpstream.responding("fine"))
        let router = try RouterProcess(
            PolicyText(
                ["a": broken, "b": healthy], defaults: "breaker: { failures: 2, cooldown: 5m, jitter: 0 }",
                routes: ["  auto: { try: [a, b] }"]))
        func explained() throws -> JSON {
            let response = try router.call("POST", "/admin/explain", body: RouterProcess.chatBody("auto"))
            #expect(response.status == 200, "\(response.text)")
            return try #require(response.json)
        }
        let before = try explained()
        #expect(before["chosen"]?["model_name"]?.string == "a")
        #expect(before["attempts"]?[0]?["state"]?.string == "ready")
        #expect(broken.requests.isEmpty && healthy.requests.isEmpty)
        for _ in 0..<2 { #expect(try router.chat("auto").content == "fine") }
        let after = try explained()
        #expect(after["chosen"]?["model_name"]?.string == "b")
        #expect(after["attempts"]?[1]?["model_name"]?.string == "a")
        #expect(after["attempts"]?[1]?["state"]?.string == "open")
        #expect((after["attempts"]?[1]?["state_ends_in_ms"]?.int ?? 0) > 200_000)
        #expect(broken.requests.count == 2 && healthy.requests.count == 2)
        #expect(try explained() == after || explained()["chosen"] == after["chosen"])
    }

    @Test func `an explanation shows the next model of round_robin and doesn't advance it`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("fine"))
        let router = try RouterProcess(
            PolicyText(["a": upstream, "b": upstream, "c": upstream], routes: ["  turns: { try: { select: {}, order: round_robin } }"]))
        // Each event loop rotates independently, so all requests use one connection.
        let client = try router.client()
        func post(_ path: String) throws -> Response {
            client.send(RouterProcess.request("POST", path, body: RouterProcess.chatBody("turns")))
            return try client.readResponse()
        }
        var called = [try post("/v1/chat/completions").head["x-router-model"]]
        for _ in 0..<3 {
            let explained = try (0..<2).map { _ in try post("/admin/explain").json?["chosen"]?["model_name"]?.string }
            called.append(try post("/v1/chat/completions").head["x-router-model"])
            #expect(explained == [called.last ?? nil, called.last ?? nil])
        }
        #expect(Set(called.prefix(3)).count == 3 && called[3] == called[0])
    }

    @Test func `explaining needs an admin key, and explains for any key of the policy`() throws {
        let router = try RouterProcess(Self.policy)
        let body = RouterProcess.chatBody("auto")
        #expect(try router.call("POST", "/admin/explain", body: body).status == 401)
        #expect(try router.call("POST", "/admin/explain", body: body, key: "key-of-the-team").status == 403)
        #expect(try router.call("GET", "/admin/explain", key: "key-of-the-admin").status == 405)
        let withoutKey = try router.call("POST", "/admin/explain", body: body, key: "key-of-the-admin")
        #expect(withoutKey.json?["request"]?["key"] == .null)
        let team = try router.call("POST", "/admin/explain?key=team", body: body, key: "key-of-the-admin")
        #expect(team.json?["request"]?["key"]?.string == "team")
        #expect(team.json?["attempts"]?.array?.allSatisfy { $0["model_name"]?.string == "small" } == true)
        let unknown = try router.call("POST", "/admin/explain?key=nobody", body: body, key: "key-of-the-admin")
        #expect(unknown.status == 404 && unknown.json?["error"]?["param"]?.string == "key")
        let refused = try router.call("POST", "/admin/explain", body: RouterProcess.chatBody("nobody"), key: "key-of-the-admin")
        #expect(refused.json?["refused"]?["status"]?.int == 404)
        #expect(!team.text.contains("key-of-the"))
    }

    @Test func `a posted policy is checked with its tests, and no file is read`() throws {
        let router = try RouterProcess(Self.policy)
        func check(_ text: String) throws -> Response { try router.call("POST", "/admin/check", body: text, key: "key-of-the-admin") }
        let good = try check(Self.policy)
        #expect(good.status == 200 && good.json?["status"]?.string == "ok", "\(good.text)")
        #expect(good.json?["issues"]?.array?.allSatisfy { $0["severity"]?.string == "warning" } == true)
        let bad = try check(Self.policy + "routez: {}\n")
        #expect(bad.status == 422 && bad.json?["status"]?.string == "invalid")
        let issue = try #require(bad.json?["issues"]?.array?.first { $0["severity"]?.string == "error" })
        #expect(
            issue["line"]?.int == Self.policy.split(separator: "\n", omittingEmptySubsequences: false).count && issue["column"]?.int == 1)
        #expect(issue["message"]?.string?.contains("routez") == true)
        let failing = try check(Self.policy.replacing("chosen: large", with: "chosen: small"))
        #expect(failing.status == 422)
        #expect(
            failing.json?["issues"]?.array?.contains {
                $0["message"]?.string == "test 'images go to large' fails: expected small to be chosen, but got large"
            } == true)
        let including = try check("include: more.yaml\n" + Self.policy.replacing("\"key-of-the-team\"", with: "\"${file:/etc/hostname}\""))
        #expect(including.status == 200, "\(including.text)")
        #expect(including.json?["issues"]?.array?.count { $0["message"]?.string?.contains("is not read here") == true } == 2)
        #expect(try router.call("POST", "/admin/check", body: Self.policy, key: "key-of-the-team").status == 403)
    }
}
