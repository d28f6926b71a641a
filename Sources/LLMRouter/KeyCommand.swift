import ArgumentParser
import PolicyDrafts
import Telemetry

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

    @Option(
        help: ArgumentHelp(
            "What its requests may cost: 50usd/month, 1000000tokens/day, or both in one period: 50usd,1000000tokens/month.",
            valueName: "amount/period"))
    var budget: [String] = []

    @Option(help: ArgumentHelp("Its last day, such as 2027-01-31 (in UTC).", valueName: "date"))
    var expires: String?

    @Flag(help: "The key may also use /metrics and /admin.")
    var admin = false

    func validate() throws { _ = try key() }

    func run() throws { Console.out(try key().text) }

    private func key() throws -> NewKey {
        do throws(NewKey.Problem) {
            // With commas too, as GET /tools/generate_key has them: no name contains one.
            func list(_ texts: [String]) -> [String] {
                texts.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
            }
            return try NewKey(
                name, models: list(models), endpoints: list(endpoints), budget: budget.isEmpty ? nil : budget.joined(separator: ","),
                expires: expires, isAdmin: admin, now: Timestamp.seconds())
        } catch {
            throw ValidationError(error.message)
        }
    }
}
