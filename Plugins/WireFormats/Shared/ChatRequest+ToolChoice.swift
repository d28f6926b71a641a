import ProviderKit

extension ChatRequest {
    /// Whether the model must call a tool.
    var forcesTool: Bool {
        switch toolChoice {
        case nil, .auto, .some(.none): false
        case .required, .tool: true
        }
    }

    /// Refuses the choice of a tool where there are none, as the vendors' servers do: a provider would get a request
    /// without it.
    ///
    /// - Parameter choice: the client's choice.
    func refuseChoiceWithoutTools(_ choice: RequestValue) throws(ProviderError) {
        if tools.isEmpty, forcesTool { throw choice.invalid("'none' or 'auto', because the request has no tools") }
    }
}
