import Codecs
public import ProviderKit
import WireFormats

extension OpenAIProvider {
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        if call.operation == .chat {
            return UpstreamRequest(
                target: chatTarget, fields: call.headers.isEmpty ? fields : fields + call.headers,
                body: try chatBody.sources(for: call, body: body))
        }
        let type = if case .form(let form) = call.payload { [HTTPField("content-type", form.contentType)] } else { [HTTPField]() }
        return UpstreamRequest(
            target: options.baseURL.path + endpoint(of: call.operation).path,
            fields: type + fields.filter { type.isEmpty || $0.name != "content-type" } + call.headers,
            body: try OpenAIObjects.sources(for: call, body: body))
    }

    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        chatBody.repair(of: call, body: body, refusedWith: error, refusal: refusal)
    }
}
