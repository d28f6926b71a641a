/// A command of `llm-router` that has run to its end, in a folder of its own.
package struct RouterCommand: Sendable {
    package let exit: ChildProcess.Exit
    /// Without the folder's path.
    package let output: String
    package let errors: String

    /// - Parameters:
    ///   - arguments: those that are names of `files` are given with the folder's path.
    ///   - files: by name.
    package init(
        _ arguments: [String], files: [String: String] = [:], environment: [String: String] = [:], within limit: Duration = .seconds(60),
        file: StaticString = #fileID, line: Int = #line
    ) throws {
        guard let program = RouterBinary.path else {
            throw TestFailure("no llm-router beside the test bundle; build it, or set LLM_ROUTER_BIN", CallSite(file, line))
        }
        let folder = try TemporaryFolder()
        for (name, content) in files { try folder.write(name, Array(content.utf8)) }
        var all = environment
        for name in RouterBinary.inherited { all[name] = all[name] ?? RouterBinary.environment(name) }
        let process = try ChildProcess(program, arguments.map { files[$0] == nil ? $0 : "\(folder.path)/\($0)" }, environment: all)
        exit = try process.waitForExit(within: limit, file: file, line: line)
        try process.waitForOutputEnd(file: file, line: line)
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).replacing("\(folder.path)/", with: "") }
        output = text(process.output.read { $0 })
        errors = text(process.errors.read { $0 })
    }

    package var json: JSON? { JSON(output.trimmingPrefix(while: { $0 == "\n" })) }
}
