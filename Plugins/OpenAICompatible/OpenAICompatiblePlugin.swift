public import ConfigTree
public import OpenAIServer
public import ProviderKit
import WireFormats

/// Any server with OpenAI's wire format at a `base_url`: `plugin: openai-compatible`.
public enum OpenAICompatiblePlugin: ProviderPlugin {
    public static let name = "openai-compatible"

    public static func readOptions(_ fields: inout FieldReader) -> OpenAIServerOptions? {
        var options = OpenAIServerOptions(&fields, defaultBaseURL: nil, needsKey: false)
        options.readDeviations(&fields)
        return options
    }

    public static func makeProvider(_ options: OpenAIServerOptions) -> any Provider {
        OpenAICompatibleProvider(options)
    }
}

/// A provider with OpenAI's wire format.
public struct OpenAICompatibleProvider: OpenAIServerProvider {
    public let server: OpenAIServer

    public init(_ options: OpenAIServerOptions) {
        server = OpenAIServer(
            options, endpoints: OpenAIEndpoint.openAI + [OpenAIEndpoint.rerank], optionalEndpoints: OpenAIEndpoint.responses)
    }
}

extension OpenAIServerOptions? {
    /// Reads how a server differs from OpenAI's: `continues`, `token_limit`, `reasoning` and `cache_control`. The last
    /// three count for requests that the router writes itself, because the client has another format.
    /// ``OpenAIDialect`` has the reason and the source of each.
    fileprivate mutating func readDeviations(_ fields: inout FieldReader) {
        fields.describe("continues", "how to request the rest of a partial response, which a route's 'resume' needs", default: "no")
        let continuation = fields.word("continues", of: OpenAIDialect.Continuation.allCases.map(\.rawValue))
        fields.describe("token_limit", "what the limit of a response is called in translated requests", default: "max_tokens")
        let limit = fields.word("token_limit", of: ["max_tokens", "max_completion_tokens"])
        fields.describe("reasoning", "how the reasoning of earlier turns is sent back in translated requests", default: "no")
        let reasoning = fields.word("reasoning", of: OpenAIDialect.Reasoning.allCases.map(\.rawValue))
        fields.describe("cache_control", "whether translated requests keep Anthropic's marks of what to cache", default: "false")
        let hasCacheControl = fields.bool("cache_control") ?? false
        self?.dialect.continuation = continuation.flatMap(OpenAIDialect.Continuation.init) ?? .no
        self?.dialect.hasOldTokenLimit = limit != "max_completion_tokens"
        self?.dialect.reasoning = reasoning.flatMap(OpenAIDialect.Reasoning.init) ?? .no
        self?.dialect.hasCacheControl = hasCacheControl
    }
}
