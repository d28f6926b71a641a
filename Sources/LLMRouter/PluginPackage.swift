import ArgumentParser
import Glibc

/// The package of a new plugin: the example's files, with other names in them.
struct PluginPackage {
    /// The name of the package, and of its folder: `AcmeChatProvider`.
    let folder: String
    private let files: [(path: String, text: String)]

    /// - Parameter router: the folder with the sources of the router.
    init(named name: String, router: String) throws {
        let type = name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        guard let resolved = realpath(router, nil), access("\(router)/\(Self.example)/Package.swift", R_OK) == 0 else {
            throw ValidationError("the sources of the router are not in '\(router)'; name their folder with '--router'")
        }
        defer { free(resolved) }
        let root = String(cString: resolved)
        folder = "\(type)Provider"
        func renamed(_ text: String) -> String { text.replacing("Echo", with: type).replacing("echo", with: name) }
        files = try ["Package.swift", "Sources/EchoProvider/EchoPlugin.swift", "Tests/EchoProviderTests/EchoProviderTests.swift"].map {
            let text = String(decoding: try PolicyFile.bytes("\(root)/\(Self.example)/\($0)"), as: UTF8.self)
            return (renamed($0), renamed(text).replacing("let router = \"../..\"", with: "let router = \"\(root)\""))
        }
    }

    private static let example = "Examples/EchoProvider"

    /// Writes the files into a new folder.
    func write() throws {
        guard access(folder, F_OK) != 0 else { throw ValidationError("'\(folder)' exists already; remove it, or choose another name") }
        for (path, text) in files {
            let path = "\(folder)/\(path)"
            for (index, character) in zip(path.indices, path) where character == "/" { mkdir(String(path[..<index]), 0o755) }
            try FileText.replace(path, with: text)
        }
    }
}
