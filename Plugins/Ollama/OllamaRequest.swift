import Codecs
public import ProviderKit

extension OllamaProvider {
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(target: target(for: call), fields: Self.fields + call.headers, body: try self.body.sources(for: call, body: body))
    }

    public func modelsRequest() -> UpstreamRequest? {
        UpstreamRequest(method: "GET", target: apiPath + "/tags", fields: Self.fields.filter { $0.name != "content-type" }, body: [])
    }

    /// Servers before 0.9 don't say in the list what a model can do, and this request is cheap for them.
    public func detailsRequest(for model: ListedModel) -> UpstreamRequest? {
        guard model.operations == nil else { return nil }
        var body = JSONWriter()
        body.object { $0.member("model", model.id) }
        return UpstreamRequest(target: apiPath + "/show", fields: Self.fields, body: [.bytes(body.bytes)])
    }

    /// Ollama's clients take the address without `/api`, and its documentation of the cloud gives it with it.
    private var apiPath: String { options.baseURL.path + (options.baseURL.path.hasSuffix("/api") ? "" : "/api") }

    private func target(for call: Call) -> String {
        let endpoint =
            Self.endpoints.first { $0.operation == call.operation && $0.format == call.format }
            ?? Self.endpoints.first { $0.operation == call.operation }
        return apiPath + (endpoint?.path ?? "")
    }

    private static let fields = [HTTPField("content-type", "application/json"), HTTPField("accept-encoding", "identity")]

    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        self.body.repair(of: call, body: body, refusedWith: error, refusal: refusal)
    }
}
