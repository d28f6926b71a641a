import Codecs
public import ProviderKit

extension AzureOpenAIProvider {
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        var request = try server.request(for: call, body: body)
        request.target = target(of: call)
        return request
    }

    /// The path of a call's endpoint: below `/openai/v1`, or for a dated version below the deployment's, unless the
    /// address names a deployment itself.
    ///
    /// Sources: Azure's "Azure OpenAI in Microsoft Foundry Models v1 API" and "Azure OpenAI REST API reference";
    /// openai-python, `lib/azure.py`.
    private func target(of call: Call) -> String {
        let path = server.options.baseURL.path, endpoint = server.endpoint(of: call)?.path ?? ""
        let query = options.apiVersion.map { "?api-version=\($0)" } ?? ""
        if path.hasSuffix("/openai/v1") || path.contains("/deployments/") { return path + endpoint + query }
        let root = path.hasSuffix("/openai") ? path : path + "/openai"
        if options.apiVersion == nil { return root + "/v1" + endpoint }
        // Responses name their deployment in the body.
        if endpoint.hasPrefix("/responses") { return root + endpoint + query }
        return "\(root)/deployments/\(PercentEncoding.segment(call.model))\(endpoint)\(query)"
    }
}
