internal import Codecs
internal import Crypto

/// A new secret of a client, and the hash that the policy holds in its place.
package struct ClientKey {
    /// `sk-` and 48 hexadecimal digits, which are 192 random bits. Many clients expect a key to begin with `sk-`.
    package let secret: String
    /// The SHA-256 of the secret, in hexadecimal.
    package var digest: String { Self.digest(of: secret) }

    package static func random() -> ClientKey {
        var generator = SystemRandomNumberGenerator()
        return ClientKey(secret: "sk-" + Hex.encoded((0..<24).map { _ in UInt8.random(in: 0...255, using: &generator) }))
    }

    /// What `sha256` of a key holds for a secret.
    static func digest(of secret: String) -> String { Hex.encoded(SHA256.hash(data: Array(secret.utf8))) }
}
