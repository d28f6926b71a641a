import ArgumentParser
import RoutingPolicy

/// `help config`, what a policy file may say, and `help COMMAND`, which stands in the place of the argument parser's own.
struct HelpConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "help",
        abstract: "Shows a command's help; 'help config' shows what a policy file may say.",
        usage: """
            llm-router help <command>
            llm-router help config [<option>]
            """,
        discussion: """
            help config                       every option, with what it takes, its default, and what it is for
            help config retry                 a section
            help config models.weight         an option
            """)

    @Argument(help: ArgumentHelp("A command, or 'config' and a section or an option.", valueName: "command"))
    var words: [String] = []

    func run() throws {
        guard let first = words.first else { throw CleanExit.helpRequest(LLMRouterCommand.self) }
        guard words.count <= (first == "config" ? 2 : 1) else { throw ValidationError("'\(words[words.count - 1])' is one word too many") }
        if first == "config" { return try showReference(words.dropFirst().first) }
        guard let command = LLMRouterCommand.configuration.subcommands.first(where: { $0.configuration.commandName == first }) else {
            throw ValidationError("there is no command '\(first)'")
        }
        throw CleanExit.helpRequest(command)
    }

    private func showReference(_ path: String?) throws {
        let reference = OptionReference(plugins: Builtins.plugins)
        guard let text = reference.text(path) else {
            let path = path ?? ""
            throw ValidationError("there is no option '\(path)'\(reference.suggestion(for: path).map { "; did you mean '\($0)'?" } ?? "")")
        }
        Console.out(text)
    }
}
