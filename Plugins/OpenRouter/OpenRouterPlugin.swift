public import ConfigTree
public import OpenAIServer
public import ProviderKit
import WireFormats

/// OpenRouter: `plugin: openrouter`.
public enum OpenRouterPlugin: ProviderPlugin {
    public static let name = "openrouter"

    public static func readOptions(_ fields: inout FieldReader) -> OpenRouterOptions? {
        OpenRouterOptions(&fields)
    }

    public static func makeProvider(_ options: OpenRouterOptions) -> any Provider {
        OpenRouterProvider(options)
    }
}

/// OpenRouter as a provider. It speaks OpenAI's Responses and Anthropic's format too, with any model.
public struct OpenRouterProvider: OpenAIServerProvider {
    public let server: OpenAIServer

    public init(_ options: OpenRouterOptions) {
        server = OpenAIServer(options.server, endpoints: Self.endpoints, fields: options.fields)
    }

    /// Sources: OpenRouter's API reference; openrouter-python 1.3.84, `chat.py`, `embeddings.py` and `rerank.py`.
    private static let endpoints =
        OpenAIEndpoint.openAI([.chat, .embeddings, .completion]) + OpenAIEndpoint.responses.prefix(1)
        + [OpenAIEndpoint.messages, OpenAIEndpoint.rerank]
}

/// The options of OpenRouter.
public struct OpenRouterOptions: Sendable, Equatable {
    public var server: OpenAIServerOptions
    /// The address, the title and the categories of the application that sends the requests; nil for none.
    public var appURL: String?
    public var appTitle: String?
    public var appCategories: String?

    /// Reads `app_url`, `app_title` and `app_categories`, and what every server has. nil if an issue was recorded.
    init?(_ fields: inout FieldReader) {
        let baseURL = BaseURL(origin: Origin(isTLS: true, host: "openrouter.ai", port: 443), path: "/api/v1")
        let server = OpenAIServerOptions(&fields, defaultBaseURL: baseURL, needsKey: true)
        fields.describe("app_url", "the address of the application, by which OpenRouter ranks it")
        appURL = fields.visible("app_url")
        fields.describe("app_title", "the title of the application in OpenRouter's rankings")
        appTitle = fields.visible("app_title", hasBlanks: true)
        fields.describe("app_categories", "the application's categories, separated by commas, such as 'cli-agent,cloud-agent'")
        appCategories = fields.visible("app_categories")
        let isValid = [("app_url", appURL), ("app_title", appTitle), ("app_categories", appCategories)]
            .allSatisfy { $0.1 != nil || !fields.isPresent($0.0) }
        guard var server, isValid else { return nil }
        server.dialect.continuation = .prefill
        server.dialect.reasoning = .plain
        server.dialect.effort = .object
        server.dialect.hasCacheControl = true
        server.dialect.hasHosts = true
        server.dialect.hasFileURLs = true
        self.server = server
    }

    /// Source: OpenRouter's guide "App Attribution"; openrouter-python 1.3.84, `chat.py`.
    var fields: [HTTPField] {
        [("http-referer", appURL), ("x-openrouter-title", appTitle), ("x-openrouter-categories", appCategories)]
            .compactMap { name, value in value.map { HTTPField(name, $0) } }
    }
}
