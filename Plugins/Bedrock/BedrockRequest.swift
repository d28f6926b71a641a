import Codecs
public import ProviderKit
import WireFormats

extension BedrockProvider {
    /// The model, which may be an ARN, is one segment of the path.
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        let operation = call.operation == .countTokens ? "count-tokens" : call.isStream ? "converse-stream" : "converse"
        return UpstreamRequest(
            target: "\(options.baseURL.path)/model/\(PercentEncoding.segment(call.model))/\(operation)",
            fields: Self.fields + call.headers, body: try self.body.sources(for: call))
    }

    private static let fields = [HTTPField("content-type", "application/json"), HTTPField("accept-encoding", "identity")]

    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        self.body.repair(of: call, refusedWith: error, refusal: refusal)
    }
}
