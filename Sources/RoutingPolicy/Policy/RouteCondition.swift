import ProviderKit

/// An entry of `when:` of a route: what must hold for a request, all of it, and the route that then replaces this one.
package struct RouteCondition: Sendable, Equatable, OptionHolder {
    package var headers: [HeaderCondition] = []
    /// Names of keys; empty: any, and no key.
    package var keys: [String] = []
    /// Empty: any.
    package var faces: [FaceName] = []
    /// Empty: any.
    package var operations = OperationSet()
    /// nil: either.
    package var isStream: Bool?
    /// `use`: the route that replaces this one, an index into `RoutingPolicy.routes`. Following it from route to route
    /// never leads to a cycle.
    package var use = -1

    package init() {}

    /// Whether nothing must hold.
    var isEmpty: Bool { headers.isEmpty && keys.isEmpty && faces.isEmpty && operations.isEmpty && isStream == nil }
}

/// A header field that a request must have, and the values of which it must have one.
package struct HeaderCondition: Sendable, Equatable {
    /// In lower case.
    package var name: String
    /// Texts, in which `*` stands for any characters.
    package var values: [String]

    package func matches(_ value: String) -> Bool {
        values.contains { text in Glob(text).map { $0.matches(value) } ?? (text == value) }
    }
}
