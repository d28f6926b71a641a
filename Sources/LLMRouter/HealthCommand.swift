import ArgumentParser
import ConfigTree
import HTTPWire
import NIOCore
import NIOPosix
import ProviderKit

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Asks a running router whether it serves; for health checks.",
        discussion: """
            Without a path, the address is asked for '/health', which answers as long as the process lives. '/readyz' also says \
            whether it accepts requests.
            Exit status: 0 it does, 1 it does not or can't be reached within 5 seconds, 2 bad usage.
            SSL_CERT_FILE and SSL_CERT_DIR replace the system's trusted certificates.
            """)

    @Argument(help: ArgumentHelp("The router's address.", valueName: "url"))
    var url = "http://127.0.0.1:8080"

    func run() async throws {
        let address = try Self.address(url)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let result = await Self.result(of: address, on: group.next())
        try? await group.shutdownGracefully()
        switch result {
        case .success(let response) where response.status == 200:
            Console.out(String(decoding: response.body, as: UTF8.self))
        case .success(let response):
            Console.error("llm-router: \(url) responds with \(response.status)")
            throw ExitCode(1)
        case .failure(let failure):
            Console.error("llm-router: \(url) \(failure.words)")
            throw ExitCode(1)
        }
    }

    private static func address(_ url: String) throws -> BaseURL {
        let start = SourcePosition(file: "", line: 1, column: 1)
        let value = ConfigNode(.scalar(ConfigScalar(url)), at: start)
        var fields = FieldReader([ConfigEntry(key: ConfigText("url", at: start), value: value)], at: start)
        guard var address = fields.baseURL("url") else {
            throw ValidationError(fields.issues.map { "\($0.message)\($0.hint.map { "; \($0)" } ?? "")" }.joined(separator: "; "))
        }
        if address.path.isEmpty { address.path = "/health" }
        return address
    }

    private static func result(
        of address: BaseURL, on eventLoop: any EventLoop
    ) async -> Result<SingleRequest.Response, UpstreamFailure> {
        let origin = address.origin
        let limit = Duration.seconds(5)
        do {
            return .success(
                try await SingleRequest.send(
                    UpstreamRequestHead(method: "GET", target: address.path, authority: origin.authority, fields: []),
                    to: UpstreamEndpoint(host: origin.host, port: Int(origin.port), isTLS: origin.isTLS),
                    tls: origin.isTLS ? TLSContextProvider(settings: .ofEnvironment) : nil,
                    timeouts: UpstreamTimeouts(queue: limit, connect: limit, write: limit, firstByte: limit, total: .now() + .seconds(5)),
                    on: eventLoop))
        } catch {
            return .failure(error as? UpstreamFailure ?? .unreachable("\(error)"))
        }
    }
}

extension TLSSettings {
    /// As the environment of the process has them.
    static var ofEnvironment: TLSSettings {
        TLSSettings(certificateFile: Console.environment("SSL_CERT_FILE"), certificateDirectory: Console.environment("SSL_CERT_DIR"))
    }
}

extension UpstreamFailure {
    /// As a message continues behind the address.
    fileprivate var words: String {
        switch self {
        case .unreachable(let message): "can't be reached: \(message)"
        case .reset, .truncated: "closes the connection without a complete response"
        case .malformed(let message): "doesn't speak HTTP: \(message)"
        case .timeout: "doesn't respond within 5 seconds"
        case .queueFull, .outOfResources: "can't be asked: out of connections, file descriptors or memory"
        }
    }
}
