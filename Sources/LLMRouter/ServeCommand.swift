import ArgumentParser
import RoutingPolicy
import Telemetry
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves a policy file until SIGTERM or SIGINT; SIGHUP reloads the file.",
        discussion: """
            The access log goes to standard output, as text on a terminal and otherwise one JSON object per line, unless the \
            policy says 'log: { access: … }'; the operator's messages go to standard error. SIGUSR1 opens a log file anew.
            Exit status: 0 after a shutdown, 78 if the file has errors at the start (the router doesn't listen then), \
            1 for other failures, 2 bad usage.
            SSL_CERT_FILE and SSL_CERT_DIR replace the system's trusted certificates for upstreams.
            """)

    @OptionGroup var policy: PolicyArgument

    @Flag(help: "Also reload when the file changes, one that it includes or takes a value from, or a listener's certificate.")
    var watch = false

    func validate() throws {
        if policy.path == "-" { throw ValidationError("'serve' reloads the file, so it can't be standard input; name a file") }
    }

    mutating func run() async throws {
        // Signals are trapped before anything else, so that one that arrives during the start is handled after it.
        let signals = await UnixSignalsSequence(trapping: .sighup, .sigusr1, .sigterm, .sigint)
        let messages = LineWriter(descriptor: 2)
        let service: Service
        do {
            service = try await Service.start(
                path: policy.path, environmentFile: policy.environmentFile, watches: watch, messages: messages)
        } catch {
            messages.close(within: 1000)
            guard error is ResourceFailure || error is WatchedPolicySource.Failure else { throw error }
            // Printed after the policy's warnings, so that it is the last line.
            Console.error("llm-router: \(error)")
            throw ExitCode(1)
        }
        await service.run(signals)
    }
}
