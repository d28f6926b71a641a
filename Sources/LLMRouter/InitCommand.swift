import ArgumentParser
import ConfigTree
import Glibc
import PolicyDrafts
import RoutingPolicy

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Writes a first policy file, for the providers whose keys are in the environment or in '.env'.",
        discussion: """
            On a terminal it asks what isn't given; with --yes it doesn't. Without any provider's key, the policy has the demo provider.
            Exit status: 0 done, 1 the file can't be written or a question has no answer, 2 bad usage.
            """)

    @Argument(
        help: ArgumentHelp("The file to write, which must not exist.", valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
    var file = "routes.yaml"

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "The providers, of \(StarterProvider.all.map(\.name).joined(separator: ", ")).", valueName: "provider"))
    var providers: [String] = []

    @Option(help: "Where clients connect; an address that other machines can reach makes a key too.")
    var listen: String?

    @Flag(help: "Ask nothing.")
    var yes = false

    func validate() throws {
        for name in providers { _ = try Self.provider(named: name) }
        if let listen { _ = try Self.address(listen) }
    }

    func run() throws {
        guard file != "-" else { throw ValidationError("'-' is no name of a file; name the file to write") }
        if access(file, F_OK) == 0 { throw ValidationError("file '\(file)' exists already; remove it, or name another one") }
        let asks = !yes && isatty(0) == 1 && isatty(1) == 1
        let chosen = try chosenProviders(asks: asks)
        let address = try chosenAddress(asks: asks)
        let key = address.isLocal ? nil : (name: "first", secret: ClientKey.random())
        let draft = StarterPolicy.draft(chosen, listen: address.description, key: key)
        try FileText.create(file, with: draft.text)
        Console.out("wrote \(file): \(chosen.map(\.name).joined(separator: ", "))")
        if let key { Console.out("The key of your clients, which is shown only once:\n\(key.secret.secret)") }
        for provider in chosen {
            guard let variable = provider.variable, !isSet(variable) else { continue }
            Console.out("Set \(variable), in the environment or in a file '.env' beside \(file).")
        }
        Console.out("Start the router:  llm-router serve \(ShellWord(file))")
    }

    private func chosenProviders(asks: Bool) throws -> [StarterProvider] {
        if !providers.isEmpty { return try providers.map(Self.provider) }
        var found = StarterProvider.all.filter { $0.variable.map(isSet) == true }
        if found.isEmpty { found = StarterProvider.all.filter { $0.name == "demo" } }
        guard asks else { return found }
        let all = StarterProvider.all.map(\.name).joined(separator: ", ")
        return try Self.ask("Which providers (of \(all))?", usual: found.map(\.name).joined(separator: " ")) { line in
            try line.split(whereSeparator: { $0 == " " || $0 == "," }).map { try Self.provider(named: String($0)) }
        }
    }

    private func chosenAddress(asks: Bool) throws -> ListenAddress {
        if let listen { return try Self.address(listen) }
        let usual = "127.0.0.1:8080"
        guard asks else { return try Self.address(usual) }
        return try Self.ask("Where do clients connect (:8080 for other machines too)?", usual: usual, read: Self.address)
    }

    /// Asks until the line can be read. An empty line means the usual value. The end of the input ends the program.
    private static func ask<Value>(_ question: String, usual: String, read: (String) throws -> Value) throws -> Value {
        while true {
            Console.ask("\(question) [\(usual)] ")
            guard let line = readLine() else { throw ExitCode(1) }
            guard !line.isEmpty else { return try read(usual) }
            do { return try read(line) } catch { Console.error("\(error)") }
        }
    }

    private func isSet(_ variable: String) -> Bool {
        let value = Console.environment(variable) ?? variables[variable] ?? ""
        return !value.isEmpty
    }

    private var variables: [String: String] { EnvironmentFile(.besidePolicy, of: file, source: SystemPolicySource()).variables }

    private static func provider(named name: String) throws -> StarterProvider {
        if let provider = StarterProvider.all.first(where: { $0.name == name }) { return provider }
        let names = StarterProvider.all.map(\.name)
        let hint = nearest(to: name, in: names).map { "did you mean '\($0)'?" } ?? "use some of \(names.joined(separator: ", "))"
        throw ValidationError("there is no provider '\(abbreviated(name))' to start with; \(hint)")
    }

    private static func address(_ text: String) throws -> ListenAddress {
        if let address = ListenAddress(parsing: text) { return address }
        throw ValidationError("'\(abbreviated(text))' is no address to listen on; write HOST:PORT, :PORT or unix:PATH")
    }
}
