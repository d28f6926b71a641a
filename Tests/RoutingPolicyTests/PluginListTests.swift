import ConfigTree
import Glibc
import ProviderKit
import TestSupport
import Testing

@testable import RoutingPolicy

/// Takes the content of a file for the name of a plugin among a few.
private struct FakeLoader: PluginLoader {
    func load(_ path: String, _ bytes: [UInt8]) throws(PluginProblem) -> LoadedPlugin {
        let known: [String: any ProviderPlugin.Type] = [
            "fake": FakePlugin.self, "echo": EchoPlugin.self, "odd": OddlyNamedPlugin.self, "digit": DigitPlugin.self,
            "null": NullPlugin.self,
        ]
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ").map(String.init)
        guard let plugin = known[words.first ?? ""] else { throw PluginProblem("is broken", hint: "repair it") }
        return LoadedPlugin(
            plugin, path: path, kitTag: "kit", digest: bytes, unprobed: words.contains("unprobed") ? "operation not permitted" : nil)
    }
}

private enum OddlyNamedPlugin: ProviderPlugin {
    static let name = "Odd\nname"

    static func readOptions(_ fields: inout FieldReader) -> EchoPlugin.Options? { EchoPlugin.readOptions(&fields) }

    static func makeProvider(_ options: EchoPlugin.Options) -> any Provider { EchoPlugin.makeProvider(options) }
}

private enum NullPlugin: ProviderPlugin {
    static let name = "null"

    static func readOptions(_ fields: inout FieldReader) -> EchoPlugin.Options? {
        fields.describe("text", "red\u{1B}[31m\nnext line")
        return EchoPlugin.readOptions(&fields)
    }

    static func makeProvider(_ options: EchoPlugin.Options) -> any Provider { EchoPlugin.makeProvider(options) }
}

private enum DigitPlugin: ProviderPlugin {
    static let name = "1bad"
    static let version: String? = "1\u{1B}[2J\n" + String(repeating: "0", count: 1 << 20)

    static func readOptions(_ fields: inout FieldReader) -> EchoPlugin.Options? { EchoPlugin.readOptions(&fields) }

    static func makeProvider(_ options: EchoPlugin.Options) -> any Provider { EchoPlugin.makeProvider(options) }
}

@Suite("the plugins that a policy loads")
struct PluginListTests {
    private static let echo = "providers: { p: { plugin: echo } }\nmodels: { m: { provider: p } }\n"

    private func load(
        _ plugins: String, _ rest: String = echo, files: [String: String] = ["plugins/e.so": "echo 1"],
        builtin: [any ProviderPlugin.Type] = [], loader: (any PluginLoader)? = FakeLoader(), path: String = "routes.yaml",
        variables: [String: String] = [:], unlisted: [String: String] = [:]
    ) -> PolicyReport {
        var source = MemorySource(files.merging([path: "version: 1\nplugins: \(plugins)\n\(rest)"]) { $1 }, variables: variables)
        source.unlisted = unlisted
        return PolicyLoader(plugins: builtin, source: source, pluginLoader: loader).load(path: path)
    }

    private func errors(_ report: PolicyReport) -> [String] { report.issues.filter { $0.severity == .error }.map(\.message) }

    @Test("a path or a glob is relative to the file that names it", arguments: ["plugins/e.so", "[./plugins/*]", "/etc/r/plugins/e.so"])
    func paths(plugins: String) {
        let report = load(plugins, files: ["/etc/r/plugins/e.so": "echo 1"], path: "/etc/r/routes.yaml")
        #expect(report.policy?.plugins.map(\.path) == ["/etc/r/plugins/e.so"], "\(report.rendered())")
        #expect(report.policy?.providers.first?.settings != nil)
    }

    @Test("a file that several patterns match is loaded once")
    func twice() {
        #expect(load("[plugins/e.so, plugins/*]").policy?.plugins.count == 1)
    }

    @Test("the options of a loaded plugin are known, and others are not")
    func options() {
        let report = load("plugins/e.so", "providers: { p: { plugin: echo, delay: 1s, delai: 2s } }\nmodels: { m: { provider: p } }\n")
        #expect(errors(report) == ["unknown key 'delai'; did you mean 'delay'?"], "\(report.rendered())")
    }

