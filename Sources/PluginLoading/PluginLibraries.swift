import Codecs
import Crypto
import Glibc
import ProviderKit
package import RoutingPolicy
import Synchronization

/// Loads plugins from shared libraries. A library is never unloaded: streams, providers and the Swift runtime keep
/// pointers into it.
package final class PluginLibraries: PluginLoader {
    /// By the SHA-256 of the library.
    private let loaded = Mutex<[[UInt8]: LoadedPlugin]>([:])
    private let kitTag: String

    package convenience init() { self.init(kitTag: KitTag.own) }

    /// - Parameter kitTag: the tag that a library must have.
    init(kitTag: String) { self.kitTag = kitTag }

    package func load(_ path: String, _ bytes: [UInt8]) throws(PluginProblem) -> LoadedPlugin {
        try FileTrust.check(path, holds: bytes)
        let digest = Array(SHA256.hash(data: bytes))
        if let known = loaded.withLock({ $0[digest] }) { return known }
        try checkTag(of: bytes)
        let plugin = try open(bytes, digest)
        let result = LoadedPlugin(plugin, path: path, kitTag: kitTag, digest: digest)
        loaded.withLock { $0[digest] = result }
        return result
    }

    /// Reads the tag before the library runs: after another kit or by another compiler, its code would crash.
    private func checkTag(of bytes: [UInt8]) throws(PluginProblem) {
        let rebuild = "build it with this router's kit and compiler: 'swift build -c release'"
        let file: ELFFile
        do throws(ELFFile.Problem) {
            file = try ELFFile(bytes)
        } catch {
            switch error {
            case .notELF: throw PluginProblem("is not a shared library", hint: "name the '.so' that 'swift build' makes")
            case .cutOff: throw PluginProblem("is cut off", hint: "copy it to another name beside it, and then rename it: 'mv'")
            case .damaged: throw PluginProblem("is damaged", hint: "copy it again, to another name beside it, and then rename it: 'mv'")
            case .foreign: throw PluginProblem("is built for another processor", hint: rebuild)
            case .notLibrary: throw PluginProblem("is no shared library", hint: "its product must be a '.library' of the type '.dynamic'")
            }
        }
        let tags = KitTag.tags(in: file)
        guard !tags.isEmpty else {
            throw PluginProblem(
                "is a library, but no plugin of llm-router",
                hint: "name only libraries of plugins here, whose targets use the build plugin 'KitTag': docs/write-a-provider.md")
        }
        guard let other = tags.first(where: { $0 != kitTag }) else { return }
        throw PluginProblem("is built for kit '\(printable(other))', and this router has '\(kitTag)'", hint: rebuild)
    }

    private func open(_ bytes: [UInt8], _ digest: [UInt8]) throws(PluginProblem) -> any ProviderPlugin.Type {
        let copy = try PrivateCopy(bytes, name: "\(Hex.encoded(digest)).so")
        guard let library = dlopen(copy.path, RTLD_NOW | RTLD_LOCAL) else {
            let reason = String(cString: dlerror()).replacing("\(copy.path): ", with: "")
            throw PluginProblem(
                "can't be loaded: \(printable(reason))",
                hint:
                    "see 'ldd' on it: only libProviderKit and Swift's own libraries may be missing; TMPDIR names a folder that lets programs run"
            )
        }
        guard let symbol = dlsym(library, PluginExport.entryPoint) else {
            throw PluginProblem(
                "has no function '\(PluginExport.entryPoint)'", hint: "add the entry point to its sources: docs/write-a-provider.md")
        }
        typealias Entry = @convention(c) () -> UnsafeMutableRawPointer?
        guard let result = unsafeBitCast(symbol, to: Entry.self)(), let plugin = PluginExport.plugin(at: result) else {
            throw PluginProblem(
                "returns no plugin from '\(PluginExport.entryPoint)'", hint: "return 'PluginExport.pointer(to:)' of its plugin there")
        }
        return plugin
    }
}

/// A text from a library without control characters, and not longer than a line.
private func printable(_ text: String) -> String {
    String(text.unicodeScalars.prefix(300).map { $0.properties.generalCategory == .control ? "?" : Character($0) })
}
