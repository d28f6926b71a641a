public import Codecs

/// An HTTP request that a plugin wants to send upstream.
///
/// The router adds the fields that depend on the connection and on the framing, such as `host`, `content-length` and
/// `connection`, and ignores such fields of the plugin.
public struct UpstreamRequest: Sendable {
    /// The HTTP method.
    public var method: String
    /// The path and the query, beginning with `/`. Characters that are not allowed there are percent-encoded by the
    /// router.
    public var target: String
    /// The header fields, in the order in which they are sent.
    public var fields: [HTTPField]
    /// The sources of the body, in the order in which they are sent.
    public var body: [BodySource]

    /// Creates a request.
    public init(method: String = "POST", target: String, fields: [HTTPField], body: [BodySource]) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
    }
}

/// An HTTP header field.
public struct HTTPField: Sendable, Equatable {
    /// The name of the field. It is sent as it is written here.
    public var name: String
    /// The value of the field.
    public var value: Value

    /// The value of a header field.
    public enum Value: Sendable, Equatable {
        /// A value that may be shown.
        case plain(String)
        /// A value that contains a secret, which the description of a request doesn't show.
        case secret(Secret)
    }

    /// Whether the field says what sends the request, or what it contains, and so contains no secret, such as
    /// `user-agent`. To mask such a value would hide ordinary words of messages.
    public var isDescriptive: Bool { Self.descriptive.contains(name.lowercased()) }

    /// Sources: RFC 9110, sections 8 and 10.1; OpenRouter's guide "App Attribution"; the API references of Anthropic
    /// and OpenAI, request headers.
    private static let descriptive: Set = [
        "accept", "accept-language", "content-type", "origin", "referer", "user-agent", "http-referer", "x-title", "anthropic-version",
        "anthropic-beta", "openai-beta", "openai-organization", "openai-project", "x-openrouter-title", "x-openrouter-categories",
    ]

    /// Creates a field with a value that may be shown.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = .plain(value)
    }

    /// Creates a field with a value that contains a secret.
    public init(_ name: String, _ value: Secret) {
        self.name = name
        self.value = .secret(value)
    }
}

extension [HTTPField] {
    /// The values that are secrets, for ``Provider/secrets``. Fields that describe the request contain none.
    public var secrets: [Secret] {
        compactMap { field in
            if case .secret(let value) = field.value, !field.isDescriptive { value } else { nil }
        }
    }
}
