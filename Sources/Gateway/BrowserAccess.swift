import HTTPWire
import RoutingPolicy

/// What web pages may do with the router: CORS, and the refusal of pages that nobody allowed.
///
/// Source: WHATWG Fetch, section 3.3 ("CORS protocol").
enum BrowserAccess {
    /// Throws if the policy has no keys and the request may come from a web page that nobody allowed. Any page that is
    /// open on this machine can send requests to a loopback address: directly, with its `Origin`, or under a name of
    /// its own that its DNS resolves to 127.0.0.1, with that name as the `Host`.
    ///
    /// - Parameters:
    ///   - host: the host and port that the request is for; nil in HTTP/1.0, which browsers don't send.
    ///   - origins: the request's `Origin` fields. Browsers send one with every POST. Each must be allowed.
    ///   - isLocalSocket: whether the request arrived on a unix socket. Its clients choose any `Host`, and no name
    ///     leads to it.
    static func check(host: String?, origins: [String], isLocalSocket: Bool, _ policy: RoutingPolicy) throws(APIError) {
        guard policy.keys.isEmpty else { return }
        let name = host.flatMap { HostName(authority: $0) }
        let isKnownHost = name.map { $0.isLoopback || policy.server.hosts.contains($0) } ?? false
        // Nobody can give a page on the internet a name without a dot.
        guard isKnownHost || name?.isDotless == true || host == nil || isLocalSocket else {
            throw APIError(
                403,
                "the host '\((host ?? "").excerpt)' is not this machine, and without keys any web page could use the router under such a "
                    + "name; add the host to 'server: { hosts: […] }' in the policy, or define 'keys:'",
                code: "host_not_allowed")
        }
        let refused = origins.first { origin in
            // A page that the router serves itself.
            let isOwn = isKnownHost && host != nil && WebOrigin.authority(of: origin)?.lowercased() == host?.lowercased()
            return !isOwn && allowedOrigin(origin, policy.server.cors) == nil
        }
        guard let origin = refused else { return }
        let page = "web pages of the origin '\(origin.excerpt)' may not use the router, because there are no keys and "
        // Browsers send 'null' for pages that have no origin of their own: local files, and frames in a sandbox.
        throw APIError(
            403,
            WebOrigin.normalized(origin) != nil
                ? page + "the origin is not listed; add it to 'server: { cors: […] }' in the policy, or define 'keys:'"
                : page + "such an origin cannot be listed; open the page from a web server and add that server's origin to "
                    + "'server: { cors: […] }' in the policy, or define 'keys:' and allow every page with 'server: { cors: [\"*\"] }'",
            code: "origin_not_allowed")
    }

    /// Adds the fields that let a page of an allowed origin read the response.
    static func addFields(for fields: HTTPFields, _ cors: [String], to head: inout ResponseHead) {
        guard !cors.isEmpty else { return }
        if !cors.contains("*") { head.add("vary", "origin") }
        guard let origin = fields.value("origin"), let allowed = allowedOrigin(origin, cors) else { return }
        head.add("access-control-allow-origin", allowed)
        head.add("access-control-expose-headers", exposedFields)
    }

    /// Adds the fields that answer a preflight: whether a page may send such a request. They allow every header field,
    /// because clients send many, and the origin decides.
    static func addPreflightFields(for fields: HTTPFields, _ cors: [String], methods: String, to head: inout ResponseHead) {
        guard let origin = fields.value("origin"), allowedOrigin(origin, cors) != nil, fields.contains("access-control-request-method")
        else { return }
        head.add("access-control-allow-methods", methods)
        // `*` would not include Authorization.
        if let requested = fields.value("access-control-request-headers") { head.add("access-control-allow-headers", requested) }
        head.add("access-control-max-age", "600")
    }

    /// The value of `access-control-allow-origin`; nil if the origin is not allowed.
    private static func allowedOrigin(_ origin: String, _ cors: [String]) -> String? {
        if cors.contains("*") { return "*" }
        return cors.contains(origin.lowercased()) ? origin : nil
    }

    /// The fields of a response that a page may read besides those that every page may.
    private static let exposedFields =
        "x-request-id, x-router-provider, x-router-model, x-router-attempts, x-router-fallback, x-router-finish-reason, "
        + "server-timing, retry-after, x-should-retry, etag"
}
