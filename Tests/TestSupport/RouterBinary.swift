import Glibc

/// Where the program under test lies.
package enum RouterBinary {
    /// `LLM_ROUTER_BIN`, else the one beside this test bundle.
    package static let path: String? = {
        if let given = environment("LLM_ROUTER_BIN"), !given.isEmpty { return given }
        var folders: [String] = []
        var arguments = CommandLine.arguments[...]
        while let argument = arguments.popFirst() {
            if argument == "--test-bundle-path", let bundle = arguments.first { folders.append(parent(bundle)) }
        }
        folders.append(parent(CommandLine.arguments.first ?? ""))
        return folders.map { "\($0)/llm-router" }.first { access($0, X_OK) == 0 }
    }()

    /// What every router gets of this process's environment.
    static let inherited = ["PATH", "LD_LIBRARY_PATH", "SWIFT_BACKTRACE", "TSAN_OPTIONS"]

    package static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    private static func parent(_ path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
    }
}
