import Codecs
public import ProviderKit

extension BedrockConverse {
    /// The exceptions whose class their status doesn't show. Source: the exceptions of `service-2.json`.
    private static let classes: [String: FailureClass] = [
        "modelErrorException": .upstreamError, "modelStreamErrorException": .upstreamError, "modelTimeoutException": .upstreamError,
        "modelNotReadyException": .rateLimited, "serviceQuotaExceededException": .rateLimited, "throttlingException": .rateLimited,
    ]

    /// The status of an exception that a stream reports.
    private static let statuses: [String: Int] = [
        "internalServerException": 500, "modelStreamErrorException": 424, "modelTimeoutException": 408, "serviceUnavailableException": 503,
        "throttlingException": 429, "validationException": 400,
    ]

    /// The meaning of a failed response, by what `Provider.openAIFailure` has read and the exception that its field
    /// `x-amzn-errortype` names, such as `ValidationException:http://…`. Source: AWS's protocol `restJson1`,
    /// "Operation error serialization".
    public static func failure(_ error: ProviderError, type: String?) -> ProviderError {
        guard let name = type?.prefix(while: { $0 != ":" }), !name.isEmpty else { return error }
        var error = error
        error.code = error.code ?? String(name)
        error.failure = classes[lowercasingFirst(name)] ?? error.failure
        return error
    }

    /// The error that a message of a stream reports.
    ///
    /// - Parameters:
    ///   - name: the exception's name, such as `throttlingException`, or the code of an error.
    ///   - payload: an object with a `message`.
    static func reported(_ name: String, _ payload: RawSpan) -> ProviderError {
        let key = lowercasingFirst(name), status = statuses[key]
        let body = ErrorBody(payload)
        return ProviderError(
            classes[key] ?? body?.failureClass(status: status ?? 500) ?? failureClass(ofStatus: status ?? 500), status: status,
            message: body?.fullMessage ?? "the upstream sent the error '\(name.prefix(64))'", code: name,
            retryAfter: body?.wait(UpstreamHead(status: status ?? 500)))
    }

    private static func lowercasingFirst(_ name: some StringProtocol) -> String { name.prefix(1).lowercased() + name.dropFirst() }
}
