package import HTTPWire
package import NIOCore
package import ProviderKit

/// A client's request, reduced to what the engine acts on.
package struct CallRequest: Sendable {
    package let kind: Kind
    package let isStream: Bool
    package let body: RequestBody
    /// What goes to providers that speak the client's format.
    package let payload: Payload
    /// The header fields that go upstream.
    package let headers: [HTTPField]
    /// Those that go to providers that speak the client's format, besides.
    package let formatHeaders: [HTTPField]
    /// The fields of the upstream's head that go to the client if the response passes through, as prefixes of their
    /// names.
    package let responseFields: [StaticString]
    /// The key's name in the policy; nil if the policy has no keys.
    package let key: String?
    /// The number of choices in the response (`n`); usually 1.
    package let choices: Int
    /// nil if requests aren't traced.
    package let trace: TraceContext?
    /// When the request's head was complete. The times in `CallRecord` and the `total` timeout count from here, but
    /// the timeout of an upload counts from `readAt`.
    package let arrivedAt: NIODeadline
    /// When the request's body was complete.
    package let readAt: NIODeadline

    package init(
        _ kind: Kind, isStream: Bool, body: RequestBody, payload: Payload, headers: [HTTPField] = [], formatHeaders: [HTTPField] = [],
        responseFields: [StaticString] = [], key: String? = nil, choices: Int = 1, trace: TraceContext? = nil,
        arrivedAt: NIODeadline, readAt: NIODeadline
    ) {
        self.kind = kind
        self.isStream = isStream
        self.body = body
        self.payload = payload
        self.headers = headers
        self.formatHeaders = formatHeaders
        self.responseFields = responseFields
        self.key = key
        self.choices = choices
        self.trace = trace
        self.arrivedAt = arrivedAt
        self.readAt = readAt
    }

    package var operation: ProviderKit.Operation { kind.operation }

    /// What all requests to an endpoint have in common.
    package final class Kind: Sendable {
        package let operation: ProviderKit.Operation
        /// The client's wire format.
        package let format: WireFormat
        /// Reads the body for providers that don't speak the client's format.
        package let translate: @Sendable (RawSpan) throws(ProviderError) -> Payload

        package init(
            _ operation: ProviderKit.Operation, _ format: WireFormat,
            translate: @escaping @Sendable (RawSpan) throws(ProviderError) -> Payload
        ) {
            self.operation = operation
            self.format = format
            self.translate = translate
        }
    }
}

/// A request as typed values, or the reason why it has none.
///
/// Indirect, so that the calls and attempts that need none store only a reference.
indirect enum Translation {
    case payload(Payload)
    case failed(ProviderError)

    init(of request: CallRequest) {
        let body = request.body.bytes
        do throws(ProviderError) { self = .payload(try request.kind.translate(body.readableBytesSpan)) } catch { self = .failed(error) }
    }
}

extension ProviderKit.Operation {
    /// Whether a model works on it, so that it counts for breakers, statistics and costs.
    var isMeasured: Bool { self != .countTokens }
}

extension RequestNeeds {
    /// The tokens that limits are charged with before the attempt. The tokens that were used settle the charge.
    var reservedTokens: Int { promptTokens.addingSaturated(maxTokens ?? 0) }
}

extension HTTPField {
    /// The field that lets a server recognize a request that it gets again.
    /// Source: IETF draft-ietf-httpapi-idempotency-key-header; the SDKs of OpenAI and Anthropic can send it.
    package static let idempotencyKey = "idempotency-key"
}
