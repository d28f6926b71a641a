package import ProviderKit

/// What a key can be allowed to use. Its words are those of a key's `endpoints:`.
///
/// It covers every endpoint with the same purpose, in any vendor's API.
package enum KeyOperation: Sendable, Hashable {
    /// Requests that are planned and sent to a model.
    case call(ProviderKit.Operation)
    /// The lists of models.
    case models

    /// Every word, in the order in which they are listed.
    package static let words = ProviderKit.Operation.served.map(\.rawValue) + [modelsWord]

    private static let modelsWord = "models"

    /// nil if there is no such word.
    package init?(word: String) {
        if word == Self.modelsWord {
            self = .models
        } else if let operation = ProviderKit.Operation(served: word) {
            self = .call(operation)
        } else {
            return nil
        }
    }

    package var word: String {
        switch self {
        case .call(let operation): operation.rawValue
        case .models: Self.modelsWord
        }
    }
}
