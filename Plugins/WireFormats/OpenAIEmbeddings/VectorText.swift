import Codecs

/// Vectors as little-endian 32-bit floats in base64. Source: OpenAI's API reference, "Embeddings", `encoding_format`.
enum VectorText {
    static func encoded(_ vector: [Float]) -> String {
        Base64.encoded(
            vector.flatMap { value in
                let bits = value.bitPattern
                return [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: bits >> $0) }
            })
    }

    /// nil if the text is not base64, or its length is not a multiple of four bytes.
    static func decoded(_ text: String) -> [Float]? {
        guard let bytes = Base64.decoded(Array(text.utf8)), bytes.count % 4 == 0 else { return nil }
        return stride(from: 0, to: bytes.count, by: 4).map { place in
            Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) })
        }
    }
}
