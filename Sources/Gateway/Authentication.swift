import Codecs
import Crypto
import Engine
import HTTPWire
import NIOCore
import RoutingPolicy
import Telemetry

/// Reads and checks the credentials of clients. No other code does.
enum Authentication {
    /// The key that the request carries, as an index into the policy's keys; nil if the policy has no keys and admits
    /// every client.
    ///
    /// - Parameter face: the API that the client speaks.
    static func key(of exchange: ServerExchange, face: Face, in snapshot: Snapshot) throws(APIError) -> Int? {
        guard !snapshot.policy.keys.isEmpty else { return nil }
        let key = try identified(exchange, face, in: snapshot)
        if let end = snapshot.policy.keys[key].expires, Timestamp.seconds() >= end {
            throw APIError(
                401, "the API key expired at \(WireDate.rfc3339(end)); ask the router's operator for a new one", code: "expired_api_key")
        }
        return key
    }

    /// The key that the request's credential or the client's certificate identifies. A client with such a certificate
    /// needs no credential; one that no key has is ignored then, because many clients can't leave it out.
    private static func identified(_ exchange: ServerExchange, _ face: Face, in snapshot: Snapshot) throws(APIError) -> Int {
        let certified = certificateDigest(of: exchange).flatMap { snapshot.key(certificate: $0) }
        guard let credential = try credential(exchange.head, face.credential) else {
            if let certified { return certified }
            let field = face.credential.map { "\($0.field): KEY" } ?? "Authorization: Bearer KEY"
            throw APIError(401, "the request has no API key; send the header '\(field)'", code: "missing_api_key")
        }
        guard let key = snapshot.key(digest: digest(of: credential, on: exchange)) ?? certified else {
            throw APIError(401, "the API key is unknown; check the key that the client sends", code: "invalid_api_key")
        }
        guard certified ?? key == key else {
            throw APIError(
                401, "the API key and the client's certificate belong to two different keys; send only one of them", code: "invalid_api_key"
            )
        }
        return key
    }

    /// The SHA-256 of the client's certificate, cached on the connection; nil if it has none.
    private static func certificateDigest(of exchange: ServerExchange) -> [UInt8]? {
        guard let certificate = exchange.clientCertificate else { return nil }
        let known = known(on: exchange)
        if known.certificate.isEmpty { known.certificate = Array(SHA256.hash(data: certificate)) }
        return known.certificate
    }

    /// The credential's SHA-256, cached on the connection because most connections repeat one credential. The key of
    /// the digest is not cached: each request looks it up in the current policy.
    private static func digest(of credential: ByteBuffer, on exchange: ServerExchange) -> [UInt8] {
        let known = known(on: exchange)
        if let last = known.credential, last.isEqual(to: credential) { return last.digest }
        let hashed = HashedCredential(credential)
        known.credential = hashed
        return hashed.digest
    }

    private static func known(on exchange: ServerExchange) -> KnownCredentials {
        if let known = exchange.connectionState as? KnownCredentials { return known }
        let known = KnownCredentials()
        exchange.connectionState = known
        return known
    }

    /// What was hashed for a connection.
    private final class KnownCredentials {
        var credential: HashedCredential?
        /// Empty if it is not known yet.
        var certificate: [UInt8] = []
    }

    private final class HashedCredential {
        let digest: [UInt8]
        private let credential: [UInt8]

        init(_ credential: ByteBuffer) {
            self.credential = Array(credential.readableBytesView)
            digest = Array(SHA256.hash(data: self.credential))
        }

        /// Compares in constant time, because several clients may share a connection through a proxy.
        func isEqual(to other: ByteBuffer) -> Bool {
            other.withUnsafeReadableBytes { other in
                guard other.count == credential.count else { return false }
                var difference: UInt8 = 0
                for index in credential.indices { difference |= credential[index] ^ other[index] }
                return difference == 0
            }
        }
    }

    /// Throws unless the key may use the endpoint. The planner decides which models it may use.
    ///
    /// - Parameter key: an index into the policy's keys; nil if the policy admits every client.
    static func authorize(_ key: Int?, for access: Endpoint.Access, in snapshot: Snapshot) throws(APIError) {
        guard let key else { return }
        switch access {
        case .open:
            return
        case .operation(let operation):
            guard let allowed = snapshot.policy.keys[key].endpoints, !allowed.contains(operation) else { return }
            throw APIError(
                403, "this key may not use the endpoint '\(operation.word)'; use a key whose 'endpoints' include it",
                code: "endpoint_not_allowed")
        case .admin:
            guard !snapshot.policy.keys[key].isAdmin else { return }
            throw APIError(403, "this endpoint requires an admin key; use a key with 'admin: true'", code: "admin_only")
        }
    }

    /// The credential that the request carries in any of the header fields that clients use. It may repeat the
    /// credential, but two different ones are an error.
    ///
    /// - Parameter own: where the clients of a vendor put it too.
    private static func credential(
        _ head: RequestHead, _ own: (field: StaticString, query: StaticString)?
    ) throws(APIError) -> ByteBuffer? {
        let fields = head.fields
        var found: ByteBuffer?
        var isAmbiguous = false
        func add(_ value: ByteBuffer, _ found: inout ByteBuffer?, _ isAmbiguous: inout Bool) {
            // A client without a credential may send an empty field.
            guard value.readableBytes > 0 else { return }
            if let found, found != value { isAmbiguous = true }
            found = value
        }
        fields.forEachSlice("authorization") { add(withoutScheme($0), &found, &isAmbiguous) }
        fields.forEachSlice("x-api-key") { add($0, &found, &isAmbiguous) }
        fields.forEachSlice("api-key") { add($0, &found, &isAmbiguous) }
        if let own {
            fields.forEachSlice(own.field) { add($0, &found, &isAmbiguous) }
            for field in head.query?.split(separator: "&") ?? [] where field.hasPrefix("\(own.query)=") {
                guard let value = String(percentEncoded: field.utf8.dropFirst(own.query.utf8CodeUnitCount + 1)) else { continue }
                add(ByteBuffer(string: value), &found, &isAmbiguous)
            }
        }
        if isAmbiguous { throw APIError(401, "the request has two different API keys; send only one", code: "invalid_api_key") }
        return found
    }

    /// The key in a value of `Authorization`: what follows the scheme `Bearer`, or the password of `Basic`. It may be
    /// empty. A value with another scheme is returned unchanged and matches no key.
    private static func withoutScheme(_ value: ByteBuffer) -> ByteBuffer {
        if let key = rest(of: value, after: "bearer") { return key }
        return rest(of: value, after: "basic").map { BasicCredential.password($0) ?? value } ?? value
    }

    /// What follows a scheme, in upper or lower case (RFC 9110, 11.1); nil if the value has another scheme.
    private static func rest(of value: ByteBuffer, after scheme: StaticString) -> ByteBuffer? {
        let length = scheme.utf8CodeUnitCount
        let start = value.withUnsafeReadableBytes { bytes -> Int? in
            guard bytes.count >= length, (0..<length).allSatisfy({ bytes[$0] | 0x20 == scheme.utf8Start[$0] }) else { return nil }
            guard bytes.count == length || bytes[length] == 0x20 else { return nil }
            return bytes[length...].firstIndex { $0 != 0x20 } ?? bytes.count
        }
        return start.flatMap { value.getSlice(at: value.readerIndex + $0, length: value.readableBytes - $0) }
    }
}
