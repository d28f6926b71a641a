/// The capabilities of a provider, whatever its model is.
public struct Capabilities: Sendable, Equatable {
    /// The operations that the provider serves.
    public var operations: Set<Operation>
    /// Whether a model of the provider can continue another model's partial response. If it is true,
    /// ``Provider/request(for:body:)`` must handle calls with a ``Call/continuation``.
    public var canContinue: Bool

    /// Creates a set of capabilities.
    public init(operations: Set<Operation>, canContinue: Bool = false) {
        self.operations = operations
        self.canContinue = canContinue
    }
}
