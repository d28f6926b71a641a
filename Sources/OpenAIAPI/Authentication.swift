import Crypto
import Engine
import HTTPWire
import NIOCore
import RoutingPolicy

/// The one place where a caller's credential is read and checked.
enum Authentication {
    /// The key that the request shows; nil where the policy has none and everybody may call.
    static func key(of fields: HTTPFields, in snapshot: Snapshot) throws(APIError) -> KeyDefinition? {
        guard !snapshot.policy.keys.isEmpty else { return nil }
        guard let credential = try credential(fields) else {
            throw APIError(401, "no API key was given; send 'Authorization: Bearer KEY'", code: "missing_api_key")
        }
        var hash = SHA256()
        credential.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        guard let key = hash.finalize().withUnsafeBytes({ snapshot.key(digest: $0) }) else {
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

    /// The credential that the request carries, under any of the names that clients use; it may say it more than once, but not another.
    private static func credential(_ fields: HTTPFields) throws(APIError) -> ByteBuffer? {
        var shown: ByteBuffer?
        var isUnclear = false
        func take(_ value: ByteBuffer) {
            if let shown, shown != value { isUnclear = true }
            shown = value
        }
        fields.forEachSlice("authorization") { take(withoutScheme($0)) }
        fields.forEachSlice("x-api-key", take)
        fields.forEachSlice("api-key", take)
        if isUnclear { throw APIError(401, "two different API keys were given; send one", code: "invalid_api_key") }
        return shown
    }

    /// What follows `Bearer `, in any case (RFC 9110, 11.1); all of a value with another scheme, which is then no key.
    private static func withoutScheme(_ value: ByteBuffer) -> ByteBuffer {
        let bytes = value.readableBytesView
        guard bytes.count > 7, bytes.prefix(7).elementsEqual("bearer ".utf8, by: { $0 | 0x20 == $1 }) else { return value }
        let start = bytes.dropFirst(7).firstIndex { $0 != 0x20 } ?? bytes.endIndex
        return value.getSlice(at: start, length: bytes.endIndex - start) ?? value
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
