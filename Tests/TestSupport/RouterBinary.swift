import Glibc

/// The program under test.
package enum RouterBinary {
    /// The path in `LLM_ROUTER_BIN`, otherwise that of the program beside this test bundle; nil if there is no program.
    package static let path: String? = {
        if let path = environment("LLM_ROUTER_BIN"), !path.isEmpty { return path }
        var folders: [String] = []
        var arguments = CommandLine.arguments[...]
        while let argument = arguments.popFirst() {
            if argument == "--test-bundle-path", let bundle = arguments.first { folders.append(parent(bundle)) }
        }
        folders.append(parent(CommandLine.arguments.first ?? ""))
        return folders.map { "\($0)/llm-router" }.first { access($0, X_OK) == 0 }
    }()

    /// The variables of this process that every router inherits.
    static let inherited = ["PATH", "LD_LIBRARY_PATH", "SWIFT_BACKTRACE", "TSAN_OPTIONS"]

    package static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    private static func parent(_ path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
    }
}
