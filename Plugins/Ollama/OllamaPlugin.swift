import Codecs
public import ConfigTree
public import ProviderKit
import WireFormats

/// Ollama, on this machine, on another one or in its cloud: `plugin: ollama`.
public enum OllamaPlugin: ProviderPlugin {
    public static let name = "ollama"

    public static func readOptions(_ fields: inout FieldReader) -> OllamaOptions? {
        OllamaOptions(&fields)
    }

    public static func makeProvider(_ options: OllamaOptions) -> any Provider {
        OllamaProvider(options)
    }
}

/// A provider with Ollama's wire formats.
public struct OllamaProvider: Provider {
    public let authentication: Authentication
    let options: OllamaOptions
    let body = OllamaBody()

    public init(_ options: OllamaOptions) {
        self.options = options
        authentication = .bearer(options.apiKeys, and: options.headers)
    }

    public var origin: Origin? { options.baseURL.origin }

    public func formats(for operation: Operation, model: String) -> [WireFormat] {
        Self.endpoints.filter { $0.operation == operation }.map(\.format)
    }

    /// In the order in which typed requests prefer them.
    static let endpoints: [(operation: Operation, format: WireFormat, path: String)] = [
        (.chat, OllamaChat.format, "/chat"), (.chat, OllamaChat.generate, "/generate"),
        (.embeddings, OllamaEmbed.format, "/embed"), (.embeddings, OllamaEmbed.legacy, "/embeddings"),
    ]

    public func models(from body: RawSpan) throws(ProviderError) -> [ListedModel] { try OllamaModels.read(body) }

    public func model(_ model: ListedModel, from body: RawSpan) throws(ProviderError) -> ListedModel {
        try OllamaModels.read(model, details: body)
    }

    public func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        call.operation == .embeddings ? try OllamaEmbed.decoder(for: call, head: head) : try OllamaChat.decoder(for: call, head: head)
    }
}

/// The options of a provider with Ollama's wire formats.
public struct OllamaOptions: Sendable, Equatable {
    public var baseURL: BaseURL
    /// The keys of Ollama's cloud, or of a proxy in front of a server; empty for a server without one.
    public var apiKeys: [Secret]
    /// More header fields for each request. Their values may be secrets, so they are treated as such.
    public var headers: [HTTPField]

    /// Reads `base_url`, `api_key` and `headers`. nil if an issue was recorded.
    init?(_ fields: inout FieldReader) {
        let server = BaseURL(origin: Origin(isTLS: false, host: "127.0.0.1", port: 11434), path: "")
        let baseURL = fields.baseURL("base_url", default: server)
        if let baseURL { fields.warn("base_url", baseURL, endingWith: "/v1", butThere: "Ollama serves its own API below '/api'") }
        apiKeys = fields.secrets("api_key")
        headers = fields.headers("headers") ?? []
        guard let baseURL else { return nil }
        self.baseURL = baseURL
    }
}
