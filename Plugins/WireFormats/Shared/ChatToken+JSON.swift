import Codecs
import ProviderKit

extension JSONWriter {
    /// The list of tokens, as OpenAI and Ollama write it.
    ///
    /// Sources: the SDKs' `ChatCompletionTokenLogprob` and `ResponseTextDeltaEvent`; ollama/ollama, `api/types.go`,
    /// `Logprob`.
    ///
    /// - Parameter hasBytes: whether each token has its UTF-8 too.
    mutating func tokens(_ tokens: [ChatToken], hasBytes: Bool = true) {
        array { for token in tokens { $0.token(token, hasBytes, isInner: false) } }
    }

    private mutating func token(_ token: ChatToken, _ hasBytes: Bool, isInner: Bool) {
        object { writer in
            writer.member("token", token.text)
            writer.key("logprob")
            writer.double(token.logprob)
            if hasBytes {
                writer.key("bytes")
                writer.array { for byte in token.text.utf8 { $0.integer(Int(byte)) } }
            }
            if isInner { return }
            writer.key("top_logprobs")
            writer.array { for inner in token.likeliest { $0.token(inner, hasBytes, isInner: true) } }
        }
    }
}

extension ChatRequest {
    /// Refuses a request for log probabilities, by the name that they have in the client's format. Only the demo has
    /// them in a translation.
    func refuseLogprobs(for call: Call) throws(ProviderError) {
        guard topLogprobs != nil else { return }
        switch call.format {
        case OpenAIResponses.format: throw .untranslatable("top_logprobs")
        case Gemini.format: throw .untranslatable("generationConfig.responseLogprobs")
        default: throw .untranslatable("logprobs")
        }
    }
}
