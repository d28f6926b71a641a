import TestSupport
import Testing

/// The commands that ask a running router: `explain --server` and `top`.
@Suite struct RunningRouterTests {
    private static let policy = """
        providers:
          demo: { plugin: demo }
          failing: { plugin: demo, fail: 503 }
        models:
          first: { provider: failing }
          second: { provider: demo }
        routes:
          auto: { try: [first, second] }
        defaults: { retry: { retries: 0 }, breaker: { failures: 1, cooldown: 5m } }
        keys:
          admin: { secret: "key-of-the-admin", admin: true }
          team: { secret: "key-of-the-team" }

        """

    private func run(
        _ command: String, _ router: RouterProcess, _ arguments: String..., key: String? = "key-of-the-admin"
    ) throws -> RouterCommand {
        try RouterCommand(
            [command, "--server", "http://127.0.0.1:\(router.port)"] + arguments, environment: key.map { ["ROUTER_ADMIN_KEY": $0] } ?? [:])
    }

    @Test func `explain --server plans with the breakers of the running process`() throws {
        let router = try RouterProcess(Self.policy)
        #expect(try run("explain", router).output.hasPrefix("chosen   failing/first\n"))
        #expect(try router.chat("auto", key: "key-of-the-team").status == 200)
        let table = try run("explain", router, "--key", "team")
        #expect(table.exit == .code(0), "\(table.errors)")
        #expect(table.output.hasPrefix("chosen   demo/second\n") && table.output.contains("key      team"))
        let json = try #require(try run("explain", router, "--json", "--stream", "--seed", "7").json)
        #expect(json["chosen"]?["model_name"]?.string == "second")
        let refused = try run("explain", router, "--model", "nobody")
        #expect(refused.exit == .code(1) && refused.output.contains("refused  404 model_not_found"), "\(refused.output)")
    }

    @Test func `top shows the models and the last requests`() throws {
        let router = try RouterProcess(Self.policy)
        #expect(try router.chat("auto", key: "key-of-the-team").status == 200)
        let top = try run("top", router, "--once")
        #expect(top.exit == .code(0), "\(top.errors)")
        let lines = top.output.split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.hasPrefix("failing/first") && $0.contains("open") && $0.contains("503") }, "\(top.output)")
        #expect(lines.contains { $0.contains(" 200  demo/second") && $0.contains("team") })
        #expect(!top.output.contains("key-of-the") && !top.output.unicodeScalars.contains("\u{1B}"))
    }

    @Test func `a router that can't be asked is an error that says what to do`() throws {
        let router = try RouterProcess(Self.policy)
        for (command, key) in [("top", nil), ("explain", "key-of-the-team")] {
            let refused = try run(command, router, key: key)
            #expect(refused.exit == .code(1) && refused.output.isEmpty)
            #expect(refused.errors.contains("'admin: true'") && !refused.errors.contains("key-of-the"), "\(refused.errors)")
        }
        let closed = try RouterCommand(["top", "--server", "http://127.0.0.1:1"])
        #expect(closed.exit == .code(1) && closed.errors.contains("http://127.0.0.1:1 does not answer: cannot connect"), "\(closed.errors)")
        for address in ["127.0.0.1:8080", "ftp://a", "http://user:password@a"] {
            let bad = try RouterCommand(["top", "--server", address])
            #expect(bad.exit == .code(2) && !bad.errors.contains("password@"), "\(bad.errors)")
        }
        let both = try RouterCommand(["explain", "--server", "http://127.0.0.1:1", "--down", "first"])
        #expect(both.exit == .code(2) && both.errors.contains("'--down' can't be combined with '--server'"), "\(both.errors)")
    }
}
