import Codecs

extension Provider {
    /// Reads the status, how long the upstream asks to be left alone, and OpenAI's error body.
    public func failure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        openAIFailure(head: head, body: body)
    }

    /// What `failure(head:body:)` does where a provider has no format of its own; for those that only add to it.
    public func openAIFailure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        var error = ProviderError(failureClass(ofStatus: head.status), status: head.status, message: "the upstream answered \(head.status)")
        error.retryAfter = RetryAfter.wait(head)
        if let described = OpenAIErrorBody(body) {
            error.failure = described.failureClass(status: head.status)
            error.message = described.fullMessage ?? error.message
            error.code = described.code
            error.type = described.type
            error.param = described.param
            error.retryAfter = error.retryAfter ?? described.wait(head)
        } else if let text = plainText(body) {
            error.message = "the upstream answered \(head.status): \(text)"
            if error.failure == .clientError, let known = OpenAIErrorWords.failureClass(ofMessage: text) { error.failure = known }
        } else if (300..<400).contains(head.status) {
            error.message = "the upstream answered \(head.status); redirects are not followed, so set `base_url` to where it points"
        }
        return error
    }
}

/// The class of a status, before a body refines it. Source: the failure table in README.md.
public func failureClass(ofStatus status: Int) -> FailureClass {
    switch status {
    case 401, 402, 403: .providerRejected
    case 404: .notFound
    case 429: .rateLimited
    case 408, 409, 425: .upstreamError
    case 400..<500: .clientError
    default: .upstreamError
    }
}

/// The text of an error body in nobody's format (`{"detail": …}`, plain text), for people: at most 1 KiB on one line. nil for HTML, and for what is no text.
private func plainText(_ body: RawSpan) -> String? {
    var end = min(body.byteCount, 1024)
    // A character that the cut would go through is left out.
    while end > 0, end < body.byteCount, body.byte(end) & 0xC0 == 0x80 { end -= 1 }
    let text = String(decoding: Array(copying: 0..<end, of: body), as: UTF8.self)
    let isText = text.unicodeScalars.allSatisfy {
        $0.value >= 0x20 && $0.value != 0x7F && $0 != "\u{FFFD}" || $0 == "\n" || $0 == "\r" || $0 == "\t"
    }
    let words = text.split(whereSeparator: \.isWhitespace)
    guard isText, let first = words.first, !first.hasPrefix("<") else { return nil }
    return words.joined(separator: " ")
}
