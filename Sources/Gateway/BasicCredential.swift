import Codecs
import NIOCore

/// The value of `Authorization: Basic`: base64 of `USER:PASSWORD`. Source: RFC 7617 section 2.
enum BasicCredential {
    /// The bytes after the first colon; the user doesn't matter. nil if the text is not base64 or has no colon.
    static func password(_ encoded: ByteBuffer) -> ByteBuffer? {
        guard let bytes = Base64.decoded(encoded.readableBytesView), let colon = bytes.firstIndex(of: ASCII.colon) else { return nil }
        return ByteBuffer(bytes: bytes[(colon + 1)...])
    }
}
