import ArgumentParser
import Telemetry
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves a policy file until SIGTERM or SIGINT; SIGHUP reloads the file.",
        discussion: """
            The access log goes to standard output, a JSON object a line; the operator's messages go to standard error.
            Exit status: 0 after a shutdown, 78 where the file has errors at the start (nothing is listened on then), 1 for other failures, 2 bad usage.
            SSL_CERT_FILE and SSL_CERT_DIR replace the system's trusted certificates for upstreams.
            """)

    @OptionGroup var policy: PolicyArgument

    mutating func run() async throws {
        // First of all: a signal that comes during the start is served after it.
        let signals = await UnixSignalsSequence(trapping: .sighup, .sigterm, .sigint)
        let messages = LineWriter(descriptor: 2)
        let service: Service
        do {
            service = try await Service.start(path: policy.path, messages: messages)
        } catch {
            messages.close(within: 1000)
            guard error is ListenFailure else { throw error }
            // Last, below the policy's warnings.
            Console.error("llm-router: \(error)")
            throw ExitCode(1)
        }
        await service.run(signals)
    }
}
