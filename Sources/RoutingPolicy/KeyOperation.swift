/// What a key may do. The raw values are the words of a key's `endpoints:`.
///
/// An operation covers every endpoint that performs it, whichever vendor's API the endpoint belongs to.
package enum KeyOperation: String, Sendable, CaseIterable {
    case chat
    case models

    /// Whether its requests are planned and sent to a model.
    package var callsModels: Bool {
        switch self {
        case .chat: true
        case .models: false
        }
    }
}
