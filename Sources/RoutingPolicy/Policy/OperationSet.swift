package import ProviderKit

package typealias OperationSet = CaseSet<ProviderKit.Operation>

extension OperationSet {
    /// In words, such as `chat and embeddings`.
    package var inWords: String {
        let words = map(\.rawValue)
        return words.count < 2 ? words.joined() : "\(words.dropLast().joined(separator: ", ")) and \(words[words.count - 1])"
    }
}
