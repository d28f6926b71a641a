import Glibc
import ProviderKit
import RoutingPolicy

/// A library that this process has loaded.
struct SharedLibrary {
    private let handle: UnsafeMutableRawPointer

    /// Loads a library. Its initializers run.
    init(_ path: String) throws(PluginProblem) {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let reason = String(cString: dlerror()).replacing("\(path): ", with: "")
            throw PluginProblem(
                "can't be loaded: \(reason.printable)",
                hint:
                    "see 'ldd' on it: only libProviderKit and Swift's own libraries may be missing; TMPDIR names a folder that lets programs run"
            )
        }
        self.handle = handle
    }

    /// Calls the entry point.
    func plugin() throws(PluginProblem) -> any ProviderPlugin.Type {
        guard let symbol = dlsym(handle, PluginExport.entryPoint) else {
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

extension String {
    /// A text from a library without control characters, and not longer than a line.
    var printable: String {
        String(unicodeScalars.prefix(300).map { $0.properties.generalCategory == .control ? "?" : Character($0) })
    }
}
