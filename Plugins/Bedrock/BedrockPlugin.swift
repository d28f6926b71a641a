import Codecs
public import ConfigTree
public import ProviderKit
import WireFormats

/// Amazon Bedrock's Converse API: `plugin: bedrock`.
public enum BedrockPlugin: ProviderPlugin {
    public static let name = "bedrock"

    public static func readOptions(_ fields: inout FieldReader) -> BedrockOptions? {
        BedrockOptions(&fields)
    }

    public static func makeProvider(_ options: BedrockOptions) -> any Provider {
        BedrockProvider(options)
    }
}

/// Bedrock in one region.
public struct BedrockProvider: Provider {
    public let authentication: Authentication
    let options: BedrockOptions
    let body = BedrockConverseBody()

    public init(_ options: BedrockOptions) {
        self.options = options
        authentication = Authentication(
            credentials: options.apiKeys.map { .bearer($0) } + (options.key.map { [.signature($0)] } ?? []), fields: options.headers)
    }

    public var origin: Origin? { options.baseURL.origin }

    public func formats(for operation: Operation, model: String) -> [WireFormat] {
        operation == .chat || operation == .countTokens ? [BedrockConverse.format] : []
    }

    public func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        try BedrockConverse.decoder(for: call, head: head)
    }
}

/// The options of Bedrock.
public struct BedrockOptions: Sendable, Equatable {
    public var baseURL: BaseURL
    /// Bedrock's own API keys; empty if the requests are signed.
    public var apiKeys: [Secret]
    /// The key with which requests are signed; nil if they have an API key.
    public var key: AWSCredential?
    /// More header fields for each request. Their values may be secrets, so they are treated as such.
    public var headers: [HTTPField]

    /// Reads `region`, `base_url`, `headers`, and either `api_key` or `access_key_id`, `secret_access_key` and
    /// `session_token`. nil if an issue was recorded.
    ///
    /// Source: Amazon Bedrock's user guide, "API keys".
    init?(_ fields: inout FieldReader) {
        fields.describe("region", "the AWS region that serves the requests, such as 'us-east-1'")
        let region = fields.string("region", required: true)
        let isRegion =
            region.map { !$0.isEmpty && $0.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == ASCII.minus } } ?? false
        if let region, !isRegion {
            fields.report("region", "'\(abbreviated(region))' is not a region", hint: "write it as AWS does, such as 'us-east-1'")
        }
        let host = "bedrock-runtime.\(isRegion ? region ?? "" : "unset").amazonaws.com"
        fields.describe("base_url", "the address of its API, for a VPC endpoint or a proxy", default: "that of the region")
        let baseURL = fields.baseURL("base_url", default: BaseURL(origin: Origin(isTLS: true, host: host, port: 443), path: ""))
        fields.describe(
            "api_key", "a Bedrock API key, or several that rotate; the provider is off while their variables are unset")
        apiKeys = fields.secrets("api_key")
        fields.describe("access_key_id", "the name of an AWS key that signs the requests, instead of 'api_key'")
        let id = fields.secret("access_key_id")
        fields.describe("secret_access_key", "the AWS key itself")
        let secret = fields.secret("secret_access_key")
        fields.describe("session_token", "the token of a temporary AWS key")
        let token = fields.secret("session_token")
        headers = fields.headers("headers") ?? []
        let hasKeys = fields.isPresent("api_key"), hasPair = fields.isPresent("access_key_id") && fields.isPresent("secret_access_key")
        if hasKeys, fields.isPresent("access_key_id") || fields.isPresent("secret_access_key") {
            fields.report("access_key_id", "a provider has either 'api_key' or an AWS key, not both", hint: "remove one of them")
            return nil
        }
        if hasKeys, let node = fields.node("session_token") {
            fields.report(
                ConfigIssue(
                    .warning, at: node.position, "'session_token' means nothing beside 'api_key'",
                    hint: "remove it; or write 'access_key_id' and 'secret_access_key' instead of 'api_key'"))
        }
        guard hasKeys || hasPair else {
            fields.report(
                ConfigIssue(
                    at: fields.position, "key 'api_key' is missing",
                    hint: "add 'api_key: …', or 'access_key_id: …' and 'secret_access_key: …'"))
            return nil
        }
        guard let region, isRegion, let baseURL else { return nil }
        if hasKeys {
            guard !apiKeys.isEmpty else { return nil }
        } else {
            guard let id, let secret, token != nil || !fields.isPresent("session_token") else { return nil }
            key = AWSCredential(accessKeyID: id, secretAccessKey: secret, sessionToken: token, region: region, service: "bedrock")
        }
        self.baseURL = baseURL
    }
}
