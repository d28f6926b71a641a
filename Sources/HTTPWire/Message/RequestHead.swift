import NIOCore

/// A request's head, strictly parsed.
package struct RequestHead: Sendable {
    package enum Method: Sendable, Equatable {
        case get, head, post, options, other(String)
    }

    package var method: Method
    /// The path as sent, without the query; nothing is decoded. `*` for `OPTIONS *`.
    package var path: String
    /// What follows the first `?`, without it; nil where there is none.
    package var query: String?
    package var isHTTP10: Bool
    package var fields: HTTPFields
    /// Whether the caller wants to keep the connection.
    package var isKeepAlive: Bool

    package init(method: Method, path: String, query: String? = nil, isHTTP10: Bool = false, fields: HTTPFields = HTTPFields(), isKeepAlive: Bool = true) {
        self.method = method
        self.path = path
        self.query = query
        self.isHTTP10 = isHTTP10
        self.fields = fields
        self.isKeepAlive = isKeepAlive
    }
}

extension RequestHead.Method: CustomStringConvertible {
    package init(_ name: String) {
        switch name {
        case "GET": self = .get
        case "HEAD": self = .head
        case "POST": self = .post
        case "OPTIONS": self = .options
        default: self = .other(name)
        }
    }

    package var description: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .options: "OPTIONS"
        case .other(let name): name
        }
    }
}
