import TestSupport
import Testing

/// Every command takes the policy file in the same ways.
@Suite struct PolicyArgumentTests {
    private static let policy = """
        version: 1
        listen: 127.0.0.1:0
        providers: { demo: { plugin: demo } }
        models: { small: { provider: demo } }
        tests: [{ name: first, expect: { chosen: small } }]

        """

    private func run(_ arguments: [String]) throws -> RouterCommand {
        try RouterCommand(arguments, files: ["a.yaml": Self.policy])
    }

    @Test(arguments: [["check"], ["explain"], ["test"], ["diff", "a.yaml"]])
    func `a command takes the file as an argument and as an option`(command: [String]) throws {
        for file in [["a.yaml"], ["--config", "a.yaml"], ["-c", "a.yaml"], ["--policy", "a.yaml"]] {
            let run = try run(command + file)
            #expect(run.exit == .code(0), "\(command) \(file): \(run.output)\(run.errors)")
        }
        let twice = try run(command + ["a.yaml", "--config", "a.yaml"])
        #expect(twice.exit == .code(2))
        #expect(twice.errors.contains("the policy file is given twice"))
    }

    @Test func `a dash is standard input`() throws {
        let folder = try TemporaryFolder()
        try folder.write("a.yaml", Array(Self.policy.utf8))
        let run = try ShellScript("llm-router check - < a.yaml; echo 'version: 2' | llm-router check -", in: folder)
        #expect(run.exit == .code(1))
        #expect(run.output.contains("-: ok: 1 provider, 1 model"), "\(run.output)")
        #expect(run.output.contains("<stdin>:1:10: error: 'version' must be 1"), "\(run.output)")
    }

    @Test func `a served file and both files of a difference cannot be standard input`() throws {
        for arguments in [["serve", "-"], ["diff", "-", "-"]] {
            let run = try run(arguments)
            #expect(run.exit == .code(2) && run.errors.contains("standard input"), "\(run.errors)")
        }
    }

    @Test func `tables fit the width of the terminal`() throws {
        for arguments in [["explain", "a.yaml"], ["help", "config"]] {
            let run = try RouterCommand(arguments, files: ["a.yaml": Self.policy], environment: ["COLUMNS": "60"])
            #expect(run.exit == .code(0))
            #expect(run.output.split(separator: "\n").filter { $0.count > 60 } == [])
        }
    }
}
