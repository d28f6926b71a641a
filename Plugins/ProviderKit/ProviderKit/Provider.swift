/// A configured provider. It translates calls into HTTP requests, and the bytes of responses into parts.
///
/// For each attempt the router calls the methods in this order, each at most once:
///
/// 1. ``request(for:body:)``, or ``response(to:body:)`` if ``origin`` is nil.
/// 2. When the body of the response begins: ``decoder(for:head:)`` if its status is a success (2xx). The decoder then
///    gets the body. For any other status, ``failure(head:body:)`` follows when the body has ended.
///
/// An attempt may end at any point, because of a timeout, a broken connection or a client that leaves; then the
/// remaining methods are not called. Several attempts may be under way at the same time.
///
/// All methods are called on the event loop of the call, so they must return soon and must not block. The properties
/// may be read on any thread, must not change, and should cost little.
///
/// This provider has a format of its own, and errors in OpenAI's format:
///
/// ```swift
/// struct AcmeProvider: Provider {
///     let options: AcmeOptions
///
///     var origin: Origin? { options.baseURL.origin }
///     var authentication: Authentication { .keys(options.apiKeys, in: "x-acme-key") }
///
///     func formats(for operation: Operation, model: String) -> [WireFormat] {
///         operation == .chat ? [WireFormat("acme")] : []
///     }
///
///     func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
///         guard case .chat(let chat) = call.payload else { throw .cannotExpress("this request") }
///         var writer = JSONWriter()
///         writer.object {
///             $0.member("model", call.model)
///             $0.member("stream", call.isStream)
///             $0.member("input", chat.messages.last?.text ?? "")
///         }
///         return UpstreamRequest(
///             target: options.baseURL.path + "/generate",
///             fields: [HTTPField("content-type", "application/json")],
///             body: [.bytes(writer.bytes)])
///     }
///
///     func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
///         AcmeDecoder(keepsText: call.keepsText)
///     }
/// }
/// ```
public protocol Provider: Sendable {
    /// The wire formats that the upstream speaks for an operation with this model, its own first; empty if it doesn't
    /// serve the operation.
    ///
    /// - Parameters:
    ///   - operation: what the client requests.
    ///   - model: the provider's own name of the model.
    func formats(for operation: Operation, model: String) -> [WireFormat]

    /// Further formats, which only some of the provider's servers speak. They are used for the models whose `formats`
    /// in the policy name them.
    ///
    /// - Parameters: as for ``formats(for:model:)``.
    func optionalFormats(for operation: Operation, model: String) -> [WireFormat]

    /// Whether a model of the provider can continue another model's partial response. If it is true,
    /// ``request(for:body:)`` must handle calls with a ``Call/continuation``.
    var canContinue: Bool { get }

    /// The server that the requests go to; nil if ``response(to:body:)`` responds from inside the process.
    var origin: Origin? { get }

    /// How requests are authenticated.
    var authentication: Authentication { get }

    /// The secrets that the router masks in every text from outside, whichever upstream it comes from. They are read
    /// once for each policy. The default implementation returns those of ``authentication``.
    var secrets: [Secret] { get }

    /// The HTTP request of a call.
    ///
    /// Throw if the call can't be expressed in the provider's format. The class of the error decides whether another
    /// model is tried, as it does for an error of the upstream; ``FailureClass/unsupported`` goes on to the next one.
    ///
    /// - Parameters:
    ///   - call: the call. The ranges of ``Payload/members(_:)`` refer to `body`.
    ///   - body: the client's entire body; empty if it is a form that the router keeps in a file. The span is valid
    ///     only until this method returns. The request refers to ranges of the body with `BodySource.client`, which
    ///     sends them without a copy.
    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest

    /// A new decoder for one response with a success status (2xx). Called when the first bytes of the body have
    /// arrived, or when it has ended without any; ``UpstreamHead/bodyForm`` says what it is.
    ///
    /// Throw if that shows that the response is unreadable, such as a page of HTML.
    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder

