import ArgumentParser
import Codecs
import Glibc
import ProviderKit
import Telemetry

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows what a running router does: rates, times, the state of its models, its last requests.",
        discussion: """
            The screen is drawn again until 'q' or Ctrl-C. If standard output is no terminal, it is printed once.
            Exit status: 0 after 'q' or one print, 1 if the router can't be asked, 2 bad usage.
            """)

    @OptionGroup var server: ServerOption

    @Option(help: ArgumentHelp("The time between two looks.", valueName: "seconds"))
    var interval = 2

    @Flag(help: "Print once.")
    var once = false

    func validate() throws {
        guard (1...3600).contains(interval) else { throw ValidationError("'--interval' must be from 1 to 3600, not \(interval)") }
    }

    func run() async throws {
        try await RouterClient.with(server) { client in
            // A router that can't be asked is reported before the screen is cleared.
            let first = try await look(client)
            guard !once, isatty(1) == 1, isatty(0) == 1 else {
                return Console.out(first.text(columns: Console.width ?? 120, rows: nil))
            }
            Terminal.enter()
            defer { Terminal.leave() }
            var screen = first
            repeat {
                Terminal.draw(screen.text(columns: Console.width ?? 80, rows: Terminal.rows))
                if Terminal.key(within: interval) == UInt8(ascii: "q") { return }
                do { screen = try await look(client) } catch { screen.complaint = "\(error)" }
            } while true
        }
    }

    private func look(_ client: RouterClient) async throws -> TopScreen {
        func read(_ path: String) async throws -> JSONTree {
            let body = try await client.send("GET", path)
            guard let tree = JSONTree(body.span.bytes) else { throw RouterClient.Unanswered("\(path) is not JSON; is this an llm-router?") }
            return tree
        }
        return TopScreen(
            state: try await read("/admin/state"), history: try await read("/admin/history"),
            requests: try await read("/admin/requests?limit=50"), now: Timestamp.now())
    }
}
