import Codecs
public import ProviderKit
import WireFormats

extension GeminiProvider {
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(
            target: path(of: call.model) + verb(for: call), fields: Self.fields + call.headers,
            body: try self.body.sources(for: call, body: body))
    }

    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        self.body.repair(of: call, body: body, refusedWith: error, refusal: refusal)
    }

    private func verb(for call: Call) -> String {
        switch call.operation {
        case .countTokens: ":countTokens"
        case .embeddings: call.format == GeminiEmbeddings.single && call.isPassedThrough ? ":embedContent" : ":batchEmbedContents"
        default: call.isStream ? ":streamGenerateContent?alt=sse" : ":generateContent"
        }
    }

    /// Vertex AI has no list of the models that a project can use.
    public func modelsRequest() -> UpstreamRequest? {
        options.vertexPath == nil ? modelsRequest(GeminiModels.query) : nil
    }

    public func modelsRequest(after page: RawSpan) -> UpstreamRequest? { GeminiModels.query(after: page).map { modelsRequest($0) } }

    private func modelsRequest(_ query: String) -> UpstreamRequest {
        UpstreamRequest(
            method: "GET", target: versionPath + "/models" + query, fields: Self.fields.filter { $0.name != "content-type" }, body: [])
    }

    /// Google's SDKs take the address without a version, and other servers may give theirs with it.
    private var versionPath: String {
        let path = options.baseURL.path, last = path.split(separator: "/").last ?? ""
        let hasVersion = last.first == "v" && last.dropFirst().first?.isASCIIDigit == true
        return path + (hasVersion ? "" : options.vertexPath == nil ? "/v1beta" : "/v1beta1")
    }

    /// The path of a model. Source: google-genai 3.6.1, `_transformers.t_model` and `_api_client`.
    private func path(of model: String) -> String {
        let base = versionPath + (options.vertexPath ?? "")
        if let vertex = options.vertexPath, !vertex.isEmpty {
            let isComplete = model.hasPrefix("publishers/") || model.hasPrefix("endpoints/")
            return base + (isComplete ? "/" : "/publishers/google/models/") + model
        }
        let isComplete = model.hasPrefix(Gemini.modelPrefix) || model.hasPrefix("tunedModels/")
        return base + (isComplete ? "/" : "/models/") + model
    }

    private static let fields = [HTTPField("content-type", "application/json"), HTTPField("accept-encoding", "identity")]
}

extension Call {
    fileprivate var isPassedThrough: Bool { if case .members = payload { true } else { false } }
}
