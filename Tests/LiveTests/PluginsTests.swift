import Glibc
import TestSupport
import Testing

/// Plugins from libraries: loaded at the start, and replaced and removed by SIGHUP.
@Suite(.serialized) struct PluginsTests {
    /// A policy with the plugins in its folder.
    private static func policy(_ plugins: String = "plugins: ['*.so']", delay: String = "0s", more: String = "") -> String {
        """
        \(plugins)
        providers: { e: { plugin: echo, delay: \(delay) }, d: { plugin: demo } }
        models: { m: { provider: e }, d: { provider: d } }
        \(more)

        """
    }

    private func start(_ policy: String = policy(), version: String = "v0000") throws -> RouterProcess {
        try RouterProcess(policy, binaries: ["echo.so": EchoLibrary.bytes(version: version)])
    }

    /// Replaces the library by another version, and waits until it is in service.
    private func replace(_ router: RouterProcess, by version: String, _ bytes: [UInt8]? = nil, line: Int = #line) throws {
        let before = try router.policy()["digest"]
        try router.folder.write("echo.so", bytes ?? EchoLibrary.bytes(version: version))
        router.process.hangUp()
        try eventually("the version \(version) is in service; standard error:\n\(router.standardError)", within: .seconds(60), line: line) {
            let policy = try router.policy()
            return policy["digest"] != before && policy["last_reload"]?.string == "ok"
        }
    }

