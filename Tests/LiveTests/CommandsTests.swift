import TestSupport
import Testing

/// The commands that set up and watch a router: `key new`, `health`, `--version` and `--env-file`.
@Suite struct CommandsTests {
    private static let demo = "providers: { demo: { plugin: demo } }\nmodels: { small: { provider: demo } }\n"

    @Test func `a new key is printed once, and the policy with its hash admits it`() throws {
        let made = try RouterCommand(["key", "new", "team", "--models", "small", "tag:fast", "--endpoints", "chat"])
        #expect(made.exit == .code(0), "\(made.errors)")
        let lines = made.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let secret = lines[0]
        let policy = lines.dropFirst().joined(separator: "\n")
        #expect(secret.hasPrefix("sk-") && !policy.contains(secret))
        let router = try RouterProcess(Self.demo.replacing("provider: demo", with: "provider: demo, tags: [fast]") + policy)
        #expect(try router.call("POST", "/v1/embeddings", body: "{}", key: secret).status == 403)
        #expect(try router.get("/v1/models").status == 401)
        let response = try router.chat("small", key: secret)
        #expect(response.status == 200, "\(response.text)")
    }

    @Test func `a new key has a budget and an end, and a running router makes the same`() throws {
        let arguments = ["--budget", "50usd,1000000tokens/day", "--expires", "2999-01-31"]
        let made = try RouterCommand(["key", "new", "team", "--models", "small"] + arguments)
        #expect(made.exit == .code(0), "\(made.errors)")
        let policy = made.output.split(separator: "\n").dropFirst().joined(separator: "\n")
        #expect(policy.contains("budget: { usd: 50, tokens: 1000000, per: day }"))
        let checked = try RouterCommand(["check", "a.yaml"], files: ["a.yaml": "version: 1\n\(Self.demo)\(policy)\n"])
        #expect(checked.exit == .code(0), "\(checked.output)")

        let router = try RouterProcess(Self.demo + policy + "\n  ops: { secret: admin-secret-of-ops, admin: true }\n")
        let query = "name=team&models=small&budget=50usd,1000000tokens/day&expires=2999-01-31"
        let key = try router.get("/tools/generate_key?\(query)", key: "admin-secret-of-ops")
        #expect(key.status == 200 && key.head["cache-control"] == "no-store")
        let secret = try #require(key.json?["key"]?.string), digest = try #require(key.json?["sha256"]?.string)
        let lines = try #require(key.json?["yaml"]?.string)
        #expect(lines.contains(digest) && !lines.contains(secret))
        func shape(_ text: String) -> String { text.replacing(#/[0-9a-f]{64}/#, with: "HASH") }
        #expect(shape(lines) == shape(policy + "\n"))
        let text = try router.call("GET", "/tools/generate_key", key: "admin-secret-of-ops", fields: ["Accept: text/plain"])
        #expect(text.text.hasPrefix("sk-") && text.text.contains("\n\nkeys:\n"))
        #expect(try router.get("/tools/generate_key").status == 401)
        for (query, words) in [("name=a/b", "the name of key"), ("budget=much", "50usd/month"), ("admin=yes", "true or false")] {
            let refused = try router.get("/tools/generate_key?\(query)", key: "admin-secret-of-ops")
            #expect(refused.status == 400 && refused.text.contains(words), "\(refused.text)")
        }
    }

    @Test func `a list of models or operations may have commas`() throws {
        let made = try RouterCommand(["key", "new", "team", "--models", "small,tag:fast", "demo/*", "--endpoints", "chat,models"])
        #expect(made.exit == .code(0) && made.output.contains("models: [small, tag:fast, \"demo/*\"]"), "\(made.output)")
        #expect(made.output.contains("endpoints: [chat, models]"), "\(made.output)")
    }

    @Test(arguments: [
        ["--models", ""], ["--models", "a,"], ["--models", ","], ["--endpoints", ""], ["--endpoints", "chat", ""], ["--budget", ""],
        ["--budget", "5usd/day", "--budget", "5tokens/month"],
    ])
    func `an empty value of a shell's variable makes no key`(arguments: [String]) throws {
        let made = try RouterCommand(["key", "new", "team"] + arguments)
        #expect(made.exit == .code(2) && !made.output.contains("sk-"), "\(made.output)")
    }

    @Test func `budgets that are given one by one are one budget`() throws {
        let made = try RouterCommand(["key", "new", "team", "--budget", "50usd/month", "--budget", "1000tokens/month"])
        #expect(made.output.contains("budget: { usd: 50, tokens: 1000, per: month }"), "\(made.errors)")
    }

    @Test func `init takes '-' for no file`() throws {
        let made = try RouterCommand(["init", "-", "--yes"])
        #expect(made.exit == .code(2) && made.errors.contains("name the file"), "\(made.errors)")
    }

    @Test func `an import without models says so`() throws {
        let made = try RouterCommand(["import", "a.yaml"], files: ["a.yaml": "model_list: {}\n"])
        #expect(made.errors.contains("no model is left"), "\(made.errors)")
    }

    @Test func `check says that a file of state can't be used`() throws {
        let folder = try TemporaryFolder()
        try folder.write("old.db", [])
        for (path, words) in [
            ("\(folder.path)/state.db", "a.yaml: ok"), ("\(folder.path)/old.db", "a.yaml: ok"), (folder.path, "is no file"),
            ("\(folder.path)/none/state.db", "no such file"), ("/proc/state.db", "no file can be made in '/proc'"),
            ("\(folder.path)/old.db/state.db", "not a directory"),
        ] {
            let policy = "version: 1\n\(Self.demo)state: { file: \(path) }\n"
            let checked = try RouterCommand(["check", "--strict", "a.yaml"], files: ["a.yaml": policy])
            let isRight = words == "a.yaml: ok"
            #expect(checked.exit == .code(isRight ? 0 : 1) && checked.output.contains(words), "\(checked.output)")
            #expect(isRight || checked.output.contains("a.yaml:4:"), "\(checked.output)")
        }
        #expect(entries(folder.path) == ["old.db"], "a check leaves nothing")
    }

    @Test(arguments: [
        ["a b"], [""], ["a/b"], ["team", "--expires", "2020-01-01"], ["team", "--expires", "2020-01-01T00:00:00Z"],
        ["team", "--endpoints", "chats"], ["team", "--budget", "50"], ["team", "--budget", "0usd/month"],
        ["team", "--budget", "5usd/year"], ["team", "--budget", "5usd,6usd/day"], ["team", "--budget", "1.5tokens"],
        ["team", "--budget", ""], ["team", "--budget", "9e99usd"], ["team", "--expires", "soon"],
    ])
    func `a key that no policy could hold is refused`(arguments: [String]) throws {
        let made = try RouterCommand(["key", "new"] + arguments)
        #expect(made.exit == .code(2) && made.output.isEmpty, "\(made.output)\(made.errors)")
    }

    @Test(arguments: [("/nowhere", "no such file or directory"), ("/etc/hostname", "not a directory"), ("/var/tmp", nil), ("/tmp", nil)])
    func `a folder that can't keep uploads is an error of the policy`(folder: String, problem: String?) throws {
        let policy = "version: 1\nserver: { spool: \(folder) }\n\(Self.demo)"
        let checked = try RouterCommand(["check", "a.yaml"], files: ["a.yaml": policy])
        #expect(checked.exit == .code(problem == nil ? 0 : 1), "\(checked.output)")
        if let problem { #expect(checked.output.contains("a.yaml:2:18: error: can't keep uploads in '\(folder)': \(problem)")) }
    }

    @Test func `health says whether a router serves`() throws {
        let router = try RouterProcess(Self.demo)
        for path in ["", "/", "/readyz"] {
            let asked = try RouterCommand(["health", "http://127.0.0.1:\(router.port)\(path)"])
            #expect(asked.exit == .code(0), "\(asked.errors)")
            #expect(asked.json?["status"]?.string == "ok")
        }
        let wrong = try RouterCommand(["health", "http://127.0.0.1:\(router.port)/nothing"])
        #expect(wrong.exit == .code(1) && wrong.errors.contains("responds with 404"), "\(wrong.errors)")
        let port = router.port
        router.process.kill()
        let gone = try RouterCommand(["health", "http://127.0.0.1:\(port)"])
        #expect(gone.exit == .code(1) && gone.errors.contains("can't be reached"), "\(gone.errors)")
        #expect(try RouterCommand(["health", "127.0.0.1:8080"]).exit == .code(2))
    }

    @Test func `the version names the compiler's too`() throws {
        let asked = try RouterCommand(["--version"])
        #expect(asked.exit == .code(0))
        #expect(
            asked.output.firstMatch(of: #/^\d+\.\d+\.\d+ \((commit [0-9a-f]{12}(-dirty)?, )?Swift \d+\.\d+\)\n$/#) != nil,
            "\(asked.output)")
    }

    @Test func `a reload reads the file of variables again`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("hello"))
        let policy = """
            providers: { p: { plugin: openai-compatible, base_url: "http://127.0.0.1:\(upstream.port)/v1", api_key: "${KEY}" } }
            models: { m: { provider: p } }

            """
        let router = try RouterProcess(policy, files: [".env": "KEY=first-key-0123456789\n"])
        #expect(try router.chat("m").status == 200)
        try router.folder.write(".env", Array("KEY='second-key-0123456789'\n".utf8))
        try router.reload(policy)
        #expect(try router.chat("m").status == 200)
        #expect(upstream.requests.map { $0.head["authorization"] } == ["Bearer first-key-0123456789", "Bearer second-key-0123456789"])
    }

    @Test func `a file of variables can be named, and must then be right`() throws {
        let files = [
            "a.yaml": "version: 1\nproviders: { demo: { plugin: demo, delay: \"${DELAY}\" } }\nmodels: { m: { provider: demo } }\n"
        ]
        let right = try RouterCommand(["check", "a.yaml", "--env-file", "x.env"], files: files.merging(["x.env": "DELAY=1ms"]) { $1 })
        #expect(right.exit == .code(0), "\(right.output)")
        let wrong = try RouterCommand(
            ["check", "a.yaml", "--env-file", "x.env"], files: files.merging(["x.env": "DELAY=1ms\nDELAY\n"]) { $1 })
        #expect(wrong.exit == .code(1) && wrong.output.contains("x.env:2:1: error: this line is not 'NAME=VALUE'"), "\(wrong.output)")
    }

    @Test func `a first policy is for the keys that are found, and serves`() throws {
        let folder = try TemporaryFolder()
        try folder.write(".env", Array("OPENAI_API_KEY=x\n".utf8))
        let made = try ShellScript(
            "GEMINI_API_KEY=x llm-router init --yes && cat routes.yaml && llm-router check && llm-router init --yes", in: folder)
        #expect(made.output.contains("wrote routes.yaml: openai, gemini"), "\(made.output)")
        #expect(made.output.contains("api_key: \"${OPENAI_API_KEY}\""), "\(made.output)")
        #expect(made.output.contains("routes.yaml: ok: 2 providers"), "\(made.output)")
        #expect(made.exit == .code(2) && made.output.contains("file 'routes.yaml' exists already"), "\(made.output)")
    }

    @Test func `a first policy for other machines prints its key once`() throws {
        let folder = try TemporaryFolder()
        let made = try ShellScript(
            "llm-router init mine.yaml --listen :8080 && llm-router check mine.yaml --strict && ! grep sk- mine.yaml", in: folder)
        #expect(made.exit == .code(0), "\(made.output)")
        #expect(made.output.split(separator: "\n").count { $0.hasPrefix("sk-") } == 1)
    }

    @Test func `an import is written to a new file only`() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.yaml", Array("model_list: [{ model_name: a, litellm_params: { model: openai/gpt-4o } }]".utf8))
        let made = try ShellScript(
            "llm-router import config.yaml --write new.yaml && llm-router check new.yaml && llm-router import config.yaml --write new.yaml",
            in: folder)
        #expect(made.exit == .code(2) && made.output.contains("new.yaml: ok: 1 provider"), "\(made.output)")
        #expect(made.output.contains("file 'new.yaml' exists already"), "\(made.output)")
        let broken = try ShellScript("echo 'a: [' > bad.yaml; llm-router import bad.yaml", in: folder)
        #expect(broken.exit == .code(1) && broken.output.contains("bad.yaml:"), "\(broken.output)")
    }

