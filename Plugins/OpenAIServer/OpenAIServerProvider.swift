import Codecs
public import ProviderKit
import WireFormats

/// A provider whose upstream is a server with OpenAI's API. By default it does what ``OpenAIServer`` does.
public protocol OpenAIServerProvider: Provider {
    /// The server.
    var server: OpenAIServer { get }
}

extension OpenAIServerProvider {
    public var origin: Origin? { server.options.baseURL.origin }

    public var authentication: Authentication { .bearer(server.options.apiKeys, and: server.options.headers) }

    public var canContinue: Bool { server.options.dialect.continuation != .no }

    public func formats(for operation: Operation, model: String) -> [WireFormat] { server.formats(for: operation) }

    public func optionalFormats(for operation: Operation, model: String) -> [WireFormat] { server.optionalFormats(for: operation) }

    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        try server.request(for: call, body: body)
    }

    public func modelsRequest() -> UpstreamRequest? { server.modelsRequest() }

    public func models(from body: RawSpan) throws(ProviderError) -> [ListedModel] { try OpenAIModels.read(body) }

    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        server.repair(of: call, body: body, refusedWith: error, refusal: refusal)
    }

    public func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        try server.decoder(for: call, head: head)
    }
}
