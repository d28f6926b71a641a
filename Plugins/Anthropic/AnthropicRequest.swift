import Codecs
public import ProviderKit
import WireFormats

extension AnthropicProvider {
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(
            target: messagesPath + (call.operation == .countTokens ? "/count_tokens" : ""), fields: fields(for: call),
            body: try self.body.sources(for: call, body: body))
    }

    /// Anthropic's SDKs take the address without a version, and other servers give theirs with it.
    private var messagesPath: String { versionPath + "/messages" }

    private var versionPath: String { options.baseURL.path + (options.baseURL.path.hasSuffix("/v1") ? "" : "/v1") }

    public func modelsRequest() -> UpstreamRequest? { modelsRequest(AnthropicModels.query) }

    public func modelsRequest(after page: RawSpan) -> UpstreamRequest? {
        AnthropicModels.query(after: page).map { modelsRequest($0) }
    }

    private func modelsRequest(_ query: String) -> UpstreamRequest {
        let isSet = options.headers.contains { $0.name.lowercased() == Self.version.name }
        return UpstreamRequest(
            method: "GET", target: versionPath + "/models" + query,
            fields: Self.fields.filter { $0.name != "content-type" } + (isSet ? [] : [Self.version]), body: [])
    }

    /// The client's own `anthropic-version` counts, as long as the policy doesn't set it. Several `anthropic-beta`
    /// fields add up. Sources: Anthropic's API reference, "Versions" and "Beta headers".
    private func fields(for call: Call) -> [HTTPField] {
        let isSet = options.headers.contains { $0.name.lowercased() == Self.version.name }
        let client = isSet ? call.headers.filter { $0.name != Self.version.name } : call.headers
        let hasVersion = isSet || client.contains { $0.name == Self.version.name }
        return Self.fields + (hasVersion ? [] : [Self.version]) + client
    }

    private static let version = HTTPField("anthropic-version", "2023-06-01")
    private static let fields = [HTTPField("content-type", "application/json"), HTTPField("accept-encoding", "identity")]

    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        self.body.repair(of: call, body: body, refusedWith: error, refusal: refusal)
    }
}
