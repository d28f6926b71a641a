import Codecs
public import ConfigTree
public import OpenAIServer
public import ProviderKit
import WireFormats

/// OpenAI's models at Azure: `plugin: azure-openai`.
public enum AzureOpenAIPlugin: ProviderPlugin {
    public static let name = "azure-openai"

    public static func readOptions(_ fields: inout FieldReader) -> AzureOpenAIOptions? {
        AzureOpenAIOptions(&fields)
    }

    public static func makeProvider(_ options: AzureOpenAIOptions) -> any Provider {
        AzureOpenAIProvider(options)
    }
}

/// A resource at Azure. The provider's own name of a model is that of its deployment.
public struct AzureOpenAIProvider: OpenAIServerProvider {
    public let server: OpenAIServer
    public let authentication: Authentication
    let options: AzureOpenAIOptions

    public init(_ options: AzureOpenAIOptions) {
        self.options = options
        server = OpenAIServer(
            options.server, endpoints: OpenAIEndpoint.openAI.filter { $0.operation != .moderation } + OpenAIEndpoint.responses)
        let headers = options.server.headers
        authentication =
            options.tokenFile.map { Authentication(credentials: [.tokenFile($0)], fields: headers) }
            ?? .keys(options.server.apiKeys, in: "api-key", and: headers)
    }
}

/// The options of a resource at Azure.
public struct AzureOpenAIOptions: Sendable, Equatable {
    public var server: OpenAIServerOptions
    /// The version of the dated API, or a preview of the other one; nil for the API that has no versions.
    public var apiVersion: String?
    /// A file with a token of Microsoft Entra; nil for a key.
    public var tokenFile: String?

    /// Reads `api_version` and `token_file`, and what every server has. nil if an issue was recorded.
    init?(_ fields: inout FieldReader) {
        fields.describe("base_url", "the address of the resource, such as 'https://NAME.openai.azure.com'")
        fields.describe("api_key", "the resource's key, or several that rotate; the provider is off while their variables are unset")
        let server = OpenAIServerOptions(&fields, defaultBaseURL: nil, needsKey: false, needsVersion: false)
        fields.describe("api_version", "the version of the dated API, such as '2024-10-21'", default: "the v1 API, which has no dates")
        apiVersion = fields.visible("api_version")
        fields.describe("token_file", "a file with a token of Microsoft Entra, instead of 'api_key'; it is read again while it changes")
        tokenFile = fields.filePath("token_file")
        if let version = apiVersion, !version.utf8.allSatisfy({ ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == ASCII.minus }) {
            fields.report("api_version", "'\(abbreviated(version))' is not a version", hint: "write it as Azure does, such as '2024-10-21'")
            return nil
        }
        let hasKey = fields.isPresent("api_key"), hasFile = fields.isPresent("token_file")
        if hasKey, hasFile {
            fields.report("token_file", "a provider has either 'api_key' or 'token_file', not both", hint: "remove one of them")
            return nil
        }
        guard var server else { return nil }
        let hasCredential = server.headers.contains { ["authorization", "api-key"].contains($0.name.lowercased()) }
        guard hasKey || hasFile || hasCredential else {
            fields.report(
                ConfigIssue(
                    at: fields.position, "key 'api_key' is missing", hint: "add 'api_key: …', or 'token_file: …' for Microsoft Entra"))
            return nil
        }
        guard !hasKey || !server.apiKeys.isEmpty, !hasFile || tokenFile != nil, apiVersion != nil || !fields.isPresent("api_version") else {
            return nil
        }
        server.dialect.hasOneTokenLimit = apiVersion == nil
        self.server = server
    }
}
