import Codecs
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
    /// The request's header fields, for the conditions of routes and for sticky conversations. Names in lower case.
    package var headers: [RequestHeader] = []
    package var face = FaceName.openai
    /// The model that last served the request's conversation, as its name or `provider/name`. Nil: none.
    package var lastServedBy: String?
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

/// A header field of a test's request.
package struct RequestHeader: Sendable, Equatable {
    package var name: String
    package var value: String
}

extension RequestHeader {
    /// nil if the name is none of a header field. The name is converted to lower case, and blanks around the value are
    /// removed.
    package init?(_ name: String, _ value: String) {
        guard HeaderCondition.isName(name) else { return nil }
        self.init(name: name.lowercased(), value: String(value.trimmingBlanks()))
    }
}
