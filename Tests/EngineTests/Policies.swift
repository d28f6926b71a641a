import ConfigTree
import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

/// A plugin whose providers never respond, for plans, which call no provider.
enum SilentPlugin: ProviderPlugin {
    static let name = "silent"

    struct Options: Sendable, Equatable {
        var tag: String?
        var key: Secret?
        var canContinue = false
    }

    static func readOptions(_ fields: inout FieldReader) -> Options? {
        Options(tag: fields.string("tag"), key: fields.secret("api_key"), canContinue: fields.bool("can_continue") ?? false)
    }

    static func makeProvider(_ options: Options) -> any Provider {
        SilentProvider(
            canContinue: options.canContinue, secrets: options.key.map { [$0] } ?? [])
    }
}

struct SilentProvider: Provider {
    let canContinue: Bool
    let secrets: [Secret]

    func formats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] { [WireFormat("silent")] }

    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(target: "/", fields: [], body: [])
    }

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        throw ProviderError(.upstreamError, message: "no response")
    }
}

/// A policy file in memory.
struct MemorySource: PolicySource {
    var text: String
    var variables: [String: String] = [:]

    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] { Array(text.utf8) }
    func environment(_ name: String) -> String? { variables[name] }
    func glob(_ pattern: String) -> [String] { [] }
}

func report(_ yaml: String, _ variables: [String: String] = [:]) -> PolicyReport {
    PolicyLoader(plugins: [SilentPlugin.self], source: MemorySource(text: "version: 1\n" + yaml, variables: variables)).load(
        path: "routes.yaml")
}

func policy(_ yaml: String, _ variables: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation) throws -> RoutingPolicy
{
    let report = report(yaml, variables)
    return try #require(report.policy, "\(report.rendered())", sourceLocation: sourceLocation)
}

func snapshot(_ yaml: String, _ variables: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation) throws -> Snapshot {
    Snapshot.provision(try policy(yaml, variables, sourceLocation: sourceLocation), over: nil, at: 1)
}
