/// A request's head. A class, so that sharing it doesn't copy its strings.
package final class RequestHead: Sendable {
    package enum Method: Sendable, Equatable {
        case get, head, post, options, other(String)
    }

    package let method: Method
    /// The path as sent, without the query; nothing is decoded. `*` for `OPTIONS *`.
    package let path: String
    /// The text after the first `?`; nil if the target has none.
    package let query: String?
    /// The host and port of an absolute target; nil for any other.
    private let authority: String?
    let isHTTP10: Bool
    var isHeadRequest: Bool { if case .head = method { true } else { false } }
    package let fields: HTTPFields
    /// Whether the client wants to keep the connection open.
    let isKeepAlive: Bool

    init(method: Method, path: String, query: String?, authority: String?, isHTTP10: Bool, fields: HTTPFields, isKeepAlive: Bool) {
        self.method = method
        self.path = path
        self.query = query
        self.authority = authority
        self.isHTTP10 = isHTTP10
        self.fields = fields
        self.isKeepAlive = isKeepAlive
    }

    /// The host and port that the request is for. nil only for HTTP/1.0 without a Host field. An absolute target goes
    /// before that field. Source: RFC 9112 section 3.2.2.
    package var host: String? { authority ?? fields.value("host") }
}

extension RequestHead.Method: CustomStringConvertible {
    /// - Parameter string: returns the text in a range; called only for a method without a case.
    init(_ bytes: borrowing Span<UInt8>, _ name: Range<Int>, string: (Range<Int>) -> String) {
        if bytes.equalsExactly("POST", in: name) {
            self = .post
        } else if bytes.equalsExactly("GET", in: name) {
            self = .get
        } else if bytes.equalsExactly("HEAD", in: name) {
            self = .head
        } else if bytes.equalsExactly("OPTIONS", in: name) {
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
