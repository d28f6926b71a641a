import ConfigTree
import Glibc
import ProviderKit
import RoutingPolicy
import TestSupport
import Testing

@testable import PluginLoading

@Suite("loading plugins from libraries")
struct PluginLibrariesTests {
    /// A folder with one file, as the router finds it.
    private final class Installed {
        let folder: TemporaryFolder
        let path: String

        init(_ bytes: [UInt8], fileMode: mode_t = 0o600, folderMode: mode_t = 0o700) throws {
            folder = try TemporaryFolder()
            path = "\(folder.path)/plugin.so"
            try folder.write("plugin.so", bytes)
            chmod(path, fileMode)
            chmod(folder.path, folderMode)
        }
    }

    private func load(
        _ installed: Installed, _ bytes: [UInt8], with loader: PluginLibraries = PluginLibraries(probe: nil)
    ) throws(PluginProblem) -> LoadedPlugin {
        try loader.load(installed.path, bytes)
    }

    @Test("a library's plugin works with the types of the process")
    func works() throws {
        let bytes = try EchoLibrary.bytes()
        let plugin = try load(try Installed(bytes), bytes)
        #expect(plugin.name == "echo")
        #expect(plugin.kitTag == KitTag.own)
        #expect(plugin.build.wholeMatch(of: /1\.0\.0 \([0-9a-f]{12}\)/) != nil)
        #expect(OptionReference(plugins: [plugin.plugin]).options(ofPlugin: "echo") == ["prefix", "delay"])
    }

    @Test("the same bytes give the same plugin, and other bytes another one, while the first still works")
    func versions() throws {
        let first = try EchoLibrary.bytes(), second = try EchoLibrary.bytes(version: "2.0.0")
        let loader = PluginLibraries(probe: nil)
        let old = try load(try Installed(first), first, with: loader)
        let new = try load(try Installed(second), second, with: loader)
        #expect(ObjectIdentifier(try load(try Installed(first), first, with: loader).plugin) == ObjectIdentifier(old.plugin))
        #expect(ObjectIdentifier(new.plugin) != ObjectIdentifier(old.plugin))
        #expect(old.build != new.build)
        #expect(try response(of: old.plugin).contains("Echo 1.0.0 says: hi"))
        #expect(try response(of: new.plugin).contains("Echo 2.0.0 says: hi"))
        #expect(try response(of: old.plugin).contains("Echo 1.0.0 says: hi"))
    }

    private func response<Plugin: ProviderPlugin>(of plugin: Plugin.Type) throws -> String {
        var fields = FieldReader([], at: SourcePosition(file: "routes.yaml", line: 1, column: 1))
        let provider = plugin.makeProvider(try #require(plugin.readOptions(&fields)))
        let call = Call(
            operation: .chat, model: "m", isStream: false, format: WireFormat("any"),
            payload: .chat(ChatRequest(messages: [ChatMessage(.user, "hi")])))
        return String(decoding: provider.response(to: call, body: [UInt8]().span.bytes).chunks.flatMap(\.bytes), as: UTF8.self)
    }

    @Test("a library for another kit is refused before it runs")
    func otherKit() throws {
        let bytes = try EchoLibrary.bytes()
        let error = try #require(throws: PluginProblem.self) {
            try load(try Installed(bytes), bytes, with: PluginLibraries(kitTag: "0123456789abcdef swift-6.9", probe: nil))
        }
        #expect(error.message == "is built for kit '\(KitTag.own)', and this router has '0123456789abcdef swift-6.9'")
        #expect(error.hint.contains("swift build -c release"))
    }

    @Test("a file that is no plugin says what it is instead")
    func others() throws {
        let echo = try EchoLibrary.bytes()
        let cases: [(bytes: [UInt8], message: String)] = [
            (Array("#!/bin/sh\n".utf8), "is not a shared library"),
            ([], "is not a shared library"),
            (Array(echo.prefix(echo.count / 2)), "is cut off"),
            (echo.replacing("llm-router\0", with: "llm-Router\0"), "is a library, but no plugin of llm-router"),
            (echo.replacing("llm_router_plugin", with: "llm_router_plugiN"), "has no function 'llm_router_plugin'"),
        ]
        for (bytes, message) in cases {
            let error = #expect(throws: PluginProblem.self) { try load(try Installed(bytes), bytes) }
            #expect(error?.message == message)
        }
    }

    @Test("a file or folder that others can write is refused", arguments: [(0o620, 0o700), (0o602, 0o700), (0o600, 0o720), (0o600, 0o707)])
    func writable(fileMode: Int, folderMode: Int) throws {
        let bytes = try EchoLibrary.bytes()
        let installed = try Installed(bytes, fileMode: mode_t(fileMode), folderMode: mode_t(folderMode))
        let error = try #require(throws: PluginProblem.self) { try load(installed, bytes) }
        #expect(error.message.contains("other users can write"))
        #expect(error.hint.contains("chmod go-w"))
    }

