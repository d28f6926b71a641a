import Glibc
import TestSupport
import Testing

/// What `log:` in the policy does to the logs of a running router.
@Suite struct LogsTests {
    /// The policy's text with the options of `log.access`, in which `FOLDER` stands for the folder.
    private static func policy(_ access: String, level: String = "info", in folder: String = "") -> String {
        let access = access.replacing("FOLDER", with: folder)
        return "log: { level: \(level), access: { \(access) } }\nproviders: { p: { plugin: demo } }\nmodels: { demo: { provider: p } }\n"
    }

    private func lines(_ path: String) -> [String] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func `a file gets the lines, and is opened anew after a rename, and after SIGUSR1 at once`() throws {
        let folder = try TemporaryFolder(), file = "\(folder.path)/access.log"
        let router = try RouterProcess(Self.policy("file: FOLDER/access.log", in: folder.path))
        _ = try router.chat("demo", fields: ["x-request-id: one"])
        try eventually("the file has a line") { lines(file).count == 1 }
        #expect(JSON(Array(lines(file)[0].utf8))?["request_id"]?.string == "one")
        #expect(rename(file, "\(file).1") == 0)
        _ = try router.chat("demo", fields: ["x-request-id: two"])
        try eventually("the new file has a line") { lines(file).count == 1 && lines(file)[0].contains("two") }
        #expect(lines("\(file).1").count == 1)
        #expect(rename(file, "\(file).2") == 0)
        router.process.signal(SIGUSR1)
        try eventually("there is a new file") { access(file, F_OK) == 0 }
        #expect(router.standardOutput.isEmpty && !router.process.hasExited)
    }

    @Test func `a reload moves the log, and one that names a file which can't be written changes nothing`() throws {
        let folder = try TemporaryFolder()
        let router = try RouterProcess(Self.policy("file: FOLDER/a.log", in: folder.path))
        try router.reload(Self.policy("file: FOLDER/b.log, slow: 6s", in: folder.path))
        _ = try router.chat("demo", fields: ["x-request-id: two"])
        try eventually("the new file has the line") { lines("\(folder.path)/b.log").contains { $0.contains("two") } }
        try router.reloadRefused(Self.policy("file: FOLDER/missing/c.log", in: folder.path))
        try router.waitForLog("missing/c.log' can't be written: no such file or directory")
        _ = try router.chat("demo", fields: ["x-request-id: three"])
        try eventually("the file has the line") { lines("\(folder.path)/b.log").contains { $0.contains("three") } }
    }

    @Test func `a file that can't be written is an error at the start and of check`() throws {
        for path in ["/no-such-folder/access.log", "/tmp"] {
            let text = "version: 1\nlisten: 127.0.0.1:0\n" + Self.policy("file: \(path)")
            let router = try RouterProcess(launching: Array(text.utf8))
            #expect(try router.process.waitForExit(within: .seconds(20)) == .code(78))
            let check = try RouterCommand(["check", "routes.yaml"], files: ["routes.yaml": text])
            #expect(check.exit == .code(1) && check.output.contains("'\(path)' can't be written: "), "\(check.output)")
        }
    }

    @Test func `check creates no file`() throws {
        let folder = try TemporaryFolder()
        let text = "version: 1\n" + Self.policy("file: FOLDER/access.log", in: folder.path)
        #expect(try RouterCommand(["check", "routes.yaml"], files: ["routes.yaml": text]).exit == .code(0))
        #expect(access("\(folder.path)/access.log", F_OK) != 0)
    }

