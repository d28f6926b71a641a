public import ConfigTree
public import OpenAIServer
public import ProviderKit

/// OpenAI itself: `plugin: openai`.
public enum OpenAIPlugin: ProviderPlugin {
    public static let name = "openai"

    public static func readOptions(_ fields: inout FieldReader) -> OpenAIOptions? {
        OpenAIOptions(&fields)
    }

    public static func makeProvider(_ options: OpenAIOptions) -> any Provider {
        OpenAIProvider(options)
    }
}

/// OpenAI as a provider.
public struct OpenAIProvider: OpenAIServerProvider {
    public let server: OpenAIServer

    public init(_ options: OpenAIOptions) {
        server = OpenAIServer(
            options.server, endpoints: OpenAIEndpoint.openAI + OpenAIEndpoint.responses, fields: options.fields)
    }
}

/// The options of OpenAI.
public struct OpenAIOptions: Sendable, Equatable {
    public var server: OpenAIServerOptions
    /// The organization that the requests count for; nil for the account's own.
    public var organization: String?
    /// The project that the requests count for; nil for the key's own.
    public var project: String?

    /// Reads `organization` and `project`, and what every server has. nil if an issue was recorded.
    init?(_ fields: inout FieldReader) {
        let baseURL = BaseURL(origin: Origin(isTLS: true, host: "api.openai.com", port: 443), path: "/v1")
        let server = OpenAIServerOptions(&fields, defaultBaseURL: baseURL, needsKey: true)
        fields.describe("organization", "the id of the organization that requests count for", default: "that of the account")
        organization = fields.visible("organization")
        fields.describe("project", "the id of the project that requests count for", default: "that of the key")
        project = fields.visible("project")
        let isValid = (organization != nil || !fields.isPresent("organization")) && (project != nil || !fields.isPresent("project"))
        guard var server, isValid else { return nil }
        server.dialect.hasOneTokenLimit = true
        server.dialect.isOpenAI = true
        self.server = server
    }

    /// Source: OpenAI's API reference, "Authentication".
    var fields: [HTTPField] {
        [("openai-organization", organization), ("openai-project", project)].compactMap { name, value in value.map { HTTPField(name, $0) } }
    }
}
