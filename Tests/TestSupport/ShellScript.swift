/// A bash script that has ended. Its `llm-router` is the program under test, and its environment contains no provider's
/// key.
package struct ShellScript: Sendable {
    package let exit: ChildProcess.Exit
    /// Standard output and standard error, in the order of the writes.
    package let output: String

    /// The script stops at the first command that fails. For curl, a status from 400 on is a failure.
    package init(
        _ script: String, in folder: TemporaryFolder, within limit: Duration = .seconds(60), file: StaticString = #fileID, line: Int = #line
    ) throws {
        guard let program = RouterBinary.path else {
            throw TestFailure("no llm-router beside the test bundle; build it, or set LLM_ROUTER_BIN", CallSite(file, line))
        }
        let preamble = """
            exec 2>&1
            set -eo pipefail
            PATH=$(cd "$(dirname "$PROGRAM")" && pwd):$PATH
            unset PROGRAM
            cd "$HOME"
            curl() { command curl --silent --show-error --fail-with-body --max-time 30 "$@"; }

            """
        var environment = ["HOME": folder.path, "LC_ALL": "C.UTF-8", "PROGRAM": program]
        for name in RouterBinary.inherited { environment[name] = RouterBinary.environment(name) }
        let process = try ChildProcess("/usr/bin/env", ["bash", "-c", preamble + script], environment: environment)
        exit = try process.waitForExit(within: limit, file: file, line: line)
        try process.waitForOutputEnd(file: file, line: line)
        output = String(decoding: process.output.read { $0 }, as: UTF8.self)
    }
}
