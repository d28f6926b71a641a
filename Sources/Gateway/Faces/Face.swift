import Codecs
import Engine
import HTTPWire
import ProviderKit
import RoutingPolicy

/// The API that the clients of one vendor speak: how the router reads their requests, and writes responses and errors.
final class Face: Sendable {
    /// What conditions call it.
    let name: FaceName
    /// Whether bodies carry the routing overrides of requests and the `_router` of responses. Otherwise both are in
    /// header fields only.
    let bodiesCarryRouting: Bool
    /// The members that the router reads of a request.
    let members: RequestOutline.FieldTable
    /// Where the vendor's clients put the credential, besides the header fields that all clients use: a header field,
    /// and a field of the query.
    let credential: (field: StaticString, query: StaticString)?
    /// The client's header fields that go to providers that speak its format, as prefixes of their names.
    let requestFields: [StaticString]
    /// The upstream's header fields that go to the client, as prefixes of their names, if the response passes through.
    let responseFields: [StaticString]
    /// The header field in which clients look for the request's id, beside `x-request-id`; nil if there is none.
    let requestIDField: StaticString?
    /// The status for an upstream that is overloaded; nil if it is that of a limit.
    let overloadStatus: Int?
    /// Whether a refusal of an upstream that speaks the client's format reaches the client as it came.
    let passesRefusals: Bool
    /// Whether a response is streamed if the request doesn't say so.
    let streamsByDefault: Bool
    /// What may stand behind a model's name, or be left out there; nil: nothing.
    let defaultTag: String?
    /// Writes an error's object.
    ///
    /// - Parameter record: what `_router` says; nil if the body has none.
    let writeError: @Sendable (_ error: APIError, _ requestID: String, _ record: CallRecord?, _ writer: inout JSONWriter) -> Void
    /// Writes the list of models.
    let writeModels: @Sendable (_ list: ModelList, _ writer: inout JSONWriter) throws(APIError) -> Void
    /// Writes one model. The time is in seconds since 1970.
    let writeModel: @Sendable (_ model: ModelEntry, _ created: Int, _ writer: inout JSONWriter) -> Void
    /// Makes the writer of a response.
    let writer: MakeWriter
    /// Makes the decoder of a chat's response; nil if the face has no chats.
    let chatDecoder: MakeDecoder?

    /// - Parameter format: the client's.
    typealias MakeWriter =
        @Sendable (_ exchange: Exchange, _ request: borrowing RequestOutline, _ format: WireFormat) -> any ResponseWriter

    typealias MakeDecoder = @Sendable (_ call: Call, _ head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder

    init(
        name: FaceName,
        bodiesCarryRouting: Bool,
        members: RequestOutline.FieldTable,
        credential: (field: StaticString, query: StaticString)? = nil,
        requestFields: [StaticString],
        responseFields: [StaticString],
        requestIDField: StaticString? = nil,
        overloadStatus: Int? = nil,
        passesRefusals: Bool,
        streamsByDefault: Bool = false,
        defaultTag: String? = nil,
        writeError: @escaping @Sendable (_ error: APIError, _ requestID: String, _ record: CallRecord?, _ writer: inout JSONWriter) -> Void,
        writeModels: @escaping @Sendable (_ list: ModelList, _ writer: inout JSONWriter) throws(APIError) -> Void,
        writeModel: @escaping @Sendable (_ model: ModelEntry, _ created: Int, _ writer: inout JSONWriter) -> Void,
        chatDecoder: MakeDecoder? = nil,
        writer: @escaping MakeWriter
    ) {
        self.name = name
        self.bodiesCarryRouting = bodiesCarryRouting
        self.members = members
        self.credential = credential
        self.requestFields = requestFields
        self.responseFields = responseFields
        self.requestIDField = requestIDField
        self.overloadStatus = overloadStatus
        self.passesRefusals = passesRefusals
        self.streamsByDefault = streamsByDefault
        self.defaultTag = defaultTag
        self.writeError = writeError
        self.writeModels = writeModels
        self.writeModel = writeModel
        self.writer = writer
        self.chatDecoder = chatDecoder
    }

    static func named(_ name: FaceName) -> Face {
        switch name {
        case .openai: .openAI
        case .anthropic: .anthropic
        case .gemini: .gemini
        case .ollama: .ollama
        }
    }

    /// The face of a request to an endpoint. If the path doesn't say it, a header field does: the version that
    /// Anthropic's clients name, or the credential of Google's. Sources: Anthropic's API reference, "Versions";
    /// google-genai 3.6.1, `_api_client`. Paths of Ollama's and Gemini's that the router doesn't have are still theirs.
    ///
    /// - Parameter endpoint: nil if there is none at the path.
    static func of(_ endpoint: Endpoint?, path: String, _ fields: HTTPFields) -> Face {
        if let face = endpoint?.face { return face }
        if endpoint == nil, path.hasPrefix("/api/"), !path.hasPrefix("/api/v1/") { return .ollama }
        if endpoint == nil, path.hasPrefix("/v1beta/") { return .gemini }
        if fields.contains("anthropic-version") { return .anthropic }
        return fields.contains("x-goog-api-key") ? .gemini : .openAI
    }
}
