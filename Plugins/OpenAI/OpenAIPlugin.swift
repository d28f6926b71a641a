public import ConfigTree
public import OpenAIServer
public import ProviderKit

/// OpenAI itself: `plugin: openai`.
public enum OpenAIPlugin: ProviderPlugin {
    public static let name = "openai"

    public static func readOptions(_ fields: inout FieldReader) -> OpenAIServerOptions? {
        let baseURL = BaseURL(origin: Origin(isTLS: true, host: "api.openai.com", port: 443), path: "/v1")
        return OpenAIServerOptions(&fields, defaultBaseURL: baseURL, needsKey: true)
    }

    public static func makeProvider(_ options: OpenAIServerOptions) -> any Provider {
        OpenAIProvider(options)
    }
}

/// OpenAI as a provider.
public struct OpenAIProvider: OpenAIServerProvider {
    public let server: OpenAIServer

    public init(_ options: OpenAIServerOptions) {
        server = OpenAIServer(options, endpoints: OpenAIEndpoint.all + OpenAIEndpoint.responses)
    }
}
