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
            llm-router help config --json-schema
            """,
        discussion: """
            help config                       every option: its values, its default and its purpose
            help config retry                 one section
            help config models.weight         one option
            help config --json-schema         a JSON Schema of the file, for editors
            help config --markdown            the reference as a document
            help config -c routes.yaml        with the plugins that a policy file loads
            """)

    @Argument(help: ArgumentHelp("A command, or 'config' with an optional section or option.", valueName: "command"))
    var arguments: [String] = []

    @Option(
        name: [.customShort("c"), .customLong("config"), .customLong("policy")],
        help: ArgumentHelp("A policy file, whose plugins are explained too.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var policy: String?

    @Flag(help: "With 'config': print a JSON Schema.")
    var jsonSchema = false

    @Flag(help: "With 'config': print the reference in Markdown.")
    var markdown = false

    func validate() throws {
        if jsonSchema || markdown, arguments != ["config"] || jsonSchema && markdown {
            throw ValidationError("'--json-schema' and '--markdown' belong to 'help config', one of them and without an option")
        }
    }

    func run() throws {
        guard let first = arguments.first else { throw CleanExit.helpRequest(LLMRouterCommand.self) }
        if first == "config" {
            guard arguments.count <= 2 else { throw ValidationError("unexpected argument '\(arguments[2])'; remove it") }
            return try showReference(arguments.dropFirst().first)
        }
        var command: any ParsableCommand.Type = LLMRouterCommand.self
        for (index, name) in arguments.enumerated() {
            guard let next = command.configuration.subcommands.first(where: { $0.configuration.commandName == name }) else {
                let known = arguments[..<index].joined(separator: " ")
                throw ValidationError(
                    "there is no command '\(known.isEmpty ? "" : known + " ")\(name)'; 'llm-router help' lists the commands")
            }
            command = next
        }
        throw CleanExit.helpRequest(command)
    }

    private func showReference(_ path: String?) throws {
        let loaded = policy.map { PolicyFile.report($0, .besidePolicy) }?.plugins ?? []
        let reference = OptionReference(plugins: Builtins.plugins + loaded.map(\.plugin))
        if jsonSchema { return Console.out(String(decoding: reference.jsonSchema, as: UTF8.self)) }
        if markdown { return Console.out(reference.markdown) }
        guard let text = reference.text(path, width: Console.width) else {
            let path = path ?? ""
            let hint = reference.suggestion(for: path).map { "did you mean '\($0)'?" } ?? "'llm-router help config' lists the options"
            throw ValidationError("there is no option '\(path)'; \(hint)")
        }
        Console.out(text)
    }
}
