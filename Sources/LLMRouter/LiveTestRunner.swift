import Engine
import Gateway
import Glibc
import HTTPWire
import Logging
import NIOCore
import NIOPosix
import ProviderKit
import RoutingPolicy
import Telemetry

/// Runs a policy's tests with real requests. Each test has its own engine and its own server on a free port of
/// 127.0.0.1, so that breakers, statistics and limits of one test don't affect the next.
struct LiveTestRunner {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let closedPort: ClosedPort

    init() throws {
        closedPort = try ClosedPort()
    }

    func close() async {
        try? await group.shutdownGracefully()
    }

    /// Sends the test's request and compares the response with the expectation.
    ///
    /// - Parameter reachesUpstreams: whether a test that may call an upstream is run. Otherwise it is skipped.
    func outcome(of test: RoutingExpectation, under policy: RoutingPolicy, reachesUpstreams: Bool) async throws -> TestReport.Outcome {
        if test.tokens != nil { return .skipped("'tokens' replaces the estimate, which a real request can't") }
        if let reason = test.operation.obstacleToLiveTest { return .skipped(reason) }
        if test.face != .openai { return .skipped("a live test sends requests in OpenAI's format only") }
        if test.lastServedBy != nil { return .skipped("'last_served_by' replaces the memory of a router that has served the conversation") }
        let snapshot = Snapshot.provision(policy, over: nil, at: 0)
        if !reachesUpstreams, let provider = ExpectationTrial(test, in: snapshot).upstream() {
            return .skipped("the request may reach the upstream of '\(provider)'; add --all to send it")
        }
        let secret = String(UInt64.random(in: .min ... .max), radix: 16) + String(UInt64.random(in: .min ... .max), radix: 16)
        let testPolicy = policy.admitting(test.key, secret: secret).failing(snapshot.models(down: test.down), at: closedPort.number)
        let response = try await send(test, secret: policy.keys.isEmpty ? nil : secret, under: testPolicy)
        let trial = ExpectationTrial(test, in: snapshot).includingFallback
        return .judged(trial.verdict(of: response.routingResult(in: trial.snapshot)))
    }

    private func send(_ test: RoutingExpectation, secret: String?, under policy: RoutingPolicy) async throws -> LiveResponse {
        let tls = TLSContextProvider(settings: .ofEnvironment)
        let engine = Engine(
            eventLoops: Array(group.makeIterator()), snapshot: Snapshot.provision(policy, over: nil, at: Timestamp.seconds()),
            transport: UpstreamTransport(tls: tls),
            logger: Logger(label: "llm-router test") { _ in SwiftLogNoOpLogHandler() })
        let admin = AdminActions(
            version: Version.text, reload: { _ in .kept(errors: ["the policy of a live test can't be reloaded"], report: "") },
            check: { PolicyFile.report(posted: $0, variables: [:], loaded: policy.plugins) })
        let handler = GatewayHandler(engine: engine, admin: admin)
        let server = Server(
            group: group, handler: handler, settings: ServerLimits(policy.server), budget: engine.budget, spool: engine.spool
        ) { _ in }
        let listener = try await server.bind(.tcp(host: "127.0.0.1", port: 0))
        let response: Result<LiveResponse, any Error>
        do {
            guard let port = listener.address?.port else { throw ChannelError.unknownLocalAddress }
            response = .success(try await LiveCall.send(test, secret: secret, toPort: port, on: group.next()))
        } catch {
            response = .failure(error)
        }
        await server.close(listener)
        for loop in engine.loops {
            for case let instance? in engine.store.current.instances { try? await loop.eventLoop.submit { loop.drop(instance) }.get() }
        }
        return try response.get()
    }
}

extension ProviderKit.Operation {
    /// Why a live test can't send a request for the operation and judge its response; nil if it can.
    fileprivate var obstacleToLiveTest: String? {
        switch self {
        case .chat, .embeddings, .imageGeneration, .imageEdit, .moderation, .rerank, .completion: nil
        case .transcription, .translation: "a test can't give the file that a request for \(rawValue) needs"
        case .speech, .countTokens: "a response to \(rawValue) has no '_router', which live tests judge"
        }
    }
}

/// A port of 127.0.0.1 that refuses every connection. Its socket is bound, so that no other process takes the port, but
/// doesn't listen.
final class ClosedPort: Sendable {
    let number: UInt16
    private let socket: CInt

    init() throws {
        socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let file = socket
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(file, $0, length) == 0 ? getsockname(file, $0, &length) : -1 }
        }
        guard result == 0 else {
            let code = errno
            _ = unistdClose(file)
            throw IOError(errnoCode: code, reason: "bind 127.0.0.1")
        }
        number = UInt16(bigEndian: address.sin_port)
    }

    deinit { _ = unistdClose(socket) }
}

private func unistdClose(_ file: CInt) -> CInt { close(file) }

extension RoutingPolicy {
    /// A copy of the policy in which the given models can't be reached: their providers keep their names, but have an
    /// address that refuses connections.
    func failing(_ models: Set<Int>, at port: UInt16) -> RoutingPolicy {
        var policy = self
        var failing: [Int: Int] = [:]
        for model in models.sorted() {
            let provider = self.models[model].provider
            // A provider that is off stays off.
            guard providers[provider].settings != nil else { continue }
            if failing[provider] == nil {
                failing[provider] = policy.providers.count
                var definition = providers[provider]
                definition.settings = UnreachableSettings(port: port)
                definition.unset = []
                policy.providers.append(definition)
            }
            policy.models[model].provider = failing[provider] ?? provider
        }
        return policy
    }
}

private struct UnreachableSettings: ProviderSettings {
    let port: UInt16

    func makeProvider() -> any Provider { UnreachableProvider(origin: Origin(isTLS: false, host: "127.0.0.1", port: port)) }

    func isEqual(to other: any ProviderSettings) -> Bool { (other as? UnreachableSettings)?.port == port }
}

private struct UnreachableProvider: Provider {
    let origin: Origin?

    func formats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] { [] }

    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(target: "/", fields: [], body: [])
    }

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        throw ProviderError(.unreachable, message: "the provider is down in this test")
    }
}
