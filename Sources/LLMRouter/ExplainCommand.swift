import ArgumentParser
import ConfigTree
import Engine
import Gateway
import RoutingPolicy

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Shows who would be asked for a request, in which order and why, and who is left out.",
        discussion: """
            No upstream is contacted. Statistics and breakers are those of a process that has served nothing; POST /admin/explain knows a running one's.
            Exit status: 0 the request is planned, 1 it is refused or the file is bad, 2 bad usage.
            """)

    @Option(help: "The policy file.", completion: .file(extensions: ["yaml", "yml"]))
    var policy = "routes.yaml"

    @OptionGroup(title: "Request") var options: RequestOptions

    @Option(help: ArgumentHelp("Reads the chat request from a file, in place of the options above.", valueName: "file.json"))
    var request: String?

    @Option(help: ArgumentHelp("Takes request, key and what is down from one of the file's 'tests:'.", valueName: "name"))
    var test: String?

    @Option(help: "Its prompt's tokens, in place of the estimate.")
    var tokens: Int?

    @Option(help: "The name of the key that sends it; without one everything may be reached.")
    var key: String?

    @Option(parsing: .upToNextOption, help: "Providers and models that are taken to be unreachable.")
    var down: [String] = []

    @Option(help: "Which draw a random order shows.")
    var seed: UInt64 = 1

    @Flag(help: "For programs.")
    var json = false

    func validate() throws {
        if request != nil || test != nil, let other = options.given.first {
            throw ValidationError(
                "'\(other)' does nothing beside '\(request != nil ? "--request" : "--test")', which is the whole request; remove one of them"
            )
        }
        if test != nil,
            let other = [("--request", request != nil), ("--key", key != nil), ("--down", !down.isEmpty), ("--tokens", tokens != nil)]
                .first(where: \.1)?.0
        {
            throw ValidationError("'--test' says what '\(other)' would; remove one of them")
        }
        if let tokens, tokens < 0 { throw ValidationError("'--tokens' takes 0 or more, not \(tokens)") }
        if let maxTokens = options.maxTokens, maxTokens < 1 { throw ValidationError("'--max-tokens' takes 1 or more, not \(maxTokens)") }
    }

    func run() throws {
        let snapshot = Snapshot.provision(try PolicyFile.policy(policy, orExit: 1), over: nil, at: 0)
        let asked = try asked(in: snapshot)
        let explanation = ExplainedRequest(body: asked.body, key: asked.key, tokens: asked.tokens, in: snapshot)
            .explanation(state: .fresh(seed: seed), down: snapshot.models(down: asked.down))
        Console.out(json ? String(decoding: explanation.json, as: UTF8.self) : ExplanationTable(explanation, policyName: policy).text)
        if case .refused = explanation.outcome { throw ExitCode(1) }
    }

    private struct Asked {
        var body: [UInt8]
        var key: Int?
        var tokens: Int?
        var down: [String]
    }

    private func asked(in snapshot: Snapshot) throws -> Asked {
        if let test {
            let tests = snapshot.policy.tests
            guard let definition = tests.first(where: { $0.name == test }) else {
                throw ValidationError("'\(policy)' has no test '\(test)'\(Self.suggestion(test, tests.map(\.name)))")
            }
            return Asked(
                body: definition.body, key: snapshot.policy.keys.firstIndex { $0.name == definition.key }, tokens: definition.tokens,
                down: definition.down)
        }
        let keys = snapshot.policy.keys
        if let key, !keys.contains(where: { $0.name == key }) {
            throw ValidationError("'\(policy)' has no key '\(key)'\(Self.suggestion(key, keys.map(\.name)))")
        }
        let names = snapshot.policy.providers.map(\.name) + snapshot.policy.models.flatMap { [$0.name, $0.key] }
        for name in down where snapshot.models(named: name).isEmpty && !names.contains(name) {
            throw ValidationError("'\(policy)' has no provider or model '\(name)'\(Self.suggestion(name, names))")
        }
        let body = if let request { try PolicyFile.bytes(request) } else { options.sample.json }
        return Asked(body: body, key: keys.firstIndex { $0.name == key }, tokens: tokens, down: down)
    }

    private static func suggestion(_ name: String, _ known: [String]) -> String {
        nearest(to: name, in: known).map { "; did you mean '\($0)'?" } ?? ""
    }
}
