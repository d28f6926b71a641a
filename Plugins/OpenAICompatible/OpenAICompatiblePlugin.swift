public import ConfigTree
public import OpenAIServer
public import ProviderKit
import WireFormats

/// Any server with OpenAI's wire format at a `base_url`: `plugin: openai-compatible`.
public enum OpenAICompatiblePlugin: ProviderPlugin {
    public static let name = "openai-compatible"

    public static func readOptions(_ fields: inout FieldReader) -> OpenAIServerOptions? {
        var options = OpenAIServerOptions(&fields, defaultBaseURL: nil, needsKey: false)
        fields.describe("continues", "how to request the rest of a partial response, which a route's 'resume' needs", default: "no")
        let word = fields.word("continues", of: OpenAIDialect.Continuation.allCases.map(\.rawValue))
        options?.dialect.continuation = word.flatMap(OpenAIDialect.Continuation.init) ?? .no
        options?.dialect.hasOldTokenLimit = true
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
        server = OpenAIServer(options, optionalEndpoints: OpenAIEndpoint.responses)
    }
}
