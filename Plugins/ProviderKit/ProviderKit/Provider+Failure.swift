import Codecs

extension Provider {
    /// By default ``openAIFailure(head:body:)``.
    public func failure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        openAIFailure(head: head, body: body)
    }

    /// The meaning of a failed response: it reads the status, the wait that the upstream requests, and an error body in
    /// OpenAI's format or one of its many variants (``ErrorBody``). A provider whose own ``failure(head:body:)`` only
    /// adds to that can call it.
    public func openAIFailure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        let status = "the upstream responded with status \(head.status)"
        var error = ProviderError(failureClass(ofStatus: head.status), status: head.status, message: status)
        error.retryAfter = RetryAfter.wait(head)
        if let parsed = ErrorBody(ofFailure: body) {
            error.failure = parsed.failureClass(status: head.status)
            error.message = parsed.fullMessage ?? error.message
            error.code = parsed.code
            error.type = parsed.type
            error.param = parsed.param
            error.retryAfter = error.retryAfter ?? parsed.wait(head)
        } else if let text = plainText(body) {
            error.message = "\(status): \(text)"
            error.failure = ErrorBody.failureClass(ofText: text, status: head.status) ?? error.failure
            error.retryAfter = error.retryAfter ?? RetryAfter.stated(text, now: head.respondedAt)
        } else if let page = HTMLText(body) {
            error.message = "\(status) and a page of HTML: \(page.text.prefix(maxPageCharacters))"
            error.failure = ErrorBody.failureClass(ofText: page.text, status: head.status) ?? error.failure
            error.retryAfter = error.retryAfter ?? RetryAfter.stated(page.text, now: head.respondedAt)
        } else if (300..<400).contains(head.status) {
            error.message = "\(status); redirects are not followed; set 'base_url' to the address that it redirects to"
        }
        return error
    }
}

/// The most characters of a page of HTML in a message.
private let maxPageCharacters = 512

/// The failure class of an HTTP status, as long as no body refines it. Source: the failure table in docs/failures.md.
public func failureClass(ofStatus status: Int) -> FailureClass {
    switch status {
    case 401, 402, 403, 407: .providerRejected
    case 404, 410: .notFound  // gone: this model, and not the others
    case 429: .rateLimited
    case 408, 409, 424, 425: .upstreamError
    // The router chooses the method and the path, so what is not allowed is no mistake of the client.
    case 405: .unsupported
    case 413: .contextOverflow
    case 451: .unsupported  // "unavailable for legal reasons" (RFC 7725): here, and not everywhere
    case 400..<500: .clientError
    default: .upstreamError
    }
}

/// The text of an error body that isn't OpenAI's, such as `{"detail": …}` or plain text: at most 8 KiB, on one
/// line. nil for HTML and for bytes that are not text.
private func plainText(_ body: RawSpan) -> String? {
    var end = min(body.byteCount, 8192)
    // Don't cut in the middle of a character.
    while end > 0, end < body.byteCount, body.byte(end) & 0xC0 == 0x80 { end -= 1 }
    let text = String(decoding: Array(copying: 0..<end, of: body), as: UTF8.self)
    let isText = text.unicodeScalars.allSatisfy {
        $0.value >= 0x20 && $0.value != 0x7F && $0 != "\u{FFFD}" || $0 == "\n" || $0 == "\r" || $0 == "\t"
    }
    let words = text.split(whereSeparator: \.isWhitespace)
    guard isText, let first = words.first, !first.hasPrefix("<") else { return nil }
    return words.joined(separator: " ")
}
