public import Codecs
import ProviderKit

extension AnthropicMessages {
    /// Writes an error: `{"type":"error","error":{…},"request_id":…}`. Source: Anthropic's API reference, "Errors".
    ///
    /// - Parameters:
    ///   - type: such as `invalid_request_error`; see ``errorType(ofStatus:)``.
    ///   - requestID: the request's id; nil leaves it out.
    public static func writeError(type: String, message: String, requestID: String?, to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", "error")
            $0.key("error")
            $0.object {
                $0.member("type", type)
                $0.member("message", message)
            }
            if let requestID { $0.member("request_id", requestID) }
        }
    }

    /// The event of an error in a stream, with its blank line. It is a stream's last event.
    public static func errorFrame(type: String, message: String, requestID: String?) -> [UInt8] {
        var writer = JSONWriter()
        writeError(type: type, message: message, requestID: requestID, to: &writer)
        return frame("error", writer.bytes)
    }

    /// The event that keeps a stream alive. Source: Anthropic's guide "Streaming messages".
    public static let pingFrame = frame("ping", Array(#"{"type":"ping"}"#.utf8))

    /// The type of an error with this status.
    public static func errorType(ofStatus status: Int) -> String {
        switch status {
        case 401: "authentication_error"
        case 402: "billing_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 409: "conflict_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 503, 529: "overloaded_error"
        case 504: "timeout_error"
        case ..<500: "invalid_request_error"
        default: "api_error"
        }
    }

    /// The types of errors in streams that say what the client can do.
    public static let eventErrorTypes: Set = [
        "api_error", "invalid_request_error", "overloaded_error", "rate_limit_error", "request_too_large", "timeout_error",
    ]

    /// An event of a stream, with its blank line.
    ///
    /// - Parameter json: one JSON object without line breaks.
    static func frame(_ type: StaticString, _ json: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(json.count + type.utf8CodeUnitCount + 16)
        frame += "event: ".utf8
        frame += UnsafeBufferPointer(start: type.utf8Start, count: type.utf8CodeUnitCount)
        frame += "\ndata: ".utf8
        frame += json
        frame += "\n\n".utf8
        return frame
    }

    /// The event of a stream for a JSON object that passes through, whose `type` is the event's.
    ///
    /// - Parameter json: one JSON object without line breaks.
    public static func frame(of json: RawSpan) -> [UInt8] {
        let bytes = json.withUnsafeBytes { Array($0) }
        let type = (try? AnthropicEvent(0..<json.byteCount, in: json))?.type.flatMap { JSONTree(json.extracting($0))?.string }
        guard let type, type.utf8.allSatisfy({ $0 >= 0x20 }) else { return Array("data: ".utf8) + bytes + Array("\n\n".utf8) }
        return Array("event: \(type)\ndata: ".utf8) + bytes + Array("\n\n".utf8)
    }
}
