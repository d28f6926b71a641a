import Engine
import HTTPWire
import ProviderKit

/// One line of the access log: a JSON object of a fixed set of members. Texts of a caller are escaped and cut.
struct AccessRecord {
    var requestID: String
    var endpoint: String
    /// nil where the head could not be parsed.
    var method: String?
    var path: String?
    /// The caller's IP address; nil on a unix socket.
    var remoteHost: String?
    /// The key's name in the policy.
    var key: String?
    /// 499: the caller left before the answer's end.
    var status: Int
    var bytesReceived: Int
    /// Of the answer's body.
    var bytesSent: Int
    var facts: AnswerFacts?
    /// A code word; the details stand in the answer.
    var error: String?
    var duration: Duration

    private static let maxTextBytes = 1024

    func write(at time: Timestamp, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("time", time)
        writer.member("request_id", requestID)
        writer.member("endpoint", endpoint)
        if let method { writer.member("method", Self.cut(method)) }
        if let path { writer.member("path", Self.cut(path)) }
        if let remoteHost { writer.member("remote", remoteHost) }
        if let key { writer.member("key", key) }
        writer.member("status", status)
        if let error { writer.member("error", Self.cut(error)) }
        if let facts { Self.write(facts, to: &writer) }
        writer.member("bytes_in", bytesReceived)
        writer.member("bytes_out", bytesSent)
        writer.milliseconds("duration_ms", duration)
        writer.endObject()
    }

    private static func write(_ facts: AnswerFacts, to writer: inout JSONWriter) {
        if let route = facts.route { writer.member("route", route) }
        if let provider = facts.provider { writer.member("provider", provider) }
        if let model = facts.model { writer.member("model", model) }
        writer.member("attempts", facts.attempts)
        writer.member("fallback", facts.isFallback)
        if !facts.errors.isEmpty {
            writer.key("failed")
            writer.array { writer in
                for error in facts.errors {
                    writer.object {
                        $0.member("provider", error.provider)
                        $0.member("model", error.model)
                        $0.member("reason", error.reason)
                        if let status = error.error.status { $0.member("status", status) }
                    }
                }
            }
        }
        writer.member("usage_source", facts.usage.source.rawValue)
        if let tokens = facts.usage.usage.promptTokens { writer.member("prompt_tokens", tokens) }
        if let tokens = facts.usage.usage.completionTokens { writer.member("completion_tokens", tokens) }
        if let cost = facts.cost { writer.member("cost_usd", dollars: cost) }
        if let time = facts.firstByteTime { writer.milliseconds("first_byte_ms", time) }
        writer.member("config", facts.config)
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= maxTextBytes ? text : String(decoding: text.utf8.prefix(maxTextBytes), as: UTF8.self)
    }
}
