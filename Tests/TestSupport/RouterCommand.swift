/// A command of `llm-router` that has ended. It runs with files in a temporary folder.
package struct RouterCommand: Sendable {
    package let exit: ChildProcess.Exit
    /// Standard output, without the folder's path.
    package let output: String
    /// Standard error, without the folder's path.
    package let errors: String

    /// - Parameters:
    ///   - arguments: an argument that is a name in `files` is passed with the folder's path.
    ///   - files: contents by name.
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
