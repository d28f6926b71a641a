import ArgumentParser
import RoutingPolicy

/// The path of the policy file, which several commands take in the same ways.
struct PolicyArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The policy file, 'routes.yaml' in most commands; '-' is standard input.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @Option(
        name: [.customShort("c"), .customLong("config"), .customLong("policy")],
        help: ArgumentHelp("The same, as an option.", valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "A file of lines NAME=VALUE, for variables that the environment lacks; '.env' beside the policy file is read without this.",
            valueName: "file"), completion: .file())
    var envFile: String?

    var environmentFile: EnvironmentFile.Choice { envFile.map(EnvironmentFile.Choice.file) ?? .besidePolicy }

    /// nil if the command line names no file.
    var named: String? { config ?? file }

    /// `-` for standard input.
    var path: String { named ?? "routes.yaml" }

    func validate() throws {
        if let config, let file { throw ValidationError("the policy file is given twice, as '\(file)' and as '\(config)'; remove one") }
    }
}
