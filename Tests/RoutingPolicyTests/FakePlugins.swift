import ConfigTree
import ProviderKit

/// A plugin with every kind of option that can turn a provider off.
enum FakePlugin: ProviderPlugin {
    struct Options: Sendable, Equatable {
        var baseURL: BaseURL
        var apiKeys: [Secret]
        var headers: [HTTPField]
        var wantsStreamUsage: Bool
    }

    static let name = "fake"

    static func readOptions(_ fields: inout FieldReader) -> Options? {
        let baseURL = fields.baseURL("base_url", required: true)
        let apiKeys = fields.secrets("api_key")
        let headers = fields.headers("headers") ?? []
        let wantsStreamUsage = fields.bool("stream_usage") ?? true
        return baseURL.map { Options(baseURL: $0, apiKeys: apiKeys, headers: headers, wantsStreamUsage: wantsStreamUsage) }
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

/// A second plugin with the options of `EchoPlugin`.
enum TwinPlugin: ProviderPlugin {
    static let name = "twin"

    static func readOptions(_ fields: inout FieldReader) -> EchoPlugin.Options? { EchoPlugin.readOptions(&fields) }

    static func makeProvider(_ options: EchoPlugin.Options) -> any Provider { EchoPlugin.makeProvider(options) }
}

/// A plugin that refuses its options without reporting an issue, which `ProviderPlugin` forbids.
enum MutePlugin: ProviderPlugin {
    struct Options: Sendable, Equatable {}

    static let name = "mute"

    static func readOptions(_ fields: inout FieldReader) -> Options? { nil }

    static func makeProvider(_ options: Options) -> any Provider { SilentProvider() }
}

private struct SilentProvider: Provider {
    func formats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] {
        [.chat, .embeddings].contains(operation) ? [WireFormat("fake")] : []
    }

    func optionalFormats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] {
        operation == .chat ? [WireFormat("fake-new")] : []
    }

    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        throw ProviderError(.upstreamError, message: "never called")
    }

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        throw ProviderError(.upstreamError, message: "never called")
    }

    func failure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        ProviderError(.upstreamError, message: "never called")
    }
}
