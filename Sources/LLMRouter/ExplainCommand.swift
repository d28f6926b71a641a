import ArgumentParser
import Codecs
import ConfigTree
import Engine
import Gateway
import HTTPWire
import ProviderKit
import RoutingPolicy

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Shows which models would be called for a request, in which order and why, and which are left out.",
        discussion: """
            No upstream is called. Statistics and breakers are those of a new process; with --server, those of a running one.
            Exit status: 0 the request is planned, 1 it is refused or the file is bad, 2 bad usage.
            """)

    @OptionGroup var policy: PolicyArgument

    @OptionGroup(title: "Request") var options: RequestOptions

    @Option(
        help: ArgumentHelp("What the request is for, in the words of a model's 'serves'.", valueName: "operation"),
        transform: Self.operation(named:))
    var operation: ProviderKit.Operation?

    @Option(help: ArgumentHelp("A file with the request, instead of the options above.", valueName: "file.json"))
    var request: String?

    @Option(help: ArgumentHelp("A test of the policy file; its request, key and 'down' are used.", valueName: "name"))
    var test: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A header field of the request, for the conditions of routes and sticky ones; repeat it for more.", valueName: "name: value"),
        transform: Self.header(of:))
    var header: [RequestHeader] = []

    @Option(
        help: "The API in which the request arrives: \(FaceName.allCases.map(\.rawValue).joined(separator: ", ")).",
        transform: Self.face(named:))
    var face: FaceName?

    @Option(help: ArgumentHelp("The model that last served the conversation, for a route with 'sticky'.", valueName: "model"))
    var lastServedBy: String?

    @Option(help: "The number of prompt tokens, instead of the estimate.")
    var tokens: Int?

    @Option(help: "The name of the key that sends the request; without it, every model may be used.")
    var key: String?

    @Option(parsing: .upToNextOption, help: "A model, 'PROVIDER/MODEL' or provider that can't be reached; several may follow.")
    var down: [String] = []

    @Option(help: "The seed of random orders.")
    var seed: UInt64 = 1

    @OptionGroup(title: "Running router") var server: ServerOption

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if server.server != nil,
            let other = [
                ("a policy file", policy.file != nil || policy.config != nil), ("'--test'", test != nil), ("'--down'", !down.isEmpty),
                ("'--tokens'", tokens != nil), ("'--last-served-by'", lastServedBy != nil),
            ].first(where: \.1)?.0
        {
            throw ValidationError("\(other) can't be combined with '--server', which asks a running router; remove one of them")
        }
        if request != nil || test != nil, let other = options.usedOptions.first {
            let source = request != nil ? "--request" : "--test"
            throw ValidationError("'\(other)' can't be combined with '\(source)', which is a complete request; remove one of them")
        }
        if test != nil,
            let other = [
                ("--request", request != nil), ("--operation", operation != nil), ("--key", key != nil), ("--down", !down.isEmpty),
                ("--tokens", tokens != nil), ("--header", !header.isEmpty), ("--face", face != nil),
                ("--last-served-by", lastServedBy != nil),
            ]
            .first(where: \.1)?.0
        {
            throw ValidationError("'\(other)' can't be combined with '--test', which sets it already; remove one of them")
        }
        if let operation, operation != .chat, let other = options.usedChatOptions.first {
            throw ValidationError(
                "'\(other)' describes a chat request, so it can't be combined with '--operation \(operation.rawValue)'; remove one of them")
        }
        if let tokens, tokens < 0 { throw ValidationError("'--tokens' must be at least 0, not \(tokens)") }
        if let maxTokens = options.maxTokens, maxTokens < 1 { throw ValidationError("'--max-tokens' must be at least 1, not \(maxTokens)") }
    }

    func run() async throws {
        if server.server != nil { return try await explainAtServer() }
        let snapshot = Snapshot.provision(try PolicyFile.policy(policy, orExit: 1), over: nil, at: 0)
        let input = try input(in: snapshot)
        let explanation = ExplainedRequest(
            input.operation, body: input.body, headers: HTTPFields(input.headers.map { ($0.name, $0.value) }), face: input.face,
            key: input.key, tokens: input.tokens, in: snapshot
        )
        .explanation(state: .fresh(seed: seed, stickyModel: input.stickyModel), down: input.down)
        Console.out(
            json
                ? String(decoding: explanation.json, as: UTF8.self)
                : ExplanationTable(explanation, policyName: policy.path, width: Console.width).text)
        if case .refused = explanation.outcome { throw ExitCode(1) }
    }

    /// Has a running router explain the request.
    private func explainAtServer() async throws {
        let operation = operation ?? .chat
        var query = [("operation", operation.rawValue), ("seed", "\(seed)"), ("width", "\(Console.width ?? 0)")]
        if let face { query.append(("face", face.rawValue)) }
        if let key { query.append(("key", key)) }
        let body = if let request { try PolicyFile.bytes(request) } else { options.sample(of: operation).json }
        try await RouterClient.with(server) { router in
            func explanation(_ type: String) async throws -> [UInt8] {
                try await router.send(
                    "POST", "/admin/explain", query: query, fields: [("accept", type)] + header.map { ($0.name, $0.value) }, body)
            }
            let document = try await explanation("application/json")
            Console.out(String(decoding: json ? document : try await explanation("text/plain"), as: UTF8.self))
            if JSONTree(document.span.bytes)?["refused"] != nil { throw ExitCode(1) }
        }
    }

    private static func operation(named word: String) throws -> ProviderKit.Operation {
        if let operation = ProviderKit.Operation(served: word) { return operation }
        let words = ProviderKit.Operation.served.map(\.rawValue)
        throw ValidationError(
            nearest(to: word, in: words).map { "did you mean '\($0)'?" } ?? "use one of \(words.joined(separator: ", "))")
    }

    private static func header(of text: String) throws -> RequestHeader {
        guard let colon = text.firstIndex(of: ":"), let header = RequestHeader(String(text[..<colon]), String(text[colon...].dropFirst()))
        else {
            throw ValidationError("write a header field as 'name: value'")
        }
        return header
    }

    private static func face(named word: String) throws -> FaceName {
        if let face = FaceName(rawValue: word) { return face }
        let words = FaceName.allCases.map(\.rawValue)
        throw ValidationError(
            nearest(to: word, in: words).map { "did you mean '\($0)'?" } ?? "use one of \(words.joined(separator: ", "))")
    }

    private struct Input {
        var operation: ProviderKit.Operation
        var body: [UInt8]
        var headers: [RequestHeader] = []
        var face = FaceName.openai
        var stickyModel: ModelName?
        /// Index into the policy's keys.
        var key: Int?
        var tokens: Int?
        var down: [String]
    }

    private func input(in snapshot: Snapshot) throws -> Input {
        if let test {
            let tests = snapshot.policy.tests
            guard let definition = tests.first(where: { $0.name == test }) else {
                throw ValidationError("'\(policy.path)' has no test '\(test)'; \(Self.hint(test, tests.map(\.name), "'tests'"))")
            }
            return Input(
                operation: definition.operation, body: definition.body, headers: definition.headers, face: definition.face,
                stickyModel: definition.lastServedBy.flatMap { snapshot.models(named: $0).first }.map(snapshot.name(ofModel:)),
                key: snapshot.policy.keys.firstIndex { $0.name == definition.key }, tokens: definition.tokens, down: definition.down)
        }
        let keys = snapshot.policy.keys
        if let key, !keys.contains(where: { $0.name == key }) {
            throw ValidationError("'\(policy.path)' has no key '\(key)'; \(Self.hint(key, keys.map(\.name), "'keys'"))")
        }
        let names = snapshot.policy.providers.map(\.name) + snapshot.policy.models.flatMap { [$0.name, $0.key] }
        for name in down where snapshot.models(named: name).isEmpty && snapshot.wildcard(for: name) == nil && !names.contains(name) {
            throw ValidationError(
                "'\(policy.path)' has no provider or model '\(name)'; \(Self.hint(name, names, "'providers' and 'models'"))")
        }
        let last = lastServedBy.flatMap { snapshot.models(named: $0).first }
        if let lastServedBy, last == nil {
            throw ValidationError("'\(policy.path)' has no model '\(lastServedBy)'; \(Self.hint(lastServedBy, names, "'models'"))")
        }
        let operation = operation ?? .chat
        let body = if let request { try PolicyFile.bytes(request) } else { options.sample(of: operation).json }
        return Input(
            operation: operation, body: body, headers: header, face: face ?? .openai, stickyModel: last.map(snapshot.name(ofModel:)),
            key: keys.firstIndex { $0.name == key }, tokens: tokens, down: down)
    }

    private static func hint(_ name: String, _ known: [String], _ sections: String) -> String {
        nearest(to: name, in: known).map { "did you mean '\($0)'?" } ?? "use a name under \(sections)"
    }
}
