import ArgumentParser
import ConfigTree
import PolicyDrafts
import RoutingPolicy

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Prints a policy file made from the configuration of another program.",
        discussion: """
            llm-router import config.yaml                                   LiteLLM
            llm-router import providers.yaml models.yaml user_keys.yaml     the LLM Router in Python
            llm-router import config.yaml models.yaml                       the Free LLM Router
            The file has a comment for each thing that has no counterpart. Secrets are not copied: a provider's key becomes a \
            variable, and a client's key its hash, so that clients keep theirs.
            Exit status: 0 done, 1 a file can't be read, understood or written, 2 bad usage.
            """)

    @Argument(help: "The files of one installation.", completion: .file(extensions: ["yaml", "yml"]))
    var files: [String]

    @Option(help: ArgumentHelp("The file to write, which must not exist, instead of standard output.", valueName: "file.yaml"))
    var write: String?

    func run() throws {
        let draft: PolicyDraft
        do throws(ConfigIssue) {
            var read: [ForeignFile] = []
            for file in files { read.append(try ForeignFile(file, source: SystemPolicySource())) }
            draft = try PolicyImport.draft(of: read)
        } catch {
            Console.error("\(error.position): \(error.message)\(error.hint.map { "; \($0)" } ?? "")")
            throw ExitCode(1)
        }
        if let write { try FileText.create(write, with: draft.text) } else { Console.out(draft.text) }
        let counts = [
            draft.providers.count.counted("provider"), draft.models.count.counted("model"), draft.routes.count.counted("route"),
            draft.keys.count.counted("key"),
        ]
        let omissions = draft.omissionCount
        Console.error(
            counts.joined(separator: ", ") + "; "
                + (omissions == 0
                    ? "nothing is left out" : "\(omissions.counted("comment")) in the file need\(omissions == 1 ? "s" : "") a look"))
        if draft.models.isEmpty { Console.error("no model is left, and a policy needs one; the comments say why") }
        Console.error("check it with 'llm-router check \(ShellWord(write ?? "routes.yaml"))'")
    }
}
