import Codecs
import ProviderKit

extension ListedModel {
    /// The first of the values that is a count of tokens.
    static func tokens(_ values: JSONTree?...) -> Int? {
        values.lazy.compactMap { $0?.integer }.first { 1...1_000_000_000 ~= $0 }
    }

    /// The first of the values that is a point in time: seconds since 1970, RFC 3339, or a day, which counts to its
    /// end.
    static func time(_ values: JSONTree?...) -> Double? {
        values.lazy.compactMap { value in
            value?.double ?? value?.string.flatMap { WireDate.rfc3339($0) ?? WireDate.rfc3339($0 + "T23:59:59Z") }
        }.first { $0 > 0 }
    }
}
