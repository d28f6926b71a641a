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
    /// Names of providers and models (name or `provider/name`) that response nothing.
    package var down: [String]
    /// One of these models answers: it gets the first attempt that is not at something down. Empty: whichever.
    package var chosen: [String]
    /// The models asked, from the first on, as if none answered; as far as listed. nil: not judged.
    package var order: [String]?
    /// None of these models is asked, whatever fails.
    package var never: [String]
    /// The client gets this status and no response; nil: not judged.
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
