import Codecs
public import ProviderKit

extension DeepSeekProvider {
    /// The continuation of a text, and legacy completions, are served below `/beta` only.
    /// Sources: DeepSeek's guides "Chat Prefix Completion" and "FIM Completion".
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        var request = try server.request(for: call, body: body)
        if call.continuation != nil || call.operation == .completion {
            request.target = betaPath + (server.endpoint(of: call)?.path ?? "")
        }
        return request
    }

    private var betaPath: String {
        let path = server.options.baseURL.path
        if path.hasSuffix("/beta") { return path }
        return (path.hasSuffix("/v1") ? String(path.dropLast(3)) : path) + "/beta"
    }
}
