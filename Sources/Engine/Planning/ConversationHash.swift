import Codecs
internal import Crypto

/// A hash of what identifies a conversation. All routers compute the same one, and no client can find another text with
/// the same hash: half of a SHA-256.
struct ConversationHash {
    private var hash = SHA256()

    mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { combine(UnsafeRawBufferPointer($0)) }
    }

    mutating func combine(bytes: RawSpan, _ range: Range<Int>) {
        bytes.extracting(range.clamped(to: 0..<bytes.byteCount)).withUnsafeBytes { combine($0) }
    }

    /// Each part is preceded by its length, so that the parts can't be divided in another way.
    private mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        var count = UInt64(bytes.count).littleEndian
        withUnsafeBytes(of: &count) { hash.update(bufferPointer: $0) }
        hash.update(bufferPointer: bytes)
    }

    mutating func finalize() -> UInt128 {
        hash.finalize().prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }
}
