import Codecs
public import ProviderKit
import WireFormats

extension OpenAIProvider {
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(
            target: chatTarget, fields: call.headers.isEmpty ? fields : fields + call.headers,
            body: try chatBody.sources(for: call, body: body))
    }

    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        chatBody.repair(of: call, body: body, refusedWith: error, refusal: refusal)
    }
}
