import Crypto
import Engine
import HTTPWire
import RoutingPolicy

/// The one place where a caller's credential is read and checked.
enum Authentication {
    /// The key that the request shows; nil where the policy has none and everybody may call.
    static func key(of fields: HTTPFields, in snapshot: Snapshot) throws(APIError) -> KeyDefinition? {
        guard !snapshot.policy.keys.isEmpty else { return nil }
        let shown = credentials(fields)
        guard let credential = shown.first else {
            throw APIError(401, "no API key was given; send 'Authorization: Bearer KEY'", code: "missing_api_key")
        }
        guard shown.allSatisfy({ $0 == credential }) else {
            throw APIError(401, "two different API keys were given; send one", code: "invalid_api_key")
        }
        guard let key = snapshot.key(digest: digest(of: credential)) else {
            throw APIError(401, "the API key is not known to this router", code: "invalid_api_key")
        }
        return key
    }

    /// Whether the key may use the endpoint at all; which models, the planner says.
    static func authorize(_ key: KeyDefinition?, for access: Endpoint.Access) throws(APIError) {
        guard let key else { return }
        switch access {
        case .open:
            return
        case .endpoint(let name):
            guard let endpoints = key.endpoints, !endpoints.contains(name) else { return }
            throw APIError(403, "this key may not use the endpoint '\(name)'", code: "endpoint_not_allowed")
        case .admin:
            guard !key.isAdmin else { return }
            throw APIError(403, "this endpoint needs a key with 'admin: true'", code: "admin_only")
        }
    }

    /// Every credential that the request carries, under any of the names that clients use.
    private static func credentials(_ fields: HTTPFields) -> [String] {
        var found: [String] = []
        for value in fields.contains("authorization") ? fields.values("authorization") : [] {
            // The scheme is case-insensitive (RFC 9110, 11.1).
            guard value.utf8.count > 7, value.utf8.prefix(7).elementsEqual("Bearer ".utf8, by: { $0 | 0x20 == $1 | 0x20 }) else {
                found.append(value)
                continue
            }
            found.append(String(value.dropFirst(7)).trimmed)
        }
        if fields.contains("x-api-key") { found += fields.values("x-api-key") }
        if fields.contains("api-key") { found += fields.values("api-key") }
        return found
    }

    private static func digest(of credential: String) -> [UInt8] {
        var hash = SHA256()
        var credential = credential
        credential.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        return Array(hash.finalize())
    }
}

extension String {
    var trimmed: String {
        var view = Substring(self)
        while view.utf8.first == 0x20 { view = view.dropFirst() }
        while view.utf8.last == 0x20 { view = view.dropLast() }
        return String(view)
    }
}
