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
            return (renamed($0), renamed(text).replacing("let router = \"../..\"", with: "let router = \(Self.literal(root))"))
        }
    }

    private static let example = "Examples/EchoProvider"

    /// A text as Swift writes it.
    private static func literal(_ text: String) -> String { String(reflecting: text) }

    /// Writes the files into a new folder.
    func write() throws(Failure) {
        // Not asked before, so that a link that leads nowhere is in the way too.
        guard mkdir(folder, 0o755) == 0 else {
            guard errno != EEXIST else { throw Failure("'\(folder)' exists already; remove it, or choose another name") }
            throw Failure(
                "the folder '\(folder)' can't be made here: \(String(cString: strerror(errno)).lowercased()); go to another folder")
        }
        for (path, text) in files {
            let path = "\(folder)/\(path)"
            // What is wrong with a folder, the file in it has too.
            for (index, character) in zip(path.indices, path) where character == "/" { mkdir(String(path[..<index]), 0o755) }
            do { try FileText.create(path, with: text) } catch { throw error as? Failure ?? Failure("\(error)") }
        }
    }
}