    @Test func `a loaded plugin serves clients of every API`() throws {
        let router = try start()
        #expect(try router.chat("m", "hi").content == "Echo v0000 says: hi")
        #expect(try router.stream("m", "hi").content == "Echo v0000 says: hi")
        let anthropic = try router.call(
            "POST", "/v1/messages", body: #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#)
        #expect(anthropic.json?["content"]?.array?.first?["text"]?.string == "Echo v0000 says: hi", "\(anthropic.text)")
        #expect(try router.policy()["plugins"]?.array?.first?.string?.hasPrefix("echo 1.0.0 (") == true)
    }

    @Test func `replacements under load break no stream, and each response is of one version`() throws {
        let (clients, replacements) = (scaled(16, soak: 64), scaled(20, soak: 1000))
        let router = try start(Self.policy(delay: "20ms"))
        let isOver = Watched(false)
        let (wrong, served, finished) = (Watched<[String]>([]), Watched<[String: Int]>([:]), Watched(0))
        for client in 0..<clients {
            Threads.start {
                var count = 0
                while !isOver.read({ $0 }) {
                    count += 1
                    let text = "client \(client) request \(count)"
                    let result = Result {
                        count % 4 == 0
                            ? try router.chat("m", text, within: .seconds(60)).content
                            : try router.stream("m", text, within: .seconds(60)).content
                    }
                    let content = (try? result.get()) ?? "nothing"
                    let version = content.dropFirst("Echo ".count).prefix(5)
                    if content == EchoLibrary.prefix(version: String(version)) + text {
                        served.update { $0[String(version), default: 0] += 1 }
                    } else {
                        wrong.update { $0.append("\(result)") }
                    }
                }
                finished.update { $0 += 1 }
            }
        }
        let before = router.figures.rss
        for index in 1...replacements {
            let digits = "000\(index)".suffix(4)
            // The two builds take turns, each time with another text.
            try replace(router, by: "v\(digits)", index % 2 == 1 ? EchoLibrary.nextBytes(version: "v\(digits)") : nil)
            #expect(try router.chat("m", "hi").content == "Echo v\(digits) says: hi")
            let isServed = served.wait(until: Deadline(.seconds(60))) { $0["v\(digits)"] != nil ? true : nil }
            #expect(isServed == true, "no client got a response of v\(digits)")
        }
        isOver.update { $0 = true }
        #expect(finished.wait(until: Deadline(.seconds(120))) { $0 == clients ? true : nil } == true)
        #expect(wrong.read { $0 } == [])
        #expect(try router.metric("llm_router_config_reload_failures_total") == 0)
        let perReload = (router.figures.rss - before) / replacements
        print("\(served.read { $0.values.reduce(0, +) }) responses of \(served.read(\.count)) versions; \(perReload) KiB per replacement")
        // Old libraries stay in memory, so that their streams can end.
        #expect(perReload < (try EchoLibrary.bytes().count) >> 10)
    }

    @Test func `a plugin that comes, changes and goes is named in the log and in health`() throws {
        let router = try RouterProcess(
            Self.policy("plugins: ['none/*.so']").replacing("plugin: echo", with: "plugin: demo"), binaries: [:])
        try router.folder.write("echo.so", try EchoLibrary.bytes(version: "v0001"))
        try router.reload(Self.policy())
        #expect(try router.policy()["plugin_changes"]?.array?.compactMap(\.string) == ["+ plugin echo"])
        try replace(router, by: "v0002")
        #expect(try router.policy()["plugin_changes"]?.array?.first?.string?.hasPrefix("~ plugin echo: build 1.0.0 (") == true)
        try router.waitForLog("~ plugin echo: build 1.0.0 (")
        try router.reload(Self.policy("").replacing("plugin: echo", with: "plugin: demo"))
        #expect(try router.policy()["plugin_changes"]?.array?.compactMap(\.string) == ["- plugin echo"])
        #expect(try router.chat("m", "hi").status == 200)
    }

    @Test func `a stream goes on with the code that it began with, also after the plugin is removed`() throws {
        let router = try start(Self.policy(delay: "100ms"))
        let client = try router.openStream("m", "a b c d e f")
        let head = try client.readHead()
        try router.reload(Self.policy("", delay: "0s").replacing("plugin: echo, delay: 0s", with: "plugin: demo"))
        let rest = try client.readRest(of: head)
        #expect(rest.content == "Echo v0000 says: a b c d e f")
        #expect(rest.isDone)
    }

    @Test func `a bad library changes nothing, and the log names the file and the next step`() throws {
        let router = try start()
        let echo = try EchoLibrary.bytes(version: "v0001")
        let tag = try #require(echo.firstRange(of: Array("llm-router\0".utf8), from: 0)).lowerBound + 12
        let zlib = try #require(["/lib/x86_64-linux-gnu/libz.so.1", "/lib/aarch64-linux-gnu/libz.so.1"].lazy.compactMap(readFile).first)
        let program = try #require(RouterBinary.path.flatMap(readFile))
        let bad: [(bytes: [UInt8], says: String, next: String)] = [
            (Array("not a library".utf8), "is not a shared library", "swift build"),
            ([], "is not a shared library", "swift build"),
            (Array(echo.prefix(echo.count * 2 / 3)), "is cut off", "mv"),
            (zlib, "is a library, but no plugin of llm-router", "docs/write-a-provider.md"),
            (echo.changed(at: tag, to: 0x78), "is built for kit 'x", "swift build -c release"),
            (echo.changed(at: 18, to: 8), "is built for another processor", "swift build -c release"),
            (echo.replacing("llm_router_plugin", with: "llm_router_plugiN"), "has no function 'llm_router_plugin'", "entry point"),
            (program, "can't be loaded", "ldd"),
            (try MisbehavingLibrary.bytes(fault: "entry---"), "has ended with the signal", "mv"),
            (try MisbehavingLibrary.bytes(fault: "options-"), "in 'readOptions(_:)'; it says", "author"),
        ]
        for (index, file) in bad.enumerated() {
            let written = router.process.errorLength
            try router.folder.write("echo.so", file.bytes)
            router.process.hangUp()
            try eventually("the file \(index) is refused") {
                try router.metric("llm_router_config_reload_failures_total") == Double(index + 1)
            }
            #expect(try router.chat("m", "hi").content == "Echo v0000 says: hi")
            try eventually("the log says '\(file.says)' of the file \(index)") {
                let log = String(router.standardError.utf8.dropFirst(written)) ?? ""
                return log.contains("echo.so") && log.contains(file.says) && log.contains(file.next)
            }
        }
        try replace(router, by: "v0003")
        try router.folder.write("twin.so", try EchoLibrary.bytes(version: "v0004"))
        router.process.hangUp()
        try router.waitForLog("has the name 'echo', which")
        #expect(try router.chat("m", "hi").content == "Echo v0003 says: hi")
    }

    @Test func `a library that crashes what loads it is refused at the start, by check and by the list`() throws {
        let folder = try TemporaryFolder()
        try folder.write("routes.yaml", Array("version: 1\nlisten: 127.0.0.1:0\n\(Self.policy())".utf8))
        try folder.write("echo.so", try MisbehavingLibrary.bytes(fault: "property"))
        for (command, code) in [("check", 1), ("plugins", 1), ("serve", 78)] as [(String, Int32)] {
            let run = try RouterCommand([command, "\(folder.path)/routes.yaml"])
            #expect(run.exit == .code(code))
            let text = run.output + run.errors
            #expect(text.contains("echo.so' is damaged, or its code fails") && text.contains("has ended with the signal"), "\(text)")
        }
    }

    @Test func `the log names the loaded plugins at the start, with the build and the file`() throws {
        let router = try start()
        let build = try #require(try router.policy()["plugins"]?.array?.first?.string).dropFirst("echo ".count)
        for part in ["plugin loaded", "build=\"\(build)\"", "echo.so", "plugin=echo"] {
            #expect(router.standardError.contains(part), "\(router.standardError)")
        }
    }

    @Test func `check loads the plugins, and help config and the list know them`() throws {
        let router = try start()
        let path = "\(router.folder.path)/routes.yaml"
        #expect(try RouterCommand(["check", path]).exit == .code(0))
        chmod("\(router.folder.path)/echo.so", 0o622)
        let refused = try RouterCommand(["check", path])
        #expect(refused.exit == .code(1))
        #expect(refused.output.contains("other users can write") && refused.output.contains("chmod go-w"), "\(refused.output)")
        chmod("\(router.folder.path)/echo.so", 0o600)
        let list = try RouterCommand(["plugins", path])
        #expect(list.exit == .code(0), "\(list.errors)")
        #expect(list.output.contains("built in") && list.output.contains("prefix delay"), "\(list.output)")
        let help = try RouterCommand(["help", "config", "providers.echo", "-c", path])
        #expect(help.output.contains("the text before the repeated one"), "\(help.errors)")
    }

    @Test func `the help of commands below others is found as it says`() throws {
        for arguments in [["plugins", "new"], ["key", "new"], ["plugins"]] {
            let help = try RouterCommand(["help"] + arguments)
            #expect(help.exit == .code(0) && help.output.contains("llm-router \(arguments.joined(separator: " "))"), "\(help.errors)")
        }
        #expect(try RouterCommand(["help", "plugins", "nwe"]).errors.contains("there is no command 'plugins nwe'"))
    }

    @Test(arguments: ["openai", "demo", "provider"]) func `a package with a name that the router has is refused`(name: String) throws {
        let run = try RouterCommand(["plugins", "new", name, "--router", Repository.root])
        #expect(run.exit == .code(2) && run.errors.contains("'\(name)' is taken"), "\(run.errors)")
    }

    @Test(arguments: ["null", "true", "no", "Acme", "a.b", "-a", "a-"]) func `a package with a name that is none is refused`(
        name: String
    ) throws {
        let run = try RouterCommand(["plugins", "new", "--router", Repository.root, "--", name])
        #expect(run.exit == .code(2) && run.errors.contains("is no name for a plugin"), "\(run.errors)")
    }

    @Test func `what is in the way of a new package is named, and stays`() throws {
        let folder = try TemporaryFolder()
        let new = "llm-router plugins new acme --router \(Repository.root)"
        for make in ["mkdir AcmeProvider", "touch AcmeProvider", "ln -s none AcmeProvider"] {
            let run = try ShellScript("\(make); code=0; \(new) || code=$?; rm -r AcmeProvider; exit $code", in: folder)
            #expect(run.exit == .code(1) && run.output.contains("'AcmeProvider' exists already"), "\(make): \(run.output)")
        }
        let gone = try ShellScript("mkdir gone; cd gone; rmdir ../gone; \(new)", in: folder)
        #expect(gone.exit == .code(1) && gone.output.contains("can't be made here: no such file or directory"), "\(gone.output)")
    }

    @Test func `the steps that a new package prints work one after another, as far as they need no build`() throws {
        let folder = try TemporaryFolder()
        let script = """
            llm-router plugins new acme --router '\(Repository.root)' > steps
            grep -E '^    (cd|swift|install)' steps | sed 's|swift test && swift build -c release|mkdir -p .build/release; touch .build/release/libAcmeProvider.so|; s|/etc/llm-router|'"$PWD"'/etc|' > run
            sh -e run && ls etc/plugins && grep '^    plugins: ' steps
            rm -r AcmeProvider etc steps run
            """
        let run = try ShellScript(script, in: folder)
        #expect(run.exit == .code(0) && run.output.contains("acme.so\n    plugins: [/etc/llm-router/plugins/acme.so]"), "\(run.output)")
    }

    @Test func `a folder with a quote and a line break in its name is written as Swift writes it`() throws {
        let folder = try TemporaryFolder()
        let script = """
            name=$(printf 'a"b\\nc\\\\d')
            mkdir -p "real$name/Examples"
            ln -s '\(Repository.root)/Examples/EchoProvider' "real$name/Examples/EchoProvider"
            llm-router plugins new acme --router "real$name" && grep '^let router' AcmeProvider/Package.swift
            code=$?
            rm -r AcmeProvider "real$name"
            exit $code
            """
        let run = try ShellScript(script, in: folder)
        #expect(run.output.contains(#"/reala\"b\nc\\d""#), "\(run.output)")
    }

    @Test func `a new package is the example under another name`() throws {
        let script = """
            llm-router plugins new acme-chat --router \(Repository.root)
            cat AcmeChatProvider/*.swift AcmeChatProvider/*/AcmeChatProvider*/*.swift
            rm -r AcmeChatProvider
            """
        let run = try ShellScript(script, in: try TemporaryFolder())
        #expect(run.exit == .code(0))
        #expect(run.output.contains("public static let name = \"acme-chat\"") && run.output.contains("let router = \"\(Repository.root)\""))
        #expect(!run.output.lowercased().contains("echo"), "\(run.output)")
    }
}

extension [UInt8] {
    fileprivate func changed(at index: Int, to byte: UInt8) -> [UInt8] {
        var bytes = self
        bytes[index] = byte
        return bytes
    }
}
