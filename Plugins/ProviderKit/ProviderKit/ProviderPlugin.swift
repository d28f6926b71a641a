public import ConfigTree

/// A kind of provider, as `plugin:` names it in routes.yaml.
///
/// A plugin is pure: it translates values and opens no file, socket or clock. The engine owns all of those.
public protocol ProviderPlugin: Sendable {
    /// The validated settings. Holding a value is the proof that the YAML was right. Equal options keep a provider's
    /// connections and state over a reload.
    associatedtype Options: Sendable, Equatable

    /// The name that `plugin:` takes, in lower case.
    static var name: String { get }

    /// Reads the settings of one provider. Every problem goes into `fields` with its position; nil only if there was one.
    static func readOptions(_ fields: inout FieldReader) -> Options?

    /// Called for each provider that a reload made or changed: once, and once more by each event loop that asks it, so that threads share nothing of it.
    static func makeProvider(_ options: Options) -> any Provider
}

/// One configured upstream: a translator, used by many calls at once, on any thread.
public protocol Provider: Sendable {
    /// What it can serve. Read once, when the provider is made.
    var capabilities: Capabilities { get }

    /// Where its requests go. nil: `answer(to:body:)` answers from inside the process.
    var origin: Origin? { get }

    /// What must never show in a text that this upstream sent: its key, and secrets in its fields.
    var secrets: [Secret] { get }

    /// The HTTP request that asks for this call. `body` is the client's own; the request's body refers to ranges of it.
    /// Throws where the call can't be said in the provider's format; such an error is never tried again on the same provider.
    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest

    /// A decoder for one response with a success status. Throws where the head alone shows that the response is unreadable.
    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder

    /// What a response with another status than 2xx means. `body` is whole, or its first 64 KiB.
    /// The default reads the status, `retry-after` and OpenAI's error body.
    func failure(head: UpstreamHead, body: RawSpan) -> ProviderError

    /// The response of a provider without an `origin`. Never called on others.
    func response(to call: Call, body: RawSpan) -> LocalResponse
}

extension Provider {
    public var origin: Origin? { nil }

    public var secrets: [Secret] { [] }

    public func response(to call: Call, body: RawSpan) -> LocalResponse {
        LocalResponse(head: UpstreamHead(status: 501), pieces: [])
    }
}

/// What a provider serves, whatever the model.
public struct Capabilities: Sendable, Equatable {
    /// The operations it has an upstream path for.
    public var operations: Set<Operation>
    /// Whether a model of it can go on from another model's partial answer: `request(for:body:)` takes calls with a `continuation`.
    public var canContinue: Bool

    public init(operations: Set<Operation>, canContinue: Bool = false) {
        self.operations = operations
        self.canContinue = canContinue
    }
}

/// What a call asks for. `chat` is OpenAI's `POST /chat/completions`.
public enum Operation: String, Sendable, CaseIterable {
    case chat
}
