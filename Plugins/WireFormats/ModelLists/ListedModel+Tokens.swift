import Codecs
import ProviderKit

extension ListedModel {
    /// The first of the values that is a count of tokens.
    static func tokens(_ values: JSONTree?...) -> Int? {
        values.lazy.compactMap { $0?.integer }.first { 1...1_000_000_000 ~= $0 }
    }
}
