import Codecs
public import ProviderKit
import WireFormats

/// A server with OpenAI's API: what the plugins for such servers have in common.
public struct OpenAIServer: Sendable {
    /// The server's address, its key, and how it differs from OpenAI's.
    public let options: OpenAIServerOptions
    /// The header fields of each request beside the credential and those of the policy.
    private let fields: [HTTPField]
    private let endpoints: [OpenAIEndpoint]
    private let optionalEndpoints: [OpenAIEndpoint]
    private let chatTarget: String
    private let chatBody: OpenAIChatBody
    private let responsesBody = OpenAIResponsesBody()

    /// Creates a server.
    ///
    /// - Parameters:
    ///   - endpoints: what it serves.
    ///   - optionalEndpoints: what it serves for models whose `formats` name it.
    ///   - fields: header fields without secrets that each request gets.
    public init(
        _ options: OpenAIServerOptions, endpoints: [OpenAIEndpoint] = OpenAIEndpoint.all, optionalEndpoints: [OpenAIEndpoint] = [],
        fields: [HTTPField] = []
    ) {
        self.options = options
        self.endpoints = endpoints
        self.optionalEndpoints = optionalEndpoints
        self.fields = [HTTPField("content-type", "application/json"), HTTPField("accept-encoding", "identity")] + fields
        chatTarget = options.baseURL.path + OpenAIEndpoint.chatPath
        chatBody = OpenAIChatBody(options.dialect)
    }

    /// The formats in which the server serves an operation.
    public func formats(for operation: Operation) -> [WireFormat] {
        endpoints.filter { $0.operation == operation }.map(\.format)
    }

    /// The formats in which it serves an operation for models whose `formats` name them.
    public func optionalFormats(for operation: Operation) -> [WireFormat] {
        optionalEndpoints.filter { $0.operation == operation }.map(\.format)
    }

    /// The endpoint of a call: the one with its upstream format, or else the first one of its operation. nil if there
    /// is none.
    public func endpoint(of call: Call) -> OpenAIEndpoint? {
        (endpoints + optionalEndpoints).first { $0.operation == call.operation && $0.format == call.upstreamFormat }
            ?? endpoints.first { $0.operation == call.operation }
    }

    /// Whether a chat, or the count of its tokens, goes upstream in the format of Responses.
    private func isResponses(_ call: Call) -> Bool {
        switch call.operation {
        case .chat: call.upstreamFormat != OpenAIChat.format && endpoint(of: call)?.format != OpenAIChat.format
        case .countTokens: true
        default: false
        }
    }

    /// The request of a call.
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        if isResponses(call) {
            return UpstreamRequest(
                target: options.baseURL.path + (endpoint(of: call)?.path ?? ""), fields: fields + call.headers,
                body: try responsesBody.sources(for: call, body: body))
        }
        if call.operation == .chat {
            return UpstreamRequest(
                target: chatTarget, fields: call.headers.isEmpty ? fields : fields + call.headers,
                body: try chatBody.sources(for: call, body: body))
        }
        let type = if case .form(let form) = call.payload { [HTTPField("content-type", form.contentType)] } else { [HTTPField]() }
        return UpstreamRequest(
            target: options.baseURL.path + (endpoint(of: call)?.path ?? ""),
            fields: type + fields.filter { type.isEmpty || $0.name != "content-type" } + call.headers,
            body: try OpenAIObjects.sources(for: call, body: body))
    }

    /// The request for the server's list of models.
    public func modelsRequest() -> UpstreamRequest {
        UpstreamRequest(
            method: "GET", target: options.baseURL.path + "/models", fields: fields.filter { $0.name != "content-type" }, body: [])
    }

    /// The repair of a refused request.
    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        isResponses(call) ? nil : chatBody.repair(of: call, body: body, refusedWith: error, refusal: refusal)
    }

    /// The decoder of a response.
    public func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        if isResponses(call) { return try OpenAIResponses.decoder(for: call, head: head) }
        if call.operation == .chat { return try OpenAIChat.decoder(for: call, head: head) }
        return call.operation.isAudio ? try OpenAIAudio.decoder(for: call, head: head) : try OpenAIObjects.decoder(for: call, head: head)
    }
}

/// A place below a server's base URL that serves an operation in a format.
public struct OpenAIEndpoint: Sendable {
    /// What it serves.
    public let operation: Operation
    /// The path below the base URL.
    public let path: String
    /// The format of its requests and responses.
    public let format: WireFormat

    static let chatPath = "/chat/completions"

    /// OpenAI's endpoints, and `rerank`, which only servers like it have.
    /// Sources: OpenAI's API reference; vLLM's "OpenAI-Compatible Server".
    public static let all = [
        OpenAIEndpoint(operation: .chat, path: chatPath, format: OpenAIChat.format),
        OpenAIEndpoint(operation: .embeddings, path: "/embeddings", format: OpenAIEmbeddings.format),
        OpenAIEndpoint(operation: .completion, path: "/completions", format: OpenAIObjects.completions),
        OpenAIEndpoint(operation: .moderation, path: "/moderations", format: OpenAIObjects.moderations),
        OpenAIEndpoint(operation: .imageGeneration, path: "/images/generations", format: OpenAIObjects.images),
        OpenAIEndpoint(operation: .imageEdit, path: "/images/edits", format: OpenAIObjects.imageEdits),
        OpenAIEndpoint(operation: .rerank, path: "/rerank", format: OpenAIObjects.rerank),
        OpenAIEndpoint(operation: .transcription, path: "/audio/transcriptions", format: OpenAIAudio.transcriptions),
        OpenAIEndpoint(operation: .translation, path: "/audio/translations", format: OpenAIAudio.translations),
        OpenAIEndpoint(operation: .speech, path: "/audio/speech", format: OpenAIAudio.speech),
    ]

    /// The endpoints of OpenAI's Responses. Source: OpenAI's API reference, "Responses".
    public static let responses = [
        OpenAIEndpoint(operation: .chat, path: "/responses", format: OpenAIResponses.format),
        OpenAIEndpoint(operation: .chat, path: "/responses/compact", format: OpenAIResponses.compaction),
        OpenAIEndpoint(operation: .countTokens, path: "/responses/input_tokens", format: OpenAIResponses.format),
    ]
}
