import ArgumentParser
import RoutingPolicy

/// `help config`, the reference of a policy file's options, and `help COMMAND`, which replaces the argument parser's
/// own `help`.
struct HelpConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "help",
        abstract: "Shows a command's help; 'help config' explains the options of a policy file.",
        usage: """
            llm-router help <command>
            llm-router help config [<option>] [--policy <file>]
            """,
        discussion: """
            help config                       every option: its values, its default and its purpose
            help config retry                 one section
            help config models.weight         one option
            help config -c routes.yaml        with the plugins that a policy file loads
            """)

    @Argument(help: ArgumentHelp("A command, or 'config' with an optional section or option.", valueName: "command"))
    var arguments: [String] = []

    @Option(
        name: [.customShort("c"), .customLong("config"), .customLong("policy")],
        help: ArgumentHelp("A policy file, whose plugins are explained too.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var policy: String?

    func run() throws {
        guard let first = arguments.first else { throw CleanExit.helpRequest(LLMRouterCommand.self) }
        guard arguments.count <= (first == "config" ? 2 : 1) else {
            throw ValidationError("unexpected argument '\(arguments[arguments.count - 1])'; remove it")
        }
        if first == "config" { return try showReference(arguments.dropFirst().first) }
        guard let command = LLMRouterCommand.configuration.subcommands.first(where: { $0.configuration.commandName == first }) else {
            throw ValidationError("there is no command '\(first)'; 'llm-router help' lists the commands")
        }
        throw CleanExit.helpRequest(command)
    }

    private func showReference(_ path: String?) throws {
        let reference = OptionReference(plugins: Builtins.plugins + (policy.map { PolicyFile.report($0) }?.plugins ?? []).map(\.plugin))
        guard let text = reference.text(path, width: Console.width) else {
            let path = path ?? ""
            let hint = reference.suggestion(for: path).map { "did you mean '\($0)'?" } ?? "'llm-router help config' lists the options"
            throw ValidationError("there is no option '\(path)'; \(hint)")
        }
        Console.out(text)
    }
}
