import Codecs
public import ConfigTree
public import ProviderKit
public import WireFormats

/// OpenAI itself: `plugin: openai`.
public enum OpenAIPlugin: ProviderPlugin {
    public static let name = "openai"

    public static func readOptions(_ fields: inout FieldReader) -> OpenAIOptions? {
        let baseURL = BaseURL(origin: Origin(isTLS: true, host: "api.openai.com", port: 443), path: "/v1")
        return OpenAIOptions(&fields, defaultBaseURL: baseURL, needsKey: true, readsContinues: false)
    }

    public static func makeProvider(_ options: OpenAIOptions) -> any Provider {
        OpenAIProvider(options)
    }
}

/// Any server with OpenAI's wire format at a `base_url`: `plugin: openai-compatible`.
public enum OpenAICompatiblePlugin: ProviderPlugin {
    public static let name = "openai-compatible"

    public static func readOptions(_ fields: inout FieldReader) -> OpenAIOptions? {
        OpenAIOptions(&fields, defaultBaseURL: nil, needsKey: false, readsContinues: true)
    }

    public static func makeProvider(_ options: OpenAIOptions) -> any Provider {
        OpenAIProvider(options)
    }
}

/// A provider with OpenAI's wire format.
public struct OpenAIProvider: Provider {
    public let authentication: Authentication
    let options: OpenAIOptions
    /// The fields of each request beside the credential.
    let fields = [HTTPField("content-type", "application/json"), HTTPField("accept-encoding", "identity")]
    let chatTarget: String
    let chatBody: OpenAIChatBody

    public init(_ options: OpenAIOptions) {
        self.options = options
        authentication = .bearer(options.apiKey, and: options.headers)
        chatTarget = options.baseURL.path + Self.chatPath
        chatBody = OpenAIChatBody(options.dialect)
    }

    public var origin: Origin? { options.baseURL.origin }

    public var canContinue: Bool { options.dialect.continuation != .no }

    public func formats(for operation: Operation, model: String) -> [WireFormat] {
        endpoint(of: operation).formats
    }

    /// The path below the base URL, and the formats. The path is empty if there is no such endpoint.
    func endpoint(of operation: Operation) -> (path: String, formats: [WireFormat]) {
        Self.endpoints.first { $0.operation == operation }.map { ($0.path, $0.formats) } ?? ("", [])
    }

    private static let chatPath = "/chat/completions"

    /// `rerank` is no endpoint of OpenAI's, but one of servers like it. Source: vLLM's "OpenAI-Compatible Server".
    private static let endpoints: [(operation: Operation, path: String, formats: [WireFormat])] = [
        (.chat, chatPath, [OpenAIChat.format]),
        (.embeddings, "/embeddings", [OpenAIEmbeddings.format]),
        (.completion, "/completions", [OpenAIObjects.completions]),
        (.moderation, "/moderations", [OpenAIObjects.moderations]),
        (.imageGeneration, "/images/generations", [OpenAIObjects.images]),
        (.imageEdit, "/images/edits", [OpenAIObjects.imageEdits]),
        (.rerank, "/rerank", [OpenAIObjects.rerank]),
        (.transcription, "/audio/transcriptions", [OpenAIAudio.transcriptions]),
        (.translation, "/audio/translations", [OpenAIAudio.translations]),
        (.speech, "/audio/speech", [OpenAIAudio.speech]),
    ]

    public var secrets: [Secret] {
        options.headers.secrets + (options.apiKey.map { [$0] } ?? [])
    }

    public func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        if call.operation == .chat { return try OpenAIChat.decoder(for: call, head: head) }
        return call.operation.isAudio ? try OpenAIAudio.decoder(for: call, head: head) : try OpenAIObjects.decoder(for: call, head: head)
    }
}

/// The options of a provider with OpenAI's wire format.
public struct OpenAIOptions: Sendable, Equatable {
    public var baseURL: BaseURL
    /// The account's key; nil for servers without one.
    public var apiKey: Secret?
    /// More header fields for each request. Their values may be secrets, so they are treated as such.
    public var headers: [HTTPField]
    /// How the server differs from OpenAI's.
    public var dialect: OpenAIDialect

    /// Reads `base_url`, `api_key`, `headers`, `stream_usage` and, if `readsContinues` is true, `continues`. nil if an
    /// issue was recorded.
    init?(_ fields: inout FieldReader, defaultBaseURL: BaseURL?, needsKey: Bool, readsContinues: Bool) {
        let baseURL = fields.baseURL("base_url", required: defaultBaseURL == nil, default: defaultBaseURL)
        if let baseURL { fields.warnAboutMissingVersion(in: baseURL) }
        let apiKey = fields.secret("api_key", required: needsKey)
        headers = fields.headers("headers") ?? []
        fields.describe(
            "stream_usage", "requests the usage of each stream; use false for servers that refuse such requests", default: "true")
        dialect = OpenAIDialect(streamUsage: fields.bool("stream_usage") ?? true)
        if readsContinues {
            fields.describe("continues", "how to request the rest of a partial response, which a route's 'resume' needs", default: "no")
        }
        let word = readsContinues ? fields.word("continues", of: OpenAIDialect.Continuation.allCases.map(\.rawValue)) : nil
        dialect.hasOldTokenLimit = readsContinues
        dialect.continuation = word.flatMap(OpenAIDialect.Continuation.init) ?? .no
        self.apiKey = apiKey
        guard let baseURL, apiKey != nil || !needsKey else { return nil }
        self.baseURL = baseURL
    }
}

extension FieldReader {
    /// Warns of a `base_url` whose path has no version, which most servers need: `http://host:8000` for
    /// `http://host:8000/v1`.
    fileprivate mutating func warnAboutMissingVersion(in url: BaseURL) {
        guard let node = node("base_url"), !node.isUnresolved, !rootServers.contains(url.origin.host) else { return }
        let parts = url.path.lowercased().split(separator: "/")
        let hasVersion = parts.contains { $0.first == "v" && $0.dropFirst().first?.isASCIIDigit == true || unversioned.contains($0) }
        // An address that ends with an endpoint has its own warning.
        guard !hasVersion, !issues.contains(where: { $0.position == node.position }) else { return }
        report(
            ConfigIssue(
                .warning, at: node.position, "'base_url' has no version in its path, but most servers serve this API below '/v1'",
                hint: "add '/v1' at the end, or what the server's documentation gives as its base URL"))
    }
}

/// Servers whose API is at the root as well. Sources: DeepSeek's and Perplexity's API references, GitHub's
/// documentation of Models and of Copilot.
private let rootServers: Set<String> = [
    "api.deepseek.com", "api.perplexity.ai", "models.inference.ai.azure.com", "api.githubcopilot.com",
]

/// Parts of paths without a version. Sources: the documentation of Azure OpenAI (`/openai/deployments/NAME`), GitHub
/// Models and Scaleway (`/inference`), DeepSeek (`/beta`), Databricks (`/serving-endpoints`) and Cloudflare's AI
/// Gateway (`/compat`).
private let unversioned: Set<Substring> = ["deployments", "inference", "beta", "serving-endpoints", "compat"]
