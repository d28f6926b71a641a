/// An operation that a key can be allowed to use. The raw values are the words in a key's `endpoints:`.
///
/// An operation covers every endpoint that performs it, in any vendor's API.
package enum KeyOperation: String, Sendable, CaseIterable {
    case chat
    case models

    /// Whether requests for this operation are planned and sent to a model.
    package var callsModels: Bool {
        switch self {
        case .chat: true
        case .models: false
        }
    }
}
