public import ConfigTree
public import OpenAIServer
public import ProviderKit
import WireFormats

/// DeepSeek: `plugin: deepseek`.
public enum DeepSeekPlugin: ProviderPlugin {
    public static let name = "deepseek"

    public static func readOptions(_ fields: inout FieldReader) -> OpenAIServerOptions? {
        let baseURL = BaseURL(origin: Origin(isTLS: true, host: "api.deepseek.com", port: 443), path: "")
        guard var options = OpenAIServerOptions(&fields, defaultBaseURL: baseURL, needsKey: true, needsVersion: false) else { return nil }
        options.dialect.continuation = .prefix
        options.dialect.hasOldTokenLimit = true
        options.dialect.reasoning = .content
        options.dialect.effort = .thinking
        options.dialect.needsReasoning = true
        return options
    }

    public static func makeProvider(_ options: OpenAIServerOptions) -> any Provider {
        DeepSeekProvider(options)
    }
}

/// DeepSeek as a provider.
public struct DeepSeekProvider: OpenAIServerProvider {
    public let server: OpenAIServer

    public init(_ options: OpenAIServerOptions) {
        server = OpenAIServer(options, endpoints: OpenAIEndpoint.openAI([.chat, .completion]))
    }
}
