import Codecs
import Crypto
package import RoutingPolicy
import Synchronization

/// Loads plugins from shared libraries. A library is never unloaded: streams, providers and the Swift runtime keep
/// pointers into it.
package final class PluginLibraries: PluginLoader {
    /// By the SHA-256 of the library.
    private let loaded = Mutex<[[UInt8]: LoadedPlugin]>([:])
    private let kitTag: String
    private let probe: PluginProbe?

    /// - Parameters:
    ///   - kitTag: the tag that a library must have.
    ///   - probe: loads each new library first; nil for none.
    init(kitTag: String = KitTag.own, probe: PluginProbe?) { (self.kitTag, self.probe) = (kitTag, probe) }

    package convenience init(probe: PluginProbe) { self.init(kitTag: KitTag.own, probe: probe) }

    package func load(_ path: String, _ bytes: [UInt8]) throws(PluginProblem) -> LoadedPlugin {
        try FileTrust.check(path, holds: bytes)
        let digest = Array(SHA256.hash(data: bytes))
        if let known = loaded.withLock({ $0[digest] }) { return known }
        try checkTag(of: bytes)
        let copy = try PrivateCopy(bytes, name: PrivateCopy.name(of: path, Hex.encoded(digest)))
        let unprobed = try probe?.check(copy)
        let plugin = try SharedLibrary(copy.path).plugin()
        let result = LoadedPlugin(plugin, path: path, kitTag: kitTag, digest: digest, unprobed: unprobed)
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
        throw PluginProblem("is built for kit '\(other.printable)', and this router has '\(kitTag)'", hint: rebuild)
    }
}
