import ArgumentParser

@main
struct Main {
    /// Exit codes: 0 done, 1 a bad file or a failure, 2 bad usage, 78 a start with a bad file (`EX_CONFIG`, sysexits.h).
    static func main() async {
        do {
            var command = try LLMRouterCommand.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            let code = LLMRouterCommand.exitCode(for: error)
            let message = LLMRouterCommand.fullMessage(for: error)
            if code.isSuccess {
                Console.out(message)
                Console.exit(0)
            }
            if !message.isEmpty { Console.error(message) }
            Console.exit(code == .validationFailure ? 2 : code.rawValue)
        }
    }
}

struct LLMRouterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "llm-router",
        abstract: "Routes requests for language models as routes.yaml says.",
        discussion: """
            Start it:          llm-router serve routes.yaml
            Check a file:      llm-router check routes.yaml
            Ask it why:        llm-router explain --policy routes.yaml --model auto --image
            Reload the file:   kill -HUP PID
            Ask it:            curl localhost:8080/v1/chat/completions -d '{"messages":[{"role":"user","content":"Hello"}]}'
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, CheckCommand.self, ExplainCommand.self, TestCommand.self, DiffCommand.self, HelpConfigCommand.self,
        ])
}

/// Where routes.yaml lies: the one argument of every command that reads it.
struct PolicyArgument: ParsableArguments {
    @Argument(help: "The policy file.", completion: .file(extensions: ["yaml", "yml"]))
    var path = "routes.yaml"
}

enum Version {
    static let text = "0.1.0"
}
