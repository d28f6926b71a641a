package import ConfigTree

/// One of `tests:`: what routing must do with a request.
package struct RoutingExpectation: Sendable, Equatable {
    package var name: String
    package var position: SourcePosition
    /// The chat request's body as JSON: as `request: { body: … }` gives it, or made from the short form's `model`, `image`, `tools`, `json`, …
    package var body: [UInt8]
    /// Prompt tokens in place of the estimate.
    package var tokens: Int?
    /// The name of the key that sends it; nil where the policy has no keys, or for one that may reach everything.
    package var key: String?
    /// Names of providers and models (name or `provider/name`) that answer nothing.
    package var down: [String]
    /// The first attempt goes to one of these models. Empty: whichever.
    package var chosen: [String]
    /// The attempts, from the first on, as far as listed; nil: not judged.
    package var order: [String]?
    /// No attempt goes to one of these models.
    package var never: [String]
    /// The request is refused with this status; nil: it is planned.
    package var refused: Int?

    package init(name: String, position: SourcePosition, body: [UInt8]) {
        self.name = name
        self.position = position
        self.body = body
        down = []
        chosen = []
        never = []
    }
}
