import Glibc
import TestSupport
import Testing

/// The commands, examples and links of the documents.
///
/// Blocks of a document run in order and share a folder, which contains the repository's routes.yaml. A server with
/// that policy replaces `localhost:8080`. A block after `<!-- not run: REASON -->` is skipped.
/// - `sh`: a script, which must exit with 0.
/// - `console`: commands after `$ `, each followed by its exact output. A line `…` matches any number of lines.
/// - `yaml`: a policy, if it starts with `version: 1`. `llm-router check` must accept it.
@Suite struct DocumentationTests {
    private static let documents =
        ["README.md", "README.ru.md"] + entries("\(Repository.root)/docs").filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }

    /// How many blocks must run at least, so that a test can't pass because it finds none.
    private static let leastBlocks = [
        "README.md": 2, "docs/migration.md": 1, "docs/operations.md": 4, "docs/policy.md": 5, "docs/routing.md": 7, "docs/tutorial.md": 6,
    ]

    @Test(arguments: documents)
    func `the commands of a document work and print what it shows`(path: String) throws {
        let document = try MarkdownDocument(Repository.read(path), path: path)
        let router = try RouterProcess(FirstMinuteTests.shipped())
        defer { router.process.kill() }
        var run = try DocumentRun(address: "127.0.0.1:\(router.port)")
        try run.perform(document)
        for failure in run.failures { Issue.record("\(failure)") }
        #expect(run.blocks >= Self.leastBlocks[path] ?? 0)
    }

    @Test func `the documents with commands exist`() {
        #expect(Self.leastBlocks.keys.allSatisfy { Self.documents.contains($0) })
    }

    @Test(arguments: documents + ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "Integrations/n8n/README.md"])
    func `the links of a document lead to files and headings of the repository`(path: String) throws {
        let document = try MarkdownDocument(Repository.read(path), path: path)
        #expect(try Self.brokenLinks(document) == [])
    }

    @Test func `README.md has at most 900 words`() throws {
        #expect(try Repository.read("README.md").split(whereSeparator: \.isWhitespace).count <= 900)
    }

    @Test func `a mistake in a document fails with its line`() throws {
        let text = """
            # A `title`, with [text](nowhere.md)

            See [this](#a-title-with-text), [that](#nothing) and [the policy](docs/policy.md#nothing).

            <!-- not run: it fails -->
            ```sh
            false
            ```

            ```sh
            echo one > file
            false
            echo two >> file
            ```

            ```console
            $ cat file
            two
            $ printf '1\\n2\\n3\\n'
            1
            …
            3
            ```

            ```yaml
            version: 1
            routez: {}
            ```

            """
        let document = try MarkdownDocument(text, path: "README.md")
        var run = try DocumentRun(address: "127.0.0.1:9")
        try run.perform(document)
        #expect(run.blocks == 3)
        #expect(run.failures.map { $0.prefix { $0 != " " } } == ["README.md:11:", "README.md:17:", "README.md:26:"], "\(run.failures)")
        #expect(
            try Self.brokenLinks(document) == [
                "README.md:1: there is no 'nowhere.md'", "README.md:3: 'README.md' has no heading '#nothing'",
                "README.md:3: 'docs/policy.md' has no heading '#nothing'",
            ])
        #expect(throws: TestFailure.self) { try MarkdownDocument("```sh\ntrue\n", path: "README.md") }
    }

    private static func brokenLinks(_ document: MarkdownDocument) throws -> [String] {
        let folder = document.path.split(separator: "/").dropLast().map { "\($0)/" }.joined()
        return try document.links.compactMap { link in
            if link.target.contains("://") || link.target.hasPrefix("mailto:") { return nil }
            let parts = link.target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            let path = parts[0].isEmpty ? document.path : folder + parts[0]
            guard access("\(Repository.root)/\(path)", F_OK) == 0 else {
                return "\(document.path):\(link.line): there is no '\(path)'"
            }
            guard parts.count > 1 else { return nil }
            let target = parts[0].isEmpty ? document : try MarkdownDocument(Repository.read(path), path: path)
            if target.anchors.contains(String(parts[1])) { return nil }
            return "\(document.path):\(link.line): '\(path)' has no heading '#\(parts[1])'"
        }
    }
}

/// Runs the code blocks of a document and collects the failures.
private struct DocumentRun {
    /// How many blocks have run.
    private(set) var blocks = 0
    private(set) var failures: [String] = []
    private let address: String
    private let folder: TemporaryFolder

    /// - Parameter address: of the server that the commands use.
    init(address: String) throws {
        self.address = address
        folder = try TemporaryFolder()
        try folder.write("routes.yaml", Array(Repository.read("routes.yaml").utf8))
    }

    mutating func perform(_ document: MarkdownDocument) throws {
        for block in document.blocks where !block.isSkipped {
            let found: [(line: Int, message: String)]
            switch block.language {
            case "sh": found = try runScript(block)
            case "console": found = try runConsole(block)
            case "yaml" where block.text.hasPrefix("version: 1\n"): found = try check(block)
            default: continue
            }
            blocks += 1
            failures += found.map { "\(document.path):\($0.line): \($0.message)" }
        }
    }

    private func runScript(_ block: MarkdownDocument.Block) throws -> [(line: Int, message: String)] {
        let script = try execute(block.text)
        return script.exit == .code(0) ? [] : [(block.line, "the script ended with \(script.exit):\n\(script.output)")]
    }

    private func check(_ block: MarkdownDocument.Block) throws -> [(line: Int, message: String)] {
        let run = try RouterCommand(["check", "policy.yaml"], files: ["policy.yaml": block.text])
        return run.exit == .code(0) ? [] : [(block.line, "'llm-router check' refuses the policy:\n\(run.output)\(run.errors)")]
    }

    private func runConsole(_ block: MarkdownDocument.Block) throws -> [(line: Int, message: String)] {
        guard block.lines.first?.hasPrefix("$ ") == true else { return [(block.line, "the block doesn't start with '$ '")] }
        var failures: [(line: Int, message: String)] = []
        var rest = block.lines[...]
        while let line = rest.popFirst() {
            let number = block.line + rest.startIndex - 1
            let expected = rest.prefix { !$0.hasPrefix("$ ") }
            rest = rest.dropFirst(expected.count)
            let command = String(line.dropFirst(2))
            var actual = try execute(command + "\n").output.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
            if actual.last == "" { actual.removeLast() }
            if !Self.matches(actual[...], expected) {
                let output = actual.map { "    \($0)\n" }.joined()
                failures.append((number, "'\(command)' doesn't print what the document shows; its output:\n\(output)"))
            }
        }
        return failures
    }

    private func execute(_ commands: String) throws -> ShellScript {
        try ShellScript(
            commands.replacing("localhost:8080", with: address).replacing("127.0.0.1:8080", with: address), in: folder)
    }

    /// Whether the lines are equal, if `…` in `expected` stands for any number of lines.
    private static func matches(_ actual: ArraySlice<String>, _ expected: ArraySlice<String>) -> Bool {
        guard let first = expected.first else { return actual.isEmpty }
        guard first == "…" else { return actual.first == first && matches(actual.dropFirst(), expected.dropFirst()) }
        return matches(actual, expected.dropFirst()) || !actual.isEmpty && matches(actual.dropFirst(), expected)
    }
}
