import Codecs
public import ConfigTree
public import ProviderKit
import WireFormats

/// Anthropic, and servers with its format at a `base_url`: `plugin: anthropic`.
public enum AnthropicPlugin: ProviderPlugin {
    public static let name = "anthropic"

    public static func readOptions(_ fields: inout FieldReader) -> AnthropicOptions? {
        AnthropicOptions(&fields)
    }

    public static func makeProvider(_ options: AnthropicOptions) -> any Provider {
        AnthropicProvider(options)
    }
}

/// A provider with Anthropic's wire format.
public struct AnthropicProvider: Provider {
    public let authentication: Authentication
    let options: AnthropicOptions
    let body = AnthropicMessagesBody()

    public init(_ options: AnthropicOptions) {
        self.options = options
        authentication = .keys(options.apiKeys, in: "x-api-key", and: options.headers)
    }

    public var origin: Origin? { options.baseURL.origin }

    public func formats(for operation: Operation, model: String) -> [WireFormat] {
        operation == .chat || operation == .countTokens ? [AnthropicMessages.format] : []
    }

    public func models(from body: RawSpan) throws(ProviderError) -> [ListedModel] { try AnthropicModels.read(body) }

    public func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        try AnthropicMessages.decoder(for: call, head: head)
    }
}

/// The options of a provider with Anthropic's wire format.
public struct AnthropicOptions: Sendable, Equatable {
    public var baseURL: BaseURL
    /// The account's keys; empty if the header fields have the credential.
    public var apiKeys: [Secret]
    /// More header fields for each request. Their values may be secrets, so they are treated as such.
    public var headers: [HTTPField]

    /// Reads `base_url`, `api_key` and `headers`. nil if an issue was recorded.
    init?(_ fields: inout FieldReader) {
        let server = BaseURL(origin: Origin(isTLS: true, host: "api.anthropic.com", port: 443), path: "")
        let baseURL = fields.baseURL("base_url", default: server)
        headers = fields.headers("headers") ?? []
        let hasCredential = headers.contains { $0.name.lowercased() == "authorization" }
        apiKeys = fields.secrets("api_key", required: !hasCredential)
        guard let baseURL, !apiKeys.isEmpty || hasCredential else { return nil }
        self.baseURL = baseURL
    }
}
