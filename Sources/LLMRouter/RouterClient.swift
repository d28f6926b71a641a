import Codecs
import HTTPWire
import NIOCore
import NIOPosix
import ProviderKit

/// Asks the admin endpoints of a running router.
struct RouterClient {
    private let url: BaseURL
    private let key: String?
    private let group: MultiThreadedEventLoopGroup
    private let tls: TLSContextProvider?

    /// How long a response may take.
    private static let limit = Duration.seconds(30)

    /// Runs `use` with a client, whose connections then close.
    static func with<Value>(_ server: ServerOption, _ use: (RouterClient) async throws -> Value) async throws -> Value {
        let url = try server.url, group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let tls = TLSContextProvider(
            settings: TLSSettings(
                certificateFile: Console.environment("SSL_CERT_FILE"), certificateDirectory: Console.environment("SSL_CERT_DIR")))
        let client = RouterClient(
            url: url, key: Console.environment(ServerOption.keyVariable).flatMap { $0.isEmpty ? nil : $0 }, group: group,
            tls: url.origin.isTLS ? tls : nil)
        let result: Result<Value, any Error>
        do { result = .success(try await use(client)) } catch { result = .failure(error) }
        try? await group.shutdownGracefully()
        return try result.get()
    }

    /// The body of a response with status 200.
    ///
    /// - Throws: an `Unanswered` for any other response, and for none.
    func send(
        _ method: String, _ path: String, query: [(name: String, value: String)] = [], fields: [(String, String)] = [], _ body: [UInt8] = []
    ) async throws -> [UInt8] {
        let query = query.map { "\($0.name)=\(PercentEncoding.segment($0.value))" }.joined(separator: "&")
        let head = UpstreamRequestHead(
            method: method, target: url.path + path + (query.isEmpty ? "" : "?\(query)"), authority: url.origin.authority,
            fields: (key.map { [("authorization", "Bearer \($0)")] } ?? []) + fields)
        let endpoint = UpstreamEndpoint(host: url.origin.host, port: Int(url.origin.port), isTLS: url.origin.isTLS)
        let response: SingleRequest.Response
        do {
            response = try await SingleRequest.send(
                head, body: body, to: endpoint, tls: tls,
                timeouts: UpstreamTimeouts(
                    queue: Self.limit, connect: Self.limit, write: Self.limit, firstByte: nil, total: .now() + TimeAmount(Self.limit)),
                on: group.next())
        } catch {
            throw Unanswered("\(address) does not answer: \((error as? UpstreamFailure)?.summary ?? "\(error)")")
        }
        guard response.status != 200 else { return response.body }
        let message = JSONTree(response.body.span.bytes)?["error"]?["message"]?.string
        let advice = response.status == 401 ? "; set \(ServerOption.keyVariable) to a key with 'admin: true'" : ""
        throw Unanswered("\(address) responds with \(response.status)\(message.map { ": \($0)" } ?? "")\(advice)")
    }

    private var address: String { "\(url.origin.isTLS ? "https" : "http")://\(url.origin.authority)\(url.path)" }

    /// A failure with a message for standard error, and the exit code 1.
    struct Unanswered: Error, CustomStringConvertible {
        let description: String

        init(_ message: String) { description = "llm-router: \(Console.printable(message))" }
    }
}

extension UpstreamFailure {
    /// The failure in words.
    fileprivate var summary: String {
        switch self {
        case .unreachable(let message), .malformed(let message), .outOfResources(let message): message
        case .reset, .truncated: "it closed the connection"
        case .timeout(let timer): "the timeout '\(timer.rawValue)' ran out"
        case .queueFull: "too many requests wait"
        }
    }
}
