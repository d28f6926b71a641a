import Codecs
import Engine
import HTTPWire
import ProviderKit

/// The API that the clients of one vendor speak: how the router reads their requests, and writes responses and errors.
final class Face: Sendable {
    /// Whether bodies carry the routing overrides of requests and the `_router` of responses. Otherwise both are in
    /// header fields only.
    let bodiesCarryRouting: Bool
    /// The members that the router reads of a request.
    let members: RequestOutline.FieldTable
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
    /// Writes an error's object.
    ///
    /// - Parameter record: what `_router` says; nil if the body has none.
    let writeError: @Sendable (_ error: APIError, _ requestID: String, _ record: CallRecord?, _ writer: inout JSONWriter) -> Void
    /// Writes the list of models.
    let writeModels: @Sendable (_ list: ModelList, _ writer: inout JSONWriter) throws(APIError) -> Void
    /// Writes one model. The time is in seconds since 1970.
    let writeModel: @Sendable (_ model: ModelEntry, _ created: Int, _ writer: inout JSONWriter) -> Void
    /// Makes the writer of a response.
    ///
    /// - Parameter created: the time of the request, in seconds since 1970.
    let writer: @Sendable (_ exchange: Exchange, _ request: borrowing RequestOutline, _ created: Int) -> any ResponseWriter

    init(
        bodiesCarryRouting: Bool,
        members: RequestOutline.FieldTable,
        requestFields: [StaticString],
        responseFields: [StaticString],
        requestIDField: StaticString? = nil,
        overloadStatus: Int? = nil,
        passesRefusals: Bool,
        writeError: @escaping @Sendable (_ error: APIError, _ requestID: String, _ record: CallRecord?, _ writer: inout JSONWriter) -> Void,
        writeModels: @escaping @Sendable (_ list: ModelList, _ writer: inout JSONWriter) throws(APIError) -> Void,
        writeModel: @escaping @Sendable (_ model: ModelEntry, _ created: Int, _ writer: inout JSONWriter) -> Void,
        writer: @escaping @Sendable (_ exchange: Exchange, _ request: borrowing RequestOutline, _ created: Int) -> any ResponseWriter
    ) {
        self.bodiesCarryRouting = bodiesCarryRouting
        self.members = members
        self.requestFields = requestFields
        self.responseFields = responseFields
        self.requestIDField = requestIDField
        self.overloadStatus = overloadStatus
        self.passesRefusals = passesRefusals
        self.writeError = writeError
        self.writeModels = writeModels
        self.writeModel = writeModel
        self.writer = writer
    }

    /// The face of a request to an endpoint. If the path doesn't say it, the version does that Anthropic's clients
    /// name. Source: Anthropic's API reference, "Versions".
    ///
    /// - Parameter endpoint: nil if there is none at the path.
    static func of(_ endpoint: Endpoint?, _ fields: HTTPFields) -> Face {
        endpoint?.face ?? (fields.contains("anthropic-version") ? .anthropic : .openAI)
    }
}
