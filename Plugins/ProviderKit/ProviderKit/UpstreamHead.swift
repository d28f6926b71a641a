/// The head of an upstream's response: its status and its header fields.
public struct UpstreamHead: Sendable {
    /// The HTTP status. It is never an informational one (1xx).
    public var status: Int
    /// When the head arrived, in seconds since 1970 by the router's clock; nil if that is unknown. The router sets it
    /// only for statuses from 400 on.
    public var receivedAt: Double?
    /// What the body is, judged by its first bytes; nil if it is empty, or has not begun.
    public var bodyForm: BodyForm?
    private let fields: any HTTPFieldLookup

    /// Creates a head whose fields are looked up when they are needed.
    public init(status: Int, fields: any HTTPFieldLookup, receivedAt: Double? = nil, bodyForm: BodyForm? = nil) {
        self.status = status
        self.receivedAt = receivedAt
        self.bodyForm = bodyForm
        self.fields = fields
    }

    /// Creates a head from a list of fields, whose names must be in lower case. Fields with secret values are left out.
    public init(status: Int, fields: [HTTPField] = [], receivedAt: Double? = nil, bodyForm: BodyForm? = nil) {
        self.init(status: status, fields: FieldList(fields: fields), receivedAt: receivedAt, bodyForm: bodyForm)
    }

    /// The first value of a field; nil if the head doesn't have it. The name must be in lower case. A value never
    /// contains CR, LF or NUL.
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

/// A way to look up header fields by name in the bytes of a response, so that only the fields that are needed are
/// decoded.
public protocol HTTPFieldLookup: Sendable {
    /// The first value of a field; nil if there is none. The name is in lower case.
    func value(_ name: String) -> String?
}
