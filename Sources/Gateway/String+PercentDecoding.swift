import Codecs

extension String {
    /// Decodes percent-encoded bytes. nil if an escape is invalid or the result is not UTF-8.
    init?(percentEncoded encoded: some Sequence<UInt8>) {
        guard let bytes = PercentEncoding.decoded(encoded) else { return nil }
        self.init(validating: bytes, as: UTF8.self)
    }
}
