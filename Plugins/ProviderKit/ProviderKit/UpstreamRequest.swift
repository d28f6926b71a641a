public import Codecs

/// A request as a plugin wants it sent. The engine adds what framing needs (`host`, `content-length`, `connection`).
public struct UpstreamRequest: Sendable {
    public var method: String
    /// Path and query, percent-encoded, beginning with `/`.
    public var target: String
    public var fields: [HTTPField]
    /// The body, in order. Ranges of the client's body are sent without a copy.
    public var body: [BodySource]

    public init(method: String = "POST", target: String, fields: [HTTPField], body: [BodySource]) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
    }
}

/// One header field. The value is kept as a secret where it holds one, so that a description of a request never shows it.
public struct HTTPField: Sendable, Equatable {
    public var name: String
    public var value: Value

    public enum Value: Sendable, Equatable {
        case plain(String)
        case secret(Secret)
    }

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = .plain(value)
    }

    public init(_ name: String, _ value: Secret) {
        self.name = name
        self.value = .secret(value)
    }
}

/// The status of an upstream's response, and its header fields for look-up.
public struct UpstreamHead: Sendable {
    public var status: Int
    /// When the head arrived, in seconds since 1970, by the router's clock. nil: nobody looked.
    public var receivedAt: Double?
    private let fields: any HTTPFieldLookup

    public init(status: Int, fields: any HTTPFieldLookup, receivedAt: Double? = nil) {
        self.status = status
        self.receivedAt = receivedAt
        self.fields = fields
    }

    public init(status: Int, fields: [HTTPField] = [], receivedAt: Double? = nil) {
        self.init(status: status, fields: FieldList(fields: fields), receivedAt: receivedAt)
    }

    /// The first value of a field; `name` in lower case. Values have no CR, LF or NUL.
    public subscript(_ name: String) -> String? {
        fields.value(name)
    }

    private struct FieldList: HTTPFieldLookup {
        var fields: [HTTPField]

        func value(_ name: String) -> String? {
            for field in fields where field.name == name {
                if case .plain(let value) = field.value { return value }
            }
            return nil
        }
    }
}

/// Header fields by name, read where they lie, so that a response's head costs nothing that nobody asks for.
public protocol HTTPFieldLookup: Sendable {
    /// The first value of a field; `name` in lower case.
    func value(_ name: String) -> String?
}

/// The response of a provider that has no upstream: what a server would have sent, and when.
public struct LocalResponse: Sendable {
    public var head: UpstreamHead
    public var pieces: [Piece]

    /// Bytes that arrive in one read, `delay` after the piece before (or after the request).
    public struct Piece: Sendable {
        public var delay: Duration
        public var bytes: [UInt8]

        public init(delay: Duration = .zero, bytes: [UInt8]) {
            self.delay = delay
            self.bytes = bytes
        }
    }

    public init(head: UpstreamHead, pieces: [Piece]) {
        self.head = head
        self.pieces = pieces
    }
}
