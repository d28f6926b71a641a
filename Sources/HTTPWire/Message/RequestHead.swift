import NIOCore

/// A request's head, strictly parsed. One object, which all who look at a request share.
package final class RequestHead: Sendable {
    package enum Method: Sendable, Equatable {
        case get, head, post, options, other(String)
    }

    package let method: Method
    /// The path as sent, without the query; nothing is decoded. `*` for `OPTIONS *`.
    package let path: String
    /// What follows the first `?`, without it; nil where there is none.
    package let query: String?
    package let isHTTP10: Bool
    package let fields: HTTPFields
    /// Whether the client wants to keep the connection.
    package let isKeepAlive: Bool

    package init(
        method: Method, path: String, query: String? = nil, isHTTP10: Bool = false, fields: HTTPFields = HTTPFields(),
        isKeepAlive: Bool = true
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.isHTTP10 = isHTTP10
        self.fields = fields
        self.isKeepAlive = isKeepAlive
    }
}

extension RequestHead.Method: CustomStringConvertible {
    /// - Parameter string: the text at a range, asked for where the method is none of the usual ones.
    init(_ bytes: borrowing Span<UInt8>, _ name: Range<Int>, string: (Range<Int>) -> String) {
        if bytes.hasText("POST", in: name) {
            self = .post
        } else if bytes.hasText("GET", in: name) {
            self = .get
        } else if bytes.hasText("HEAD", in: name) {
            self = .head
        } else if bytes.hasText("OPTIONS", in: name) {
            self = .options
        } else {
            self = .other(string(name))
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
