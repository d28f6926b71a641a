import Codecs
import ProviderKit

extension OpenAIResponse {
    static let unreadableCode = "upstream_unreadable"

    /// The error for a response that can't be read.
    ///
    /// - Parameter content: what the upstream sent instead, in words.
    static func unreadable(_ content: String) -> ProviderError {
        ProviderError(.upstreamError, message: "the upstream responded with \(content)", code: unreadableCode)
    }

    /// The error that an object or an event inside a successful response reports.
    static func failure(_ body: ErrorBody) -> ProviderError {
        ProviderError(
            body.failureClass(status: nil), status: body.status,
            message: body.fullMessage ?? "the upstream sent an error event without a message",
            code: body.code, type: body.type, param: body.param, retryAfter: body.wait(UpstreamHead(status: body.status ?? 200)))
    }

    /// The error for a response that ends with a finish reason that means a failure.
    static func failure(reason: String) -> ProviderError {
        ProviderError(
            .upstreamError, message: "the upstream ended the response with the finish reason '\(reason.prefix(64))'",
            code: "upstream_failed")
    }

    /// The error that an object without choices reports; nil if it reports none, such as a ping.
    static func failureWithoutChoices(_ bytes: RawSpan) -> ProviderError? {
        guard let body = ErrorBody(bytes), body.message != nil || body.code != nil else { return nil }
        return failure(body)
    }

    /// The error that an object reports.
    ///
    /// - Parameters:
    ///   - error: the range of the value of `error`; nil if the entire object is the error.
    ///   - bytes: the object.
    static func failure(_ error: Range<Int>?, in bytes: RawSpan) -> ProviderError {
        ErrorBody(bytes.extracting(error ?? 0..<bytes.byteCount)).map(failure)
            ?? ProviderError(.upstreamError, message: "the upstream sent an error event")
    }
}