    @Test("each library that can't be loaded is one error at its pattern, and the plugin that it may have is not missed")
    func broken() {
        let report = load("[plugins/e.so, plugins/none.so]", files: ["plugins/e.so": "nothing"])
        #expect(
            errors(report) == ["plugin 'plugins/e.so' is broken", "plugin 'plugins/none.so' does not exist"], "\(report.rendered())")
        #expect(report.issues.first?.hint == "repair it")
        #expect(report.issues.map(\.position.column) == [11, 25])
    }

    @Test(
        "a pattern with a variable is shown without its value, and the file that it matches is named",
        arguments: [
            ("${D}/*.so", "${D}/*.so (b.so)", "${D}/*.so (a.so)"), ("${D:-x}/[ab]*", "${D:-x}/[ab]* (b.so)", "${D:-x}/[ab]* (a.so)"),
            ("${G}", "${G} (b.so)", "${G} (a.so)"), ("/s3cret/*.so", "/s3cret/b.so", "/s3cret/a.so"),
        ])
    func variables(pattern: String, second: String, first: String) {
        let variables = ["D": "/s3cret", "G": "/s3cret/*.so"]
        func report(_ a: String, _ b: String) -> PolicyReport {
            load("[\"\(pattern)\"]", files: ["/s3cret/a.so": a, "/s3cret/b.so": b], variables: variables)
        }
        #expect(errors(report("none", "none")) == ["plugin '\(first)' is broken", "plugin '\(second)' is broken"])
        #expect(errors(report("echo 1", "echo 2")) == ["plugin '\(second)' has the name 'echo', which '\(first)' has already"])
        #expect(report("echo 1", "fake 1").policy?.plugins.map(\.path) == [first, second])
    }

    @Test("what globs in several places stand for is shown, and nothing between them")
    func places() {
        #expect(shownMatch("/a/one/s3cret/two.so", of: "/a/*/s3cret/t?o.so") == " (one/two.so)")
        #expect(shownMatch("/a/b.so", of: "/a/b.so") == "")
    }

    @Test("a folder that can't be listed is an error, with the reason")
    func unlisted() {
        for (pattern, folder) in [("plugins/*.so", "plugins"), ("/etc/p/*/*.so", "/etc/p")] {
            let report = load(pattern, files: [:], builtin: [EchoPlugin.self], unlisted: [folder: "permission denied"])
            #expect(errors(report) == ["'\(pattern)' can't be looked for: its folder can't be read: permission denied"])
        }
        let include = MemorySource(["routes.yaml": "version: 1\ninclude: [conf.d/*.yaml]\n\(Self.echo)"])
        var source = include
        source.unlisted = ["conf.d": "permission denied"]
        let report = PolicyLoader(plugins: [EchoPlugin.self], source: source).load(path: "routes.yaml")
        #expect(errors(report) == ["'conf.d/*.yaml' can't be looked for: its folder can't be read: permission denied"])
    }

    @Test("the system says why a folder can't be listed, and that a missing one is empty")
    func listing() throws {
        let folder = try TemporaryFolder(), source = SystemPolicySource()
        symlink("loop", "\(folder.path)/loop")
        defer { unlink("\(folder.path)/loop") }
        #expect(source.problem(listing: folder.path) == nil && source.problem(listing: "\(folder.path)/none") == nil)
        #expect(source.problem(listing: "\(folder.path)/loop") == "too many levels of symbolic links")
    }

    @Test("a plugin that had no probe is a warning, at its pattern")
    func unprobed() {
        let report = load("plugins/e.so", files: ["plugins/e.so": "echo unprobed"])
        #expect(report.policy != nil)
        #expect(
            report.issues.map(\.message) == [
                "plugin 'plugins/e.so' is loaded without a probe in another process: operation not permitted"
            ])
    }

    @Test("a plugin's texts can't move the cursor of a terminal")
    func texts() throws {
        let reference = OptionReference(plugins: [NullPlugin.self])
        let shown = try #require(reference.text("providers.null"))
        #expect(shown.contains("red?[31m?next line"), "\(shown)")
    }

    @Test("a name that is taken, or is none, is refused")
    func names() {
        let two = load("plugins/*", files: ["plugins/a.so": "echo 1", "plugins/b.so": "echo 2"])
        #expect(errors(two) == ["plugin 'plugins/b.so' has the name 'echo', which 'plugins/a.so' has already"])
        #expect(
            errors(load("plugins/e.so", builtin: [EchoPlugin.self])) == [
                "plugin 'plugins/e.so' has the name 'echo', which a built-in plugin has"
            ])
        let odd = load("plugins/e.so", files: ["plugins/e.so": "odd"])
        #expect(errors(odd).count == 1 && !errors(odd)[0].contains("\n") && errors(odd)[0].contains("no name of a plugin"))
        #expect(errors(load("plugins/e.so", files: ["plugins/e.so": "null"])).first?.contains("'null', which is no name") == true)
        #expect(errors(load("plugins/e.so", files: ["plugins/e.so": "digit"])).first?.contains("'1bad', which is no name") == true)
    }

    @Test("the build of a plugin is one short line, whatever its version says")
    func version() {
        let build = LoadedPlugin(DigitPlugin.self, path: "", kitTag: "", digest: Array(repeating: 1, count: 32)).build
        #expect(build.hasPrefix("1?[2J?000") && build.hasSuffix("0 (010101010101)") && build.count < 90)
    }

    @Test("a plugin that no library has is looked for in 'plugins'")
    func missing() {
        let report = load("none/*", "providers: { p: { plugin: distant } }\nmodels: { m: { provider: p } }\n", builtin: [EchoPlugin.self])
        #expect(report.issues.first { $0.severity == .error }?.hint?.contains("'plugins' at the top of the file") == true)
    }

    @Test("a pattern without a match is a warning")
    func noMatch() {
        let report = load("none/*", "providers: { p: { plugin: echo } }\nmodels: { m: { provider: p } }\n", builtin: [EchoPlugin.self])
        #expect(report.policy?.plugins.isEmpty == true)
        #expect(report.issues.map(\.message) == ["'none/*' matches no file"])
    }

    @Test("a build without a loader says so")
    func staticBuild() {
        let report = load("plugins/e.so", builtin: [EchoPlugin.self], loader: nil)
        #expect(errors(report) == ["this is the static build of the router, which loads no plugins"])
    }

    @Test("a difference names the plugins that came, changed and went, and so does the digest")
    func difference() throws {
        let files = ["plugins/1.so": "echo 1", "plugins/2.so": "echo 2", "plugins/f.so": "fake 1"]
        let (one, two, both) = (
            try #require(load("plugins/1.so", files: files).policy), try #require(load("plugins/2.so", files: files).policy),
            try #require(load("[plugins/1.so, plugins/f.so]", files: files).policy)
        )
        #expect(PolicyDifference.plugins(from: one, to: both) == ["+ plugin fake"])
        #expect(PolicyDifference.plugins(from: both, to: one) == ["- plugin fake"])
        #expect(
            PolicyDifference.words(from: one, to: two, draining: [:]) == [
                "~ plugin echo: build \(one.plugins[0].build) -> \(two.plugins[0].build)"
            ])
        #expect(Set([one.digest, two.digest, both.digest]).count == 3)
    }
}
