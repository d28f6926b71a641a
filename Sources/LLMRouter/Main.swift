import ArgumentParser

@main
struct Main {
    /// Runs a command. Exit codes: 0 success, 1 a bad file or another failure, 2 bad usage, 78 `serve` with a bad file
    /// (`EX_CONFIG`, sysexits.h).
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
        abstract: "Routes requests for language models by the policy in routes.yaml.",
        discussion: """
            Make a policy:     llm-router init
            Start the router:  llm-router serve routes.yaml
            Check a file:      llm-router check routes.yaml
            Explain a plan:    llm-router explain routes.yaml --model auto --image
            Reload the file:   kill -HUP PID
            See what it does:  llm-router top, or http://127.0.0.1:8080/ui/ in a browser
            Send a request:    curl localhost:8080/v1/chat/completions -d '{"messages":[{"role":"user","content":"Hello"}]}'
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, CheckCommand.self, ExplainCommand.self, TestCommand.self, DiffCommand.self, ModelsCommand.self,
            TopCommand.self, UsageCommand.self, InitCommand.self, ImportCommand.self, KeyCommand.self, HealthCommand.self,
            PluginsCommand.self, HelpConfigCommand.self, ProbePluginCommand.self,
        ])
}