    @Test(arguments: ["init --yes nowhere/routes.yaml", "import config.yaml --write nowhere/new.yaml"])
    func `a file that can't be written is a failure, and no bad usage`(command: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("config.yaml", Array("model_list: [{ model_name: a, litellm_params: { model: openai/gpt-4o } }]".utf8))
        let run = try ShellScript("llm-router \(command)", in: folder)
        #expect(run.exit == .code(1) && run.output.contains("' can't be written: No such file"), "\(run.output)")
        #expect(!run.output.contains("Usage:"), "\(run.output)")
    }

    @Test(arguments: [("--markdown", "docs/reference.md"), ("--json-schema", "docs/routes.schema.json")])
    func `the reference in the documents is that of the program`(option: String, path: String) throws {
        let printed = try RouterCommand(["help", "config", option])
        #expect(printed.exit == .code(0), "\(printed.errors)")
        #expect(try Repository.read(path) == printed.output, "'\(path)' is out of date; run 'make reference'")
    }

    @Test func `a form of the reference belongs to all options`() throws {
        for arguments in [
            ["help", "--markdown"], ["help", "config", "retry", "--json-schema"], ["help", "config", "--markdown", "--json-schema"],
        ] {
            #expect(try RouterCommand(arguments).exit == .code(2), "\(arguments)")
        }
    }
}
