import ArgumentParser
import Codecs
import ConfigTree
import PolicyDrafts
import RoutingPolicy

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Works with the keys of clients.", subcommands: [NewKeyCommand.self])
}

struct NewKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Makes a client's key, and prints it once, with the lines for 'keys:' that hold its hash.",
        discussion: """
            The key is stored nowhere: give it to the client now. The policy needs only the hash. A reload puts it into force.
            """)

    @Argument(help: "The name of the key under 'keys' of the policy.")
    var name: String

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("What the key may use: names, globs and 'tag:NAME'; without this, everything.", valueName: "model"))
    var models: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("The operations that the key may use; without this, all.", valueName: "operation"))
    var endpoints: [String] = []

    @Flag(help: "The key may also use /metrics and /admin.")
    var admin = false

    func validate() throws {
        if let problem = PolicyName.problem(with: name) {
            throw ValidationError("the name of key '\(abbreviated(name))' \(problem); \(PolicyName.hint)")
        }
        for word in endpoints where !KeyOperation.words.contains(word) {
            let known = KeyOperation.words
            let hint = nearest(to: word, in: known).map { "did you mean '\($0)'?" } ?? "use some of \(known.joined(separator: ", "))"
            throw ValidationError("there is no operation '\(abbreviated(word))'; \(hint)")
        }
    }

    func run() {
        let key = ClientKey.random()
        var entry = DraftEntry(name)
        entry.set("sha256", .text(key.digest))
        if admin { entry.set("admin", .bool(true)) }
        entry.set("models", .texts(models))
        entry.set("endpoints", .texts(endpoints))
        Console.out("\(key.secret)\n\nkeys:\n\(entry.lines.map { "  \($0)\n" }.joined())")
    }
}
