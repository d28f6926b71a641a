import Codecs
import ProviderKit

extension String {
    /// Decodes percent-encoded bytes. nil if an escape is invalid or the result is not UTF-8.
    init?(percentEncoded encoded: some Sequence<UInt8>) {
        var bytes: [UInt8] = []
        var iterator = encoded.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = iterator.next().flatMap(ASCII.hexDigit), let low = iterator.next().flatMap(ASCII.hexDigit) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.init(validating: bytes, as: UTF8.self)
    }
}
