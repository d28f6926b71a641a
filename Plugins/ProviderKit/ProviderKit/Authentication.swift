/// How the requests to a provider are authenticated. The router does it, after the plugin has made a request: it
/// rotates the credentials, reads files again and signs, so that no plugin has to.
public struct Authentication: Sendable, Equatable {
    /// The credentials of the provider's accounts; empty for a server without any. Each request gets one of them, in
    /// turns. One that the provider limits or refuses is left out for a while.
    public var credentials: [Credential]
    /// The fields that each request gets beside its credential. Their values may be secrets.
    public var fields: [HTTPField]

    /// Creates an authentication.
    public init(credentials: [Credential], fields: [HTTPField] = []) {
        self.credentials = credentials
        self.fields = fields
    }

    /// Header fields that each request gets, such as `authorization`; empty for a server without credentials.
    public static func fields(_ fields: [HTTPField]) -> Authentication { Authentication(credentials: [], fields: fields) }

    /// Bearer tokens in `authorization`, and other fields. Without a token, only the fields.
    /// Source: RFC 6750, section 2.1.
    public static func bearer(_ tokens: [Secret], and others: [HTTPField] = []) -> Authentication {
        Authentication(credentials: tokens.map { .bearer($0) }, fields: others)
    }

    /// Keys in a header field, and other fields. Without a key, only the others.
    ///
    /// - Parameters:
    ///   - keys: the keys, which rotate.
    ///   - name: the name of the field, such as `x-api-key`.
    ///   - others: further fields of each request.
    public static func keys(_ keys: [Secret], in name: String, and others: [HTTPField] = []) -> Authentication {
        Authentication(credentials: keys.map { .field(HTTPField(name, $0)) }, fields: others)
    }

    /// Every secret in it, for ``Provider/secrets``. Fields that describe the request contain none.
    public var secrets: [Secret] { credentials.flatMap(\.secrets) + fields.secrets }
}

/// What proves to a provider who sends a request.
public enum Credential: Sendable, Equatable {
    /// A header field with a secret.
    case field(HTTPField)
    /// A bearer token in a file, which something else renews. The router reads the file again while it runs.
    case tokenFile(String)
    /// A signature of each request.
    case signature(AWSCredential)

    /// A bearer token in `authorization`. Source: RFC 6750, section 2.1.
    public static func bearer(_ token: Secret) -> Credential {
        .field(HTTPField("authorization", Secret("Bearer \(token.reveal())")))
    }

    var secrets: [Secret] {
        switch self {
        case .field(let field): [field].secrets
        case .tokenFile: []
        case .signature(let credential): [credential.secretAccessKey] + [credential.accessKeyID, credential.sessionToken].compactMap { $0 }
        }
    }
}

/// A key of Amazon Web Services, with which the router signs each request. Source: AWS's IAM user guide, "AWS Signature
/// Version 4 for API requests".
public struct AWSCredential: Sendable, Equatable {
    /// The name of the key.
    public var accessKeyID: Secret
    /// The key itself.
    public var secretAccessKey: Secret
    /// The token of a temporary key; nil for a lasting one.
    public var sessionToken: Secret?
    /// The region that the requests go to, such as `us-east-1`.
    public var region: String
    /// The name of the service in signatures, such as `bedrock`.
    public var service: String

    /// Creates a credential.
    public init(accessKeyID: Secret, secretAccessKey: Secret, sessionToken: Secret? = nil, region: String, service: String) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.region = region
        self.service = service
    }
}
