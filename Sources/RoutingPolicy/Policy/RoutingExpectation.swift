package import ConfigTree
package import ProviderKit

/// One entry of `tests:`: how a request must be routed.
package struct RoutingExpectation: Sendable, Equatable, OptionHolder {
    package var name = ""
    package var position = SourcePosition(file: "", line: 1, column: 1)
    package var operation = ProviderKit.Operation.chat
    /// The request as JSON, given as `request: { body: … }` or made from the short form (`model`, `image`,
    /// `tools`, `json`, …).
    package var body = ExpectedRequest().body
    /// The number of prompt tokens. Nil: it is estimated.
    package var tokens: Int?
    /// The name of the key that sends the request. Nil: the policy has no keys, or a key sends it that may reach
    /// everything.
    package var key: String?
    /// Names of providers and models (name or `provider/name`) that count as unreachable.
    package var down: [String] = []
    /// The first attempt that does not go to a model in `down` must go to one of these models. Empty: not checked.
    package var chosen: [String] = []
    /// The first models that are called if every model fails, in this order. Nil: not checked.
    package var order: [String]?
    /// Models that must not be called, whatever fails.
    package var never: [String] = []
    /// The status with which the request must be refused. Nil: not checked.
    package var refused: Int?

    package init() {}

    package init(name: String, position: SourcePosition, body: [UInt8]) {
        self.name = name
        self.position = position
        self.body = body
    }
}
