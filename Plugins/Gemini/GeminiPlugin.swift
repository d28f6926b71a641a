import Codecs
public import ConfigTree
public import ProviderKit
import WireFormats

/// Gemini, at the Gemini API or at Vertex AI: `plugin: gemini`.
public enum GeminiPlugin: ProviderPlugin {
    public static let name = "gemini"

    public static func readOptions(_ fields: inout FieldReader) -> GeminiOptions? {
        GeminiOptions(&fields)
    }

    public static func makeProvider(_ options: GeminiOptions) -> any Provider {
        GeminiProvider(options)
    }
}

/// A provider with Gemini's wire format.
public struct GeminiProvider: Provider {
    public let authentication: Authentication
    let options: GeminiOptions
    let body: GeminiBody

    public init(_ options: GeminiOptions) {
        self.options = options
        body = GeminiBody(signatures: options.signatures.map, isVertex: options.vertexPath != nil)
        authentication =
            options.tokenFile.map { Authentication(credentials: [.tokenFile($0)], fields: options.headers) }
            ?? .keys(options.apiKeys, in: "x-goog-api-key", and: options.headers)
    }

    public var origin: Origin? { options.baseURL.origin }

    public func formats(for operation: Operation, model: String) -> [WireFormat] {
        switch operation {
        case .chat, .countTokens: [Gemini.format]
        // Vertex AI has another API for them.
        case .embeddings: options.vertexPath == nil ? [GeminiEmbeddings.format, GeminiEmbeddings.single] : []
        default: []
        }
    }

    public func models(from body: RawSpan) throws(ProviderError) -> [ListedModel] { try GeminiModels.read(body) }

    public func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        try Gemini.decoder(for: call, head: head, signatures: options.signatures.map)
    }
}

/// The options of a provider with Gemini's wire format.
public struct GeminiOptions: Sendable, Equatable {
    public var baseURL: BaseURL
    /// The account's keys; empty if something else has the credential.
    public var apiKeys: [Secret]
    /// The path of the file with a bearer token; nil if there is none.
    public var tokenFile: String?
    /// More header fields for each request. Their values may be secrets, so they are treated as such.
    public var headers: [HTTPField]
    /// At Vertex AI, the part of a path that names the project and the location; nil at the Gemini API.
    public var vertexPath: String?
    let signatures = SharedSignatures()

    /// Reads `base_url`, `api_key`, `token_file`, `project`, `location` and `headers`. nil if an issue was recorded.
    init?(_ fields: inout FieldReader) {
        let issues = fields.issues.count
        fields.describe("project", "the project at Vertex AI, for models there; without it, the models are those of the Gemini API")
        let project = fields.string("project")
        fields.describe("location", "the location at Vertex AI, such as us-central1", default: "global")
        let location = fields.string("location")
        if project?.utf8.allSatisfy({ Self.isNameByte($0) || $0 == ASCII.dot || $0 == ASCII.colon }) == false {
            fields.report("project", "'project' has a character that no project's id has", hint: "use letters, digits, '-', '.' and ':'")
        }
        if location?.utf8.allSatisfy(Self.isNameByte) == false {
            fields.report("location", "'location' has a character that no location has", hint: "use letters, digits and '-'")
        }
        if location != nil, project == nil { fields.report("location", "'location' means nothing without 'project'") }
        let region = location.flatMap { $0 == "global" ? nil : $0 + "-" } ?? ""
        let host = project == nil ? "generativelanguage.googleapis.com" : "\(region)aiplatform.googleapis.com"
        let baseURL = fields.baseURL("base_url", default: BaseURL(origin: Origin(isTLS: true, host: host, port: 443), path: ""))
        if let baseURL, let ending = ["/v1beta/openai", "/v1/openai", "/openai"].first(where: baseURL.path.hasSuffix) {
            fields.warn("base_url", baseURL, endingWith: ending, butThere: "Gemini serves OpenAI's API there")
        }
        headers = fields.headers("headers") ?? []
        fields.describe(
            "token_file", "a file with the bearer token of each request; another program renews it, and the router reads it again")
        tokenFile = fields.filePath("token_file")
        let hasCredential = fields.isPresent("token_file") || headers.contains { $0.name.lowercased() == "authorization" }
        apiKeys = fields.secrets("api_key", required: !hasCredential)
        vertexPath = project.map { "/projects/\($0)/locations/\(location ?? "global")" }
        guard let baseURL, fields.issues.dropFirst(issues).allSatisfy({ $0.severity == .warning }), !apiKeys.isEmpty || hasCredential else {
            return nil
        }
        self.baseURL = baseURL
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == ASCII.minus
    }
}

/// The signatures that the providers of one policy entry have in common. They are no setting, so all are equal.
struct SharedSignatures: Sendable, Equatable {
    let map = GeminiSignatures()

    static func == (_: SharedSignatures, _: SharedSignatures) -> Bool { true }
}
