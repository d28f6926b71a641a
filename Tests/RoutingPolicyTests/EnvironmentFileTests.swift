import ConfigTree
import RoutingPolicy
import Testing

@Suite struct EnvironmentFileTests {
    private func read(_ text: String, _ choice: EnvironmentFile.Choice = .file("given.env")) -> EnvironmentFile {
        EnvironmentFile(choice, of: "folder/routes.yaml", source: MemorySource(["given.env": text, "folder/.env": text]))
    }

    @Test(arguments: [
        ("A=1", "1"), ("A=", ""), ("export A=1", "1"), ("  A = 1  ", "1"), ("A=one two", "one two"), ("A=a#b", "a#b"), ("A=a # b", "a"),
        ("A=$B ${C}", "$B ${C}"), ("A='a # $b\\n'", "a # $b\\n"), ("A=\"a\\n\\\"\\$\\\\ # b\" # c", "a\n\"$\\ # b"), ("A=\"a\\d\"", "a\\d"),
        ("A=\"-----BEGIN-----\nline\n-----END-----\"", "-----BEGIN-----\nline\n-----END-----"), ("A=''", ""), ("A=a'b'", "a'b'"),
        ("# no\n\nA=1\r\n", "1"), ("A=1\nA=2", "2"), ("\u{FEFF}A=1", "1"), ("A=sk-=+/", "sk-=+/"), ("A=#x", "#x"),
    ])
    func `a line is a variable`(line: String, value: String) {
        let file = read(line)
        #expect(file.issues.isEmpty)
        #expect(file.variables == ["A": value])
    }

    @Test(arguments: [
        ("A", "this line is not 'NAME=VALUE'"), ("=1", "this line is not 'NAME=VALUE'"), ("1A=1", "this line is not 'NAME=VALUE'"),
        ("A B=hunter2", "this line is not 'NAME=VALUE'"), ("A='hunter2", "the value of 'A' has no closing '"),
        ("A=\"hunter2\"3", "the value of 'A' goes on behind its closing quote"),
    ])
    func `a mistake is reported with its line and without the value`(line: String, message: String) {
        let file = read("# first\nX=1\n\(line)")
        #expect(file.issues.map(\.message) == [message])
        #expect(file.issues[0].position == SourcePosition(file: "given.env", line: 3, column: 1))
        #expect(!"\(file.issues[0].hint ?? "")".contains("hunter2"))
        #expect(file.variables == ["X": "1"])
    }

    @Test func `the lines behind a value of several lines are counted`() {
        #expect(read("A='1\n2\n3'\nB").issues.map(\.position.line) == [4])
    }

    @Test func `a mistake in a file that nobody has named is a warning`() {
        #expect(read("A").issues.map(\.severity) == [.error])
        #expect(read("A", .besidePolicy).issues.map(\.severity) == [.warning])
        #expect(read("A", .besidePolicy).issues.map(\.position.file) == ["folder/.env"])
    }

    @Test func `only a file that is named must exist`() {
        func issues(_ choice: EnvironmentFile.Choice) -> [String] {
            EnvironmentFile(choice, of: "routes.yaml", source: MemorySource()).issues.map(\.message)
        }
        #expect(issues(.besidePolicy) == [])
        #expect(issues(.file("no.env")) == ["file 'no.env' does not exist"])
    }

    private func address(_ environment: [String: String], _ file: String) -> String? {
        let text = "version: 1\nlisten: \"127.0.0.1:${PORT}\"\nproviders: { p: { plugin: echo } }\nmodels: { m: { provider: p } }\n"
        let source = MemorySource(["routes.yaml": text, ".env": file], variables: environment)
        return PolicyLoader(plugins: [EchoPlugin.self], source: source, environmentFile: .besidePolicy).load(path: "routes.yaml").policy?
            .listen.first?.address.description
    }

    @Test func `a variable of the environment comes before the file's, unless it is empty`() {
        #expect(address([:], "PORT=1") == "127.0.0.1:1")
        #expect(address(["PORT": "2"], "PORT=1") == "127.0.0.1:2")
        #expect(address(["PORT": ""], "PORT=1") == "127.0.0.1:1")
        #expect(address([:], "") == nil)
    }
}
