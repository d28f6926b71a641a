import Codecs
import ProviderKit

extension ProviderError {
    static let unreadableCode = "upstream_unreadable"

    /// Whether the response can't be read.
    var isUnreadable: Bool { code == Self.unreadableCode || code == Self.invalidUTF8Code }

    /// The error for a member of a request that has no typed form, even if the provider's format has one of its own:
    /// the request goes on to the next model, which may have the client's format.
    static func untranslatable(_ member: String) -> ProviderError {
        ProviderError(.unsupported, message: "'\(member)' can't be translated to the provider's format", param: member)
    }

    /// The error for a response that can't be read.
    ///
    /// - Parameter content: what the upstream sent instead, in words.
    static func unreadable(_ content: String) -> ProviderError {
        ProviderError(.upstreamError, message: "the upstream responded with \(content)", code: unreadableCode)
    }

    /// The error for a response that is no JSON.
    ///
    /// - Parameter start: the offset of the JSON in the bytes that the error's offset counts from.
    static func unreadable(_ error: JSONError, from start: Int = 0) -> ProviderError {
        var unreadable = unreadable("invalid JSON: expected \(error.expected) at byte \(error.offset - start)")
        if error.isInvalidUTF8 { unreadable.code = invalidUTF8Code }
        return unreadable
    }

    /// The error for a response that says nothing.
    static var empty: ProviderError { .unreadable("neither content nor a finish reason") }

    /// The error for a response that ends with a finish reason that means a failure.
    static func failed(reason: String) -> ProviderError {
        ProviderError(
            .upstreamError, message: "the upstream ended the response with the finish reason '\(reason.prefix(64))'",
            code: "upstream_failed")
    }

    /// The error that an object or an event inside a successful response reports.
    static func reported(_ body: ErrorBody) -> ProviderError {
        ProviderError(
            body.failureClass(status: nil), status: body.status,
            message: body.fullMessage ?? "the upstream sent an error event without a message",
            code: body.code, type: body.type, param: body.param, retryAfter: body.wait(UpstreamHead(status: body.status ?? 200)))
    }

    /// The error that an error event, or the value of `error`, reports.
    static func reported(_ error: RawSpan) -> ProviderError {
        ErrorBody(error).map(reported) ?? ProviderError(.upstreamError, message: "the upstream sent an error event")
    }
}

extension ResponseSink {
    /// Throws if the response has had neither content nor a finish reason. A format's end marker is no finish reason,
    /// so a decoder calls this at a marker before it adds a typed end.
    func requireContentOrReason() throws(ProviderError) {
        guard hasBegun else { throw .empty }
    }
}
