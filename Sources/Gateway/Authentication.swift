import Crypto
import Engine
import HTTPWire
import NIOCore
import RoutingPolicy

/// The one place where a client's credential is read and checked.
enum Authentication {
    /// The key that the request shows, as an index into the policy's; nil where the policy has none and everybody may call.
    static func key(of exchange: ServerExchange, in snapshot: Snapshot) throws(APIError) -> Int? {
        guard !snapshot.policy.keys.isEmpty else { return nil }
        guard let credential = try credential(exchange.head.fields) else {
            throw APIError(401, "no API key was given; send 'Authorization: Bearer KEY'", code: "missing_api_key")
        }
        guard let key = snapshot.key(digest: digest(of: credential, on: exchange)) else {
            throw APIError(401, "the API key is not known to this router", code: "invalid_api_key")
        }
        return key
    }

    /// A connection mostly shows the same credential again: it is hashed once. Whose key it is, the policy of the moment says each time.
    private static func digest(of credential: ByteBuffer, on exchange: ServerExchange) -> [UInt8] {
        if let last = exchange.connectionMemory as? HashedCredential, last.isEqual(to: credential) { return last.digest }
        let hashed = HashedCredential(credential)
        exchange.connectionMemory = hashed
        return hashed.digest
    }

    private final class HashedCredential {
        let digest: [UInt8]
        private let credential: [UInt8]

        init(_ credential: ByteBuffer) {
            self.credential = Array(credential.readableBytesView)
            digest = Array(SHA256.hash(data: self.credential))
        }

        /// Takes the same time wherever the two differ: several clients may share a connection behind a proxy.
        func isEqual(to other: ByteBuffer) -> Bool {
            other.withUnsafeReadableBytes { other in
                guard other.count == credential.count else { return false }
                var difference: UInt8 = 0
                for index in credential.indices { difference |= credential[index] ^ other[index] }
                return difference == 0
            }
        }
    }

    /// Whether the key may use the endpoint at all; which models, the planner says.
    ///
    /// - Parameter key: an index into the policy's keys; nil: everybody may call.
    static func authorize(_ key: Int?, for access: Endpoint.Access, in snapshot: Snapshot) throws(APIError) {
        guard let key else { return }
        switch access {
        case .open:
            return
        case .operation(let operation):
            guard let allowed = snapshot.policy.keys[key].endpoints, !allowed.contains(operation) else { return }
            throw APIError(403, "this key may not use the endpoint '\(operation.rawValue)'", code: "endpoint_not_allowed")
        case .admin:
            guard !snapshot.policy.keys[key].isAdmin else { return }
            throw APIError(403, "this endpoint needs a key with 'admin: true'", code: "admin_only")
        }
    }

    /// The credential that the request carries, under any of the names that clients use; it may say it more than once, but not another.
    private static func credential(_ fields: HTTPFields) throws(APIError) -> ByteBuffer? {
        var shown: ByteBuffer?
        var isUnclear = false
        func take(_ value: ByteBuffer, _ shown: inout ByteBuffer?, _ isUnclear: inout Bool) {
            // A client that has none may send the field all the same.
            guard value.readableBytes > 0 else { return }
            if let shown, shown != value { isUnclear = true }
            shown = value
        }
        fields.forEachSlice("authorization") { take(withoutScheme($0), &shown, &isUnclear) }
        fields.forEachSlice("x-api-key") { take($0, &shown, &isUnclear) }
        fields.forEachSlice("api-key") { take($0, &shown, &isUnclear) }
        if isUnclear { throw APIError(401, "two different API keys were given; send one", code: "invalid_api_key") }
        return shown
    }

    /// What follows `Bearer `, in any case (RFC 9110, 11.1), which may be nothing; all of a value with another scheme, which is then no key.
    private static func withoutScheme(_ value: ByteBuffer) -> ByteBuffer {
        let scheme: StaticString = "bearer"
        let length = scheme.utf8CodeUnitCount
        let start = value.withUnsafeReadableBytes { bytes -> Int? in
            guard bytes.count >= length, (0..<length).allSatisfy({ bytes[$0] | 0x20 == scheme.utf8Start[$0] }) else { return nil }
            guard bytes.count == length || bytes[length] == 0x20 else { return nil }
            return bytes[length...].firstIndex { $0 != 0x20 } ?? bytes.count
        }
        guard let start else { return value }
        return value.getSlice(at: value.readerIndex + start, length: value.readableBytes - start) ?? value
    }
}