    @Test("a file of another user is refused", .enabled(if: geteuid() == 0, "only root can give files away"))
    func foreign() throws {
        let bytes = try EchoLibrary.bytes(), installed = try Installed(bytes)
        chown(installed.path, 12345, 12345)
        let error = try #require(throws: PluginProblem.self) { try load(installed, bytes) }
        #expect(error.message == "is a file that belongs to another user (12345), who could run code as the router")
    }

    @Test("the folder that a link leads to is checked too")
    func link() throws {
        let bytes = try EchoLibrary.bytes(), target = try Installed(bytes, folderMode: 0o777), folder = try TemporaryFolder()
        symlink(target.path, "\(folder.path)/link.so")
        let error = try #require(throws: PluginProblem.self) { try loader.load("\(folder.path)/link.so", bytes) }
        #expect(error.message.contains(target.folder.path))
    }

    private let loader = PluginLibraries(probe: nil)

    @Test("every folder on the way of links is checked", arguments: [0o700, 0o755, 0o777, 0o1777])
    func chain(mode: Int) throws {
        let bytes = try EchoLibrary.bytes(), target = try Installed(bytes), folder = try TemporaryFolder(), middle = try TemporaryFolder()
        let links = ["\(middle.path)/link.so", "\(folder.path)/link.so"]
        symlink("../\(target.folder.path.split(separator: "/").last ?? "")/./plugin.so", links[0])
        symlink(links[0], links[1])
        defer { for link in links { unlink(link) } }
        chmod(middle.path, mode_t(mode))
        defer { chmod(middle.path, 0o700) }
        guard mode & 0o022 != 0 else { return #expect(try loader.load(links[1], bytes).name == "echo") }
        let error = try #require(throws: PluginProblem.self) { try loader.load(links[1], bytes) }
        #expect(error.message.contains("'\(middle.path)', which other users can write"))
    }

    @Test("a link that another user has made in a shared folder is refused", .enabled(if: geteuid() == 0, "only root can give files away"))
    func foreignLink() throws {
        let bytes = try EchoLibrary.bytes(), target = try Installed(bytes), folder = try TemporaryFolder()
        let link = "\(folder.path)/link", path = "\(link)/plugin.so"
        symlink(target.folder.path, link)
        defer { unlink(link) }
        chmod(folder.path, 0o1777)
        #expect(try loader.load(path, bytes).name == "echo")
        lchown(link, 12345, 12345)
        let error = try #require(throws: PluginProblem.self) { try loader.load(path, bytes) }
        // Linux itself may refuse to follow it. Source: proc(5), `protected_symlinks`.
        let reasons = [
            "is reached by the link '\(link)', which belongs to another user (12345), who could run code as the router",
            "can't be read: permission denied",
        ]
        #expect(reasons.contains(error.message))
    }

    @Test("a folder above that others can write is refused, unless it is sticky", arguments: [0o777, 0o1777])
    func ancestor(mode: Int) throws {
        let bytes = try EchoLibrary.bytes(), installed = try Installed(bytes)
        // Under /tmp, which is sticky.
        #expect(try load(installed, bytes).name == "echo")
        let outer = try TemporaryFolder(), inner = "\(outer.path)/inner"
        mkdir(inner, 0o700)
        defer { for path in ["\(inner)/plugin.so", inner] { remove(path) } }
        rename(installed.path, "\(inner)/plugin.so")
        chmod(outer.path, mode_t(mode))
        let error: PluginProblem?
        do throws(PluginProblem) { (_, error) = (try loader.load("\(inner)/plugin.so", bytes), nil) } catch let other {
            error = other
        }
        #expect(
            error?.message
                == (mode == 0o777
                    ? "is below the folder '\(outer.path)', which other users can write, who could run code as the router" : nil))
    }

    @Test("a file that has other bytes when it is checked is refused")
    func changed() throws {
        let bytes = try EchoLibrary.bytes(), installed = try Installed(bytes)
        for other in [try EchoLibrary.bytes(version: "2.0.0"), Array(bytes.dropLast()), bytes + [0]] {
            #expect(throws: PluginProblem.self) { try load(installed, other) }
        }
    }

    @Test("no copy is left behind")
    func copies() throws {
        var copy: PrivateCopy? = try PrivateCopy([1, 2, 3], name: "x.so")
        let path = try #require(copy?.path)
        #expect(readFile(path) == [1, 2, 3])
        let steps = "\(copy?.folder ?? "")/steps"
        fclose(fopen(steps, "w"))
        copy = nil
        #expect(readFile(path) == nil && readFile(steps) == nil)
    }

    @Test(
        "a copy has the name of its file and the beginning of its hash",
        arguments: [
            ("/etc/plugins/acme.so", "acme-0123456789ab.so"), ("a/acme-2.1.so", "acme-2_1-0123456789ab.so"),
            ("né\u{1B}w.so", "n__w-0123456789ab.so"),
            (String(repeating: "x", count: 200) + ".so", String(repeating: "x", count: 100) + "-0123456789ab.so"),
        ])
    func copyName(path: String, name: String) {
        #expect(PrivateCopy.name(of: path, "0123456789abcdef0123") == name)
    }
}
