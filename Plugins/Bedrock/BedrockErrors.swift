import Codecs
public import ProviderKit
import WireFormats

extension BedrockProvider {
    public func failure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        BedrockConverse.failure(openAIFailure(head: head, body: body), type: head["x-amzn-errortype"])
    }
}
