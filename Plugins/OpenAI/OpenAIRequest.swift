import Codecs
public import ProviderKit
import WireFormats

extension OpenAIProvider {
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(
            target: call.operation == .chat ? chatTarget : options.baseURL.path + endpoint(of: call.operation).path,
            fields: call.headers.isEmpty ? fields : fields + call.headers,
            body: call.operation == .chat ? try chatBody.sources(for: call, body: body) : try OpenAIObjects.sources(for: call, body: body))
    }

    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        chatBody.repair(of: call, body: body, refusedWith: error, refusal: refusal)
    }
}