    @Test func `a full disk is logged once, its lines are counted, and requests are served`() throws {
        let router = try RouterProcess(Self.policy("file: /dev/full"))
        for _ in 0..<3 { #expect(try router.chat("demo").status == 200) }
        try router.waitForLog("error the access log can't be written")
        try eventually("the lines are counted") { try router.metric("llm_router_log_dropped_total") >= 3 }
        #expect(router.standardError.contains("reason=\"no space left on device\""))
        #expect(router.standardError.split(separator: "\n").count { $0.contains("access log") } == 1)
    }

    @Test func `a named pipe that nobody reads delays no request`() throws {
        let folder = try TemporaryFolder(), pipe = "\(folder.path)/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        let reader = open(pipe, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let router = try RouterProcess(Self.policy("file: FOLDER/pipe, bodies: all", in: folder.path))
        let text = String(repeating: "word ", count: 3000)
        for _ in 0..<20 { #expect(try router.chat("demo", text).status == 200) }
        // The same for a reload away from it.
        try router.reload(Self.policy(""))
        #expect(try router.chat("demo").status == 200)
        _ = try router.waitForRecords(1)
    }

    @Test func `a reload changes the level of the operator's messages`() throws {
        let router = try RouterProcess(Self.policy(""))
        try router.reload(Self.policy("", level: "error"))
        try router.reload(Self.policy("slow: 1s", level: "error"))
        try router.reloadRefused("nonsense: 1")
        try router.waitForLog(" error the new policy cannot be used")
        #expect(!router.standardError.contains("policy reloaded"))
        try router.reload(Self.policy("slow: 2s"))
        try router.waitForLog(" notice policy reloaded")
    }

    @Test func `of fast requests that succeed a sample is logged, and every other request`() throws {
        let router = try RouterProcess(Self.policy("sample: 0"))
        #expect(try router.chat("demo").status == 200)
        #expect(try router.chat("gpt-9").status == 404)
        let records = try router.waitForRecords(1)
        #expect(records.map { $0["status"]?.int } == [404])
        try router.reload(Self.policy("sample: 0, slow: 0s"))
        #expect(try router.chat("demo").status == 200)
        #expect(try router.waitForRecords(2).map { $0["status"]?.int } == [404, 200])
        // All of them are counted and kept.
        #expect(try router.get("/admin/requests").json?["requests"]?.array?.count == 3)
    }

    @Test func `text has a line for each request`() throws {
        let router = try RouterProcess(Self.policy("format: text"))
        _ = try router.chat("demo", fields: ["x-request-id: one"])
        _ = try router.chat("gpt-\u{1B}9", fields: ["x-request-id: two"])
        try eventually("both are logged") { router.standardOutput.split(separator: "\n").count == 2 }
        let lines = router.standardOutput.split(separator: "\n")
        #expect(lines[0].contains("Z  200  ") && lines[0].contains("  chat          p/demo  ") && lines[0].hasSuffix("  id=one"))
        #expect(lines[1].contains("Z  404  ") && lines[1].contains("error=model_not_found") && lines[1].contains(#"gpt-\u{1b}9"#))
        #expect(!router.standardOutput.contains("\u{1B}"))
    }

    @Test func `bodies are logged as the policy wants it, without its secrets`() throws {
        let keys = "keys: { team: { secret: client-secret-of-team }, ops: { secret: admin-secret-of-ops, admin: true } }\n"
        let router = try RouterProcess(Self.policy("bodies: errors") + keys)
        let text = "my key is client-secret-of-team"
        _ = try router.chat("demo", text, key: "client-secret-of-team")
        _ = try router.chat("gpt-9", text, key: "client-secret-of-team")
        var records = try router.waitForRecords(2)
        #expect(records[0]["request_body"] == nil && records[0]["response_body"] == nil)
        #expect(records[1]["request_body"]?.string?.contains("my key is <secret>") == true)
        #expect(records[1]["response_body"]?.string?.contains("model_not_found") == true)
        try router.reload(Self.policy("bodies: all") + keys)
        _ = try router.stream("demo", text, key: "client-secret-of-team")
        _ = try router.chat("demo", String(repeating: "word ", count: 10_000), key: "client-secret-of-team")
        _ = try router.call("POST", "/admin/check", body: "a: 1", key: "admin-secret-of-ops")
        records = try router.waitForRecords(4)
        #expect(records[2]["request_body"]?.string?.contains("my key is <secret>") == true)
        #expect(records[2]["response_body"]?.string?.hasSuffix("data: [DONE]\n\n") == true)
        #expect(records[3]["request_body"]?.string?.utf8.count == 16 << 10)
        #expect(try router.waitForRecords(1, endpoint: "check")[0]["request_body"] == nil)
        #expect(!router.standardOutput.contains("secret-of-"))
        let kept = try router.get("/admin/requests", key: "admin-secret-of-ops").text
        #expect(!kept.contains("request_body") && !kept.contains("word word"))
    }
}
