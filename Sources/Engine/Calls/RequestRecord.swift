/// The record of one request, whether it led to a call or not. The observer gets it when the response has ended.
///
/// It can't be copied, because each copy would retain a dozen strings.
package struct RequestRecord: ~Copyable {
    package let requestID: String
    package let endpoint: String
    /// Whether it is a request of an operator or a probe, such as `/metrics`.
    package let isAdministrative: Bool
    /// nil if the head could not be parsed, like `path`.
    package let method: String?
    package let path: String?
    /// The client's IP address; nil on a unix socket.
    package let remoteHost: String?
    /// The key's name in the policy.
    package let key: String?
    /// What the operator says of the key: `metadata:` in the policy.
    package let keyLabels: [(name: String, text: String)]
    /// The model that the request asks for; nil if it names none or was not read.
    package let requestedModel: String?
    /// What the client names its session, without secrets; nil if it names none.
    package let session: String?
    /// nil if the request was not read.
    package let isStream: Bool?
    /// 499 means that the client left before the end of the response.
    package let status: Int
    package let bytesReceived: Int
    /// The bytes of the response's body.
    package let bytesSent: Int
    /// nil if the request led to no call.
    package let call: CallRecord?
    /// The names in the request's `model` that were skipped, without secrets.
    package let skippedNames: [String]
    /// The error's code.
    package let error: String?
    /// The error's message, without secrets.
    package let message: String?
    /// nil unless the policy wants them in the log.
    package let bodies: Bodies?
    /// nil if the request isn't traced.
    package let trace: TraceContext?
    /// nil if no spans of the request are exported.
    package let spanSource: SpanSource?
    package let duration: Duration

    /// The beginnings of the bodies, without secrets. nil for a body that is empty, no text, or in a file.
    package struct Bodies: Sendable {
        package let request: String?
        package let response: String?

        package init(request: String?, response: String?) { (self.request, self.response) = (request, response) }
    }

    package init(
        requestID: String, endpoint: String, isAdministrative: Bool = false, method: String?, path: String?, remoteHost: String?,
        key: String?, keyLabels: [(name: String, text: String)] = [], requestedModel: String? = nil, session: String? = nil,
        isStream: Bool? = nil, status: Int, bytesReceived: Int,
        bytesSent: Int, call: CallRecord? = nil, skippedNames: [String] = [], error: String? = nil, message: String? = nil,
        bodies: Bodies? = nil, trace: TraceContext? = nil, spanSource: SpanSource? = nil, duration: Duration
    ) {
        self.requestID = requestID
        self.endpoint = endpoint
        self.isAdministrative = isAdministrative
        self.method = method
        self.path = path
        self.remoteHost = remoteHost
        self.key = key
        self.keyLabels = keyLabels
        self.requestedModel = requestedModel
        self.session = session
        self.isStream = isStream
        self.status = status
        self.bytesReceived = bytesReceived
        self.bytesSent = bytesSent
        self.call = call
        self.skippedNames = skippedNames
        self.error = error
        self.message = message
        self.bodies = bodies
        self.trace = trace
        self.spanSource = spanSource
        self.duration = duration
    }

    /// Whether the client got an error, a broken stream or nothing.
    package var hasFailed: Bool { Self.hasFailed(status: status, error: error, call: call) }

    package static func hasFailed(status: Int, error: String?, call: CallRecord?) -> Bool {
        status >= 400 || error != nil || call?.failure != nil
    }
}
