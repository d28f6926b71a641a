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
    /// The formats of the endpoints, which each request asks for.
    private let formats: [(operation: Operation, formats: [WireFormat])]
    private let chatTarget: String
    private let chatBody: OpenAIChatBody
    private let responsesBody = OpenAIResponsesBody()
    private let messagesBody = AnthropicMessagesBody()

    /// Creates a server.
    ///
    /// - Parameters:
    ///   - endpoints: what it serves.
    ///   - optionalEndpoints: what it serves for models whose `formats` name it.
    ///   - fields: header fields without secrets that each request gets.
    public init(
        _ options: OpenAIServerOptions, endpoints: [OpenAIEndpoint] = OpenAIEndpoint.openAI, optionalEndpoints: [OpenAIEndpoint] = [],
        fields: [HTTPField] = []
    ) {
        self.options = options
        self.endpoints = endpoints
        self.optionalEndpoints = optionalEndpoints
        formats = Operation.allCases.map { operation in (operation, endpoints.filter { $0.operation == operation }.map(\.format)) }
        self.fields = [HTTPField("content-type", "application/json"), HTTPField("accept-encoding", "identity")] + fields
        chatTarget = options.baseURL.path + OpenAIEndpoint.chatPath
        chatBody = OpenAIChatBody(options.dialect)
    }

    /// The formats in which the server serves an operation.
    public func formats(for operation: Operation) -> [WireFormat] {
        formats.first { $0.operation == operation }?.formats ?? []
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

    /// The format in which a chat, or the count of its tokens, goes upstream; nil for another operation.
    private func chatFormat(of call: Call) -> WireFormat? {
        switch call.operation {
        case .chat: call.upstreamFormat == OpenAIChat.format ? OpenAIChat.format : endpoint(of: call)?.format ?? OpenAIChat.format
        case .countTokens: OpenAIResponses.format
        default: nil
        }
    }

    /// The request of a call.
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        let format = chatFormat(of: call)
        if format == OpenAIChat.format {
            return UpstreamRequest(
                target: chatTarget, fields: call.headers.isEmpty ? fields : fields + call.headers,
                body: try chatBody.sources(for: call, body: body))
        }
        let target = options.baseURL.path + (endpoint(of: call)?.path ?? "")
        if format != nil {
            let body =
                format == AnthropicMessages.format
                ? try messagesBody.sources(for: call, body: body) : try responsesBody.sources(for: call, body: body)
            return UpstreamRequest(target: target, fields: fields + call.headers, body: body)
        }
        let type = if case .form(let form) = call.payload { [HTTPField("content-type", form.contentType)] } else { [HTTPField]() }
        return UpstreamRequest(
            target: target, fields: type + fields.filter { type.isEmpty || $0.name != "content-type" } + call.headers,
            body: try OpenAIObjects.sources(for: call, body: body))
    }

    /// The request for the server's list of models.
    public func modelsRequest() -> UpstreamRequest {
        UpstreamRequest(
            method: "GET", target: options.baseURL.path + "/models", fields: fields.filter { $0.name != "content-type" }, body: [])
    }

    /// The repair of a refused request.
    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        switch chatFormat(of: call) {
        case OpenAIChat.format, nil: chatBody.repair(of: call, body: body, refusedWith: error, refusal: refusal)
        case AnthropicMessages.format: messagesBody.repair(of: call, body: body, refusedWith: error, refusal: refusal)
        default: responsesBody.repair(of: call, body: body, refusedWith: error, refusal: refusal)
        }
    }

    /// The decoder of a response.
    public func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        switch chatFormat(of: call) {
        case OpenAIChat.format: return try OpenAIChat.decoder(for: call, head: head)
        case AnthropicMessages.format: return try AnthropicMessages.decoder(for: call, head: head)
        case .some: return try OpenAIResponses.decoder(for: call, head: head)
        case nil: break
        }
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

    /// OpenAI's endpoints. Source: OpenAI's API reference.
    public static let openAI = [
        chat,
        OpenAIEndpoint(.embeddings, "/embeddings", OpenAIEmbeddings.format),
        OpenAIEndpoint(.completion, "/completions", OpenAIObjects.completions),
        OpenAIEndpoint(.moderation, "/moderations", OpenAIObjects.moderations),
        OpenAIEndpoint(.imageGeneration, "/images/generations", OpenAIObjects.images),
        OpenAIEndpoint(.imageEdit, "/images/edits", OpenAIObjects.imageEdits),
        OpenAIEndpoint(.transcription, "/audio/transcriptions", OpenAIAudio.transcriptions),
        OpenAIEndpoint(.translation, "/audio/translations", OpenAIAudio.translations),
        OpenAIEndpoint(.speech, "/audio/speech", OpenAIAudio.speech),
    ]

    /// OpenAI's chat completions.
    public static let chat = OpenAIEndpoint(.chat, chatPath, OpenAIChat.format)
    /// Reranking, which only other servers have. Source: vLLM's "OpenAI-Compatible Server".
    public static let rerank = OpenAIEndpoint(.rerank, "/rerank", OpenAIObjects.rerank)
    /// Anthropic's Messages, which some of these servers have too, below the same base URL.
    public static let messages = OpenAIEndpoint(.chat, "/messages", AnthropicMessages.format)

    /// The endpoints of OpenAI's Responses. Source: OpenAI's API reference, "Responses".
    public static let responses = [
        OpenAIEndpoint(.chat, "/responses", OpenAIResponses.format),
        OpenAIEndpoint(.chat, "/responses/compact", OpenAIResponses.compaction),
        OpenAIEndpoint(.countTokens, "/responses/input_tokens", OpenAIResponses.format),
    ]

    /// Some of OpenAI's endpoints.
    public static func openAI(_ operations: Set<Operation>) -> [OpenAIEndpoint] { openAI.filter { operations.contains($0.operation) } }

    private init(_ operation: Operation, _ path: String, _ format: WireFormat) {
        self.operation = operation
        self.path = path
        self.format = format
    }
}
