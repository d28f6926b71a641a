/// How the requests to a provider are authenticated. The router does it, after the plugin has made a request.
public enum Authentication: Sendable, Equatable {
    /// Header fields that each request gets, such as `authorization`; empty for a server without credentials.
    case fields([HTTPField])
    /// A bearer token in `authorization`, and other fields. The token is the content of the file at a path, which
    /// another program renews: the router reads it again as long as the provider is used.
    case tokenFile(String, and: [HTTPField])

    /// A bearer token in `authorization`, and other fields. Without a token, only the fields.
    /// Source: RFC 6750, section 2.1.
    public static func bearer(_ token: Secret?, and others: [HTTPField] = []) -> Authentication {
        .fields((token.map { [HTTPField("authorization", Secret("Bearer \($0.reveal())"))] } ?? []) + others)
    }
}