    /// The meaning of a response whose status is not a success. Redirects are not followed, so they arrive here too.
    ///
    /// The default implementation reads the status, the wait that the upstream requests, and OpenAI's error body, as
    /// ``openAIFailure(head:body:)`` does.
    ///
    /// - Parameters:
    ///   - head: the head of the response.
    ///   - body: the body, or its first 64 KiB if it is longer. If the connection broke, it is what has arrived.
    func failure(head: UpstreamHead, body: RawSpan) -> ProviderError

    /// The change to a refused request that may make the upstream accept it; nil if the provider knows none. Called
    /// after ``failure(head:body:)``. The default implementation returns nil.
    ///
    /// - Parameters:
    ///   - call: the call. Its ``Call/repairs`` have been made already; returning one of them has no effect.
    ///   - body: the client's entire body, as for ``request(for:body:)``.
    ///   - error: the refusal.
    ///   - refusal: the body of the refusal, as for ``failure(head:body:)``.
    func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair?

    /// The request for the provider's own list of models; nil if it has none. The router adds the credentials.
    func modelsRequest() -> UpstreamRequest?

    /// The models in the provider's list.
    ///
    /// Throw if the list is unreadable. A model that can't be read is left out.
    ///
    /// - Parameter body: the complete body of a response with a success status (2xx) to ``modelsRequest()``.
    func models(from body: RawSpan) throws(ProviderError) -> [ListedModel]

    /// The request for the next page of the provider's list; nil if this page is the last one. The router adds the
    /// credentials. The default implementation returns nil.
    ///
    /// - Parameter page: the complete body of a response with a success status (2xx) to ``modelsRequest()``, or to the
    ///   request for an earlier page, whose models ``models(from:)`` gives.
    func modelsRequest(after page: RawSpan) -> UpstreamRequest?

    /// The request for what the provider's list doesn't say of a model; nil if there is nothing more to ask. The router
    /// adds the credentials. The default implementation returns nil.
    func detailsRequest(for model: ListedModel) -> UpstreamRequest?

    /// A model with what its details say.
    ///
    /// Throw if the details are unreadable: then the model counts as the list has it.
    ///
    /// - Parameters:
    ///   - model: the model as the list has it.
    ///   - body: the complete body of a response with a success status (2xx) to ``detailsRequest(for:)``.
    func model(_ model: ListedModel, from body: RawSpan) throws(ProviderError) -> ListedModel

    /// The response to a call, for a provider whose ``origin`` is nil. It is never called on other providers.
    ///
    /// - Parameters:
    ///   - call: the call.
    ///   - body: the client's entire body, as for ``request(for:body:)``.
    func response(to call: Call, body: RawSpan) -> LocalResponse
}

extension Provider {
    /// By default none.
    public func optionalFormats(for operation: Operation, model: String) -> [WireFormat] { [] }

    /// By default false.
    public var canContinue: Bool { false }

    /// By default no fields.
    public var authentication: Authentication { .fields([]) }

    /// By default nil: no server.
    public var origin: Origin? { nil }

    /// By default those of ``authentication``.
    public var secrets: [Secret] { authentication.secrets }

    /// By default none.
    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? { nil }

    /// By default nil: no list.
    public func modelsRequest() -> UpstreamRequest? { nil }

    /// By default none.
    public func models(from body: RawSpan) throws(ProviderError) -> [ListedModel] { [] }

    /// By default nil: one page has all.
    public func modelsRequest(after page: RawSpan) -> UpstreamRequest? { nil }

    /// By default nil: no further request.
    public func detailsRequest(for model: ListedModel) -> UpstreamRequest? { nil }

    /// By default as the list has it.
    public func model(_ model: ListedModel, from body: RawSpan) throws(ProviderError) -> ListedModel { model }

    /// By default an empty response with the status 501.
    public func response(to call: Call, body: RawSpan) -> LocalResponse {
        LocalResponse(head: UpstreamHead(status: 501), chunks: [])
    }
}
