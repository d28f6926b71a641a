import Foundation
import PackagePlugin

/// Adds the kit's tag to a target, as an ELF note: a hash of the kit's sources, and the version of the compiler.
///
/// A plugin is compiled against the layout of the kit's types, and so is the router. If the two differ, calls between
/// them crash. So the router compares the tags before it runs a plugin.
@main
struct KitTag: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let kit = folder.deletingLastPathComponent(), script = folder.appending(path: "kit-tag.sh")
        let sources = ["Package.swift"] + ["Codecs", "ConfigTree", "ProviderKit"].flatMap { swiftFiles(in: $0, of: kit) }.sorted()
        let output = context.pluginWorkDirectoryURL.appending(path: "KitNote.swift")
        return [
            .buildCommand(
                displayName: "Tagging \(target.name) with its kit", executable: URL(fileURLWithPath: "/bin/sh"),
                arguments: [script.path, try context.tool(named: "swiftc").url.path, output.path, kit.path] + sources,
                inputFiles: sources.map { kit.appending(path: $0) } + [script], outputFiles: [output])
        ]
    }

    /// The paths of the Swift files below a folder, relative to the kit.
    private func swiftFiles(in folder: String, of kit: URL) -> [String] {
        let files = FileManager.default.enumerator(atPath: kit.appending(path: folder).path)
        return (files?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".swift") }.map { "\(folder)/\($0)" }
    }
}
