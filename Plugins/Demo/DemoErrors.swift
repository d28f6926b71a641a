import Codecs
import ProviderKit

extension DemoProvider {
    /// The failure that the options require for a call; nil if the call succeeds.
    func failure(of call: Call, _ prompt: String) -> LocalResponse? {
        switch options.failures {
        case .none: break
        case .always(let status): return configuredFailure(status)
        case .attempts(let statuses):
            let attempt = max(0, call.earlierAttempts)
            if attempt < statuses.count, statuses[attempt] != 200 { return configuredFailure(statuses[attempt]) }
        }
        let words = prompt.wordCount
        if let context = options.context, words > context {
            return errorResponse(
                400, "this model's maximum context length is \(context) words, but the messages have \(words)",
                code: "context_length_exceeded")
        }
        if let filter = options.filter, prompt.contains(filter) {
            return errorResponse(
                400, "the prompt contains '\(filter)', which the demo provider is configured to filter", code: "content_filter")
        }
        return nil
    }

    private func configuredFailure(_ status: Int) -> LocalResponse {
        let fields = options.retryAfter.map { [HTTPField("retry-after-ms", "\($0 / .milliseconds(1))")] } ?? []
        return errorResponse(status, "the demo provider is configured to fail with \(status)", code: nil, fields)
    }

    /// A response with OpenAI's error body.
    func errorResponse(_ status: Int, _ message: String, code: String?, _ fields: [HTTPField] = []) -> LocalResponse {
        var writer = JSONWriter()
        writer.object {
            $0.key("error")
            $0.object {
                $0.member("message", message)
                $0.member("type", status < 500 ? "invalid_request_error" : "api_error")
                if let code { $0.member("code", code) }
            }
        }
        let head = UpstreamHead(status: status, fields: [HTTPField("content-type", "application/json")] + fields)
        return LocalResponse(head: head, chunks: [.init(delay: options.delay, bytes: writer.bytes)])
    }
}
