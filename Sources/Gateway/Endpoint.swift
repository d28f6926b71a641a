import HTTPWire
import RoutingPolicy

/// One row of the endpoint table: how a request is recognized and admitted, and what serves it.
final class Endpoint: Sendable {
    enum Method: Sendable {
        /// HEAD is served as GET; the server leaves the body out.
        case get
        case post

        func matches(_ method: RequestHead.Method) -> Bool {
            switch self {
            case .get: method == .get || method == .head
            case .post: method == .post
            }
        }

        /// As the `allow` field lists it. Every endpoint takes OPTIONS.
        var allowed: String {
            switch self {
            case .get: "GET, HEAD, OPTIONS"
            case .post: "POST, OPTIONS"
            }
        }
    }

    /// What a client needs if the policy defines keys.
    enum Access: Sendable, Equatable {
        case open
        /// A key whose `endpoints:` include the operation.
        case operation(KeyOperation)
        /// A key with `admin: true`.
        case admin
    }

    enum Body: Sendable {
        /// Read and dropped, up to 64 KiB.
        case ignored
        /// Kept in memory, up to `server.max_body`.
        case buffered
    }

    /// The label in metrics and the access log. Several rows may share it.
    let name: String
    let method: Method
    /// A path that ends in `/{id}` matches everything below it; the rest of the path is `Exchange.pathParameter`.
    let paths: [String]
    let access: Access
    let body: Body
    /// Called on the connection's event loop once the body has arrived.
    let serve: @Sendable (Exchange) -> Void

    init(
        _ name: String, _ method: Method, _ paths: [String], _ access: Access, body: Body = .ignored,
        serve: @escaping @Sendable (Exchange) -> Void
    ) {
        self.name = name
        self.method = method
        self.paths = paths
        self.access = access
        self.body = body
        self.serve = serve
    }

    /// Whether requests are planned and sent to a model. Only these are refused while the process shuts down.
    var callsModels: Bool {
        if case .operation(let operation) = access { operation.callsModels } else { false }
    }
}
