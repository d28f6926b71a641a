public import Codecs

/// An error as Google's APIs write it.
public struct GeminiError: Sendable {
    /// The HTTP status.
    public var code: Int
    /// The message for people.
    public var message: String
    /// The router's own word for what is wrong; nil if there is none.
    public var reason: String?
    /// When to repeat the request, in seconds; nil if that is not known.
    public var retryAfter: Int?

    /// Creates an error.
    public init(code: Int, message: String, reason: String?, retryAfter: Int?) {
        self.code = code
        self.message = message
        self.reason = reason
        self.retryAfter = retryAfter
    }

    /// The canonical name of the status. Source: google/rpc/code.proto.
    var status: String {
        switch code {
        case 401: "UNAUTHENTICATED"
        case 403: "PERMISSION_DENIED"
        case 404, 405: "NOT_FOUND"
        case 409: "ABORTED"
        case 429: "RESOURCE_EXHAUSTED"
        case 499: "CANCELLED"
        case 501: "UNIMPLEMENTED"
        case 502, 503: "UNAVAILABLE"
        case 504: "DEADLINE_EXCEEDED"
        case ..<500: "INVALID_ARGUMENT"
        default: "INTERNAL"
        }
    }
}

extension Gemini {
    /// Writes an error: `{"error":{"code","message","status","details"}}`. Sources: Google's AIP-193, "Errors";
    /// google/rpc/error_details.proto.
    public static func writeError(_ error: GeminiError, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("error")
            writer.object { writer in
                writer.member("code", error.code)
                writer.member("message", error.message)
                writer.member("status", error.status)
                guard error.reason != nil || error.retryAfter != nil else { return }
                writer.key("details")
                writer.array { writer in
                    if let reason = error.reason {
                        writer.object {
                            $0.member("@type", "type.googleapis.com/google.rpc.ErrorInfo")
                            $0.member("reason", reason.uppercased())
                            $0.member("domain", "llm-router")
                        }
                    }
                    if let seconds = error.retryAfter {
                        writer.object {
                            $0.member("@type", "type.googleapis.com/google.rpc.RetryInfo")
                            $0.member("retryDelay", "\(seconds)s")
                        }
                    }
                }
            }
        }
    }
}
