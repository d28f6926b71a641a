import HTTPWire
import RoutingPolicy

/// One row of the endpoint table: how requests are matched, authorized and served.
final class Endpoint: Sendable {
    enum Method: Sendable {
        /// HEAD is served like GET, and the server omits the body.
        case get
        case post
        /// HEAD asks for what POST brings.
        case headAndPost
        case delete

        func matches(_ method: RequestHead.Method) -> Bool {
            switch method {
            case .get: self == .get
            case .head: self == .get || self == .headAndPost
            case .post: self == .post || self == .headAndPost
            case .options: false
            case .other(let name): self == .delete && name == "DELETE"
            }
        }

        var name: String {
            switch self {
            case .get: "GET"
            case .post, .headAndPost: "POST"
            case .delete: "DELETE"
            }
        }

        /// The value of the `allow` field. Every endpoint accepts OPTIONS.
        var allowed: String {
            switch self {
            case .get: "GET, HEAD, OPTIONS"
            case .post: "POST, OPTIONS"
            case .headAndPost: "HEAD, POST, OPTIONS"
            case .delete: "DELETE, OPTIONS"
            }
        }
    }

    /// What a client needs if the policy has keys.
    enum Access: Sendable, Equatable {
        case open
        /// A key whose `endpoints:` include the operation.
        case operation(KeyOperation)
        /// A key with `admin: true`.
        case admin
    }

    enum Body: Sendable {
        /// Not read: the response comes at once.
        case unread
        /// Read and discarded, up to 64 KiB.
        case ignored
        /// Kept in memory, up to `server.max_body`.
        case buffered
        /// Like `buffered`, but a form is read as it arrives, up to `server.max_upload`.
        case form
    }

    /// The name in metrics and in the access log. Several rows may share a name.
    let name: String
    let method: Method
    /// A path with `{id}` matches every path that begins and ends in the same way; what stands in its place is
    /// `Exchange.pathParameter`.
    let paths: [String]
    let access: Access
    /// nil for a path that clients of several faces share.
    let face: Face?
    let body: Body
    /// What the router demands of a body.
    let members: [RequestMember]
    /// The parameters of its query that are its own; those of a vendor's API are not listed.
    let parameters: [RequestMember]
    /// The media types of its response, the usual one first; nil: those of its kind.
    let types: [String]?
    /// Whether its clients are operators and probes.
    let isAdministrative: Bool
    /// What it is for, in a few words, for the list at `/`.
    let about: String
    /// Called on the connection's event loop when the body is complete.
    let serve: @Sendable (Exchange) -> Void

    init(
        _ name: String, _ method: Method, _ paths: [String], _ access: Access, face: Face? = .openAI, body: Body = .ignored,
        members: [RequestMember] = [], parameters: [RequestMember] = [], types: [String]? = nil, about: String,
        serve: @escaping @Sendable (Exchange) -> Void
    ) {
        self.name = name
        self.method = method
        self.paths = paths
        self.access = access
        self.face = face
        self.body = body
        self.members = members
        self.parameters = parameters
        self.types = types
        isAdministrative = access == .admin || access == .open
        self.about = about
        self.serve = serve
    }

    /// Whether requests are planned and sent to a model. Only such requests are refused while the process shuts down.
    var callsModels: Bool {
        if case .operation(.call) = access { true } else { false }
    }
}
