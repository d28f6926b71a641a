import ConfigTree
import ProviderKit

/// A plugin with every kind of option that turns a provider off.
enum FakePlugin: ProviderPlugin {
    struct Options: Sendable, Equatable {
        var baseURL: BaseURL
        var apiKey: Secret?
        var headers: [HTTPField]
        var wantsStreamUsage: Bool
    }

    static let name = "fake"

    static func readOptions(_ fields: inout FieldReader) -> Options? {
        let baseURL = fields.baseURL("base_url", required: true)
        let apiKey = fields.secret("api_key")
        let headers = fields.headers("headers") ?? []
        let wantsStreamUsage = fields.bool("stream_usage") ?? true
        return baseURL.map { Options(baseURL: $0, apiKey: apiKey, headers: headers, wantsStreamUsage: wantsStreamUsage) }
    }

    static func makeProvider(_ options: Options) -> any Provider { SilentProvider() }
}

/// A plugin that needs no network.
enum EchoPlugin: ProviderPlugin {
    struct Options: Sendable, Equatable {
        var delay: Duration
        var text: String?
    }

    static let name = "echo"

    static func readOptions(_ fields: inout FieldReader) -> Options? {
        Options(delay: fields.duration("delay") ?? .zero, text: fields.text("text"))
    }

    static func makeProvider(_ options: Options) -> any Provider { SilentProvider() }
}

/// A plugin that breaks its promise to say what is wrong.
enum MutePlugin: ProviderPlugin {
    struct Options: Sendable, Equatable {}

    static let name = "mute"

    static func readOptions(_ fields: inout FieldReader) -> Options? { nil }

    static func makeProvider(_ options: Options) -> any Provider { SilentProvider() }
}

private struct SilentProvider: Provider {
    var capabilities: Capabilities { Capabilities(operations: [.chat]) }

    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        throw ProviderError(.upstreamError, message: "never asked")
    }

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        throw ProviderError(.upstreamError, message: "never asked")
    }

    func failure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        ProviderError(.upstreamError, message: "never asked")
    }
}
