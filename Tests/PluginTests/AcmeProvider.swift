import Codecs
public import ConfigTree
public import ProviderKit
import WireFormats

/// A server with OpenAI's chat format, its own address and its own field for the key: `plugin: acme`.
public enum AcmePlugin: ProviderPlugin {
    public static let name = "acme"

    public static func readOptions(_ fields: inout FieldReader) -> AcmeOptions? {
        let baseURL = fields.baseURL("base_url", required: true)
        let apiKeys = fields.secrets("api_key", required: true)
        guard let baseURL, !apiKeys.isEmpty else { return nil }
        return AcmeOptions(baseURL: baseURL, apiKeys: apiKeys)
    }

    public static func makeProvider(_ options: AcmeOptions) -> any Provider {
        AcmeProvider(options: options)
    }
}

public struct AcmeOptions: Sendable, Equatable {
    var baseURL: BaseURL
    var apiKeys: [Secret]
}

struct AcmeProvider: Provider {
    let options: AcmeOptions
    let chat = OpenAIChatBody(OpenAIDialect(streamUsage: false))

    var origin: Origin? { options.baseURL.origin }
    var authentication: Authentication { .keys(options.apiKeys, in: "x-acme-key") }

    func formats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] {
        operation == .chat ? [OpenAIChat.format] : []
    }

    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(
            target: options.baseURL.path + "/generate",
            fields: [HTTPField("content-type", "application/json"), HTTPField("accept-encoding", "identity")],
            body: try chat.sources(for: call, body: body))
    }

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        try OpenAIChat.decoder(for: call, head: head)
    }

    /// Acme says with the status 402 that a model is overloaded, and has OpenAI's errors otherwise.
    func failure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        var error = openAIFailure(head: head, body: body)
        if head.status == 402 { error.failure = .rateLimited }
        return error
    }
}
