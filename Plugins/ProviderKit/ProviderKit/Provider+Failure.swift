extension Provider {
    /// Reads the status, `retry-after` and OpenAI's error body.
    public func failure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        openAIFailure(head: head, body: body)
    }

    /// What `failure(head:body:)` does where a provider has no format of its own; for those that only add to it.
    public func openAIFailure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        var error = ProviderError(failureClass(ofStatus: head.status), status: head.status, message: "the upstream answered \(head.status)")
        if let described = OpenAIErrorBody(body) {
            error.message = described.message ?? error.message
            error.code = described.code
            error.type = described.type
            error.param = described.param
            if error.failure == .clientError, let refined = described.refinedClass { error.failure = refined }
        } else if let text = plainText(body) {
            error.message = "the upstream answered \(head.status): \(text)"
        } else if (300..<400).contains(head.status) {
            error.message = "the upstream answered \(head.status); redirects are not followed, so set `base_url` to where it points"
        }
        error.retryAfter = retryAfter(head)
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

/// `retry-after-ms`, else `retry-after` in seconds (OpenAI's SDKs read both, fractions too). At most a day; nil where neither is a number.
private func retryAfter(_ head: UpstreamHead) -> Duration? {
    if let text = head["retry-after-ms"], let milliseconds = Double(text), milliseconds >= 0 {
        return .milliseconds(min(milliseconds, 86_400_000))
    }
    if let text = head["retry-after"], let seconds = Double(text), seconds >= 0 {
        return .seconds(min(seconds, 86_400))
    }
    return nil
}

/// The text of an error body in nobody's format (`{"detail": …}`, plain text), for people: at most 1 KiB on one line. nil for HTML, and for what is no text.
private func plainText(_ body: RawSpan) -> String? {
    let bytes = (0..<min(body.byteCount, 1024)).map { body.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    let text = String(decoding: bytes, as: UTF8.self)
    let isText = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "\u{FFFD}" || $0 == "\n" || $0 == "\r" || $0 == "\t" }
    let words = text.split(whereSeparator: \.isWhitespace)
    guard isText, let first = words.first, !first.hasPrefix("<") else { return nil }
    return words.joined(separator: " ")
}
