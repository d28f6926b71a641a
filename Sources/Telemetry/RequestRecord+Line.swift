import Codecs
import Engine
import HTTPWire
import ProviderKit

/// One line of the access log: a JSON object with a fixed set of members. Text from outside is escaped, and cut if it
/// is long.
extension RequestRecord {
    fileprivate static var maxTextBytes: Int { 1024 }

    /// - Parameter withBodies: whether the bodies are added, if the record has them.
    func write(at time: Timestamp, withBodies: Bool = false, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("time", time)
        writer.member("request_id", requestID)
        if let trace { writer.traceID("trace_id", of: trace) }
        writer.member("endpoint", endpoint)
        if let method { writer.member("method", cut: method) }
        if let path { writer.member("path", cut: path) }
        if let remoteHost { writer.member("remote", remoteHost) }
        if let key { writer.member("key", key) }
        if !keyLabels.isEmpty {
            writer.key("metadata")
            writer.beginObject()
            for label in keyLabels {
                writer.key(escaping: label.name)
                writer.string(label.text)
            }
            writer.endObject()
        }
        if let requestedModel { writer.member("requested_model", cut: requestedModel) }
        if let session { writer.member("session", cut: session) }
        if let isStream { writer.member("stream", isStream) }
        writer.member("status", status)
        if let error { writer.member("error", cut: error) }
        if let message { writer.member("message", cut: message) }
        Self.write(call, skippedNames, to: &writer)
        writer.member("bytes_in", bytesReceived)
        writer.member("bytes_out", bytesSent)
        writer.milliseconds("duration_ms", duration)
        if withBodies, let bodies {
            if let body = bodies.request { writer.member("request_body", body) }
            if let body = bodies.response { writer.member("response_body", body) }
        }
        writer.endObject()
    }

    private static func write(_ record: CallRecord?, _ skippedNames: [String], to writer: inout JSONWriter) {
        guard let record else { return }
        if let route = record.route { writer.member("route", route) }
        if let provider = record.provider { writer.member("provider", provider) }
        if let model = record.model { writer.member("model", model) }
        if let model = record.servingModel { writer.member("upstream_model", cut: model) }
        if let id = record.upstreamRequestID { writer.member("upstream_request_id", id) }
        writer.member("attempts", record.attempts)
        writer.member("fallback", record.isFallback)
        if record.isHedged { writer.member("hedged", true) }
        if record.isReplayed { writer.member("replayed", true) }
        if !record.errors.isEmpty {
            writer.key("failed")
            writer.array { writer in
                for error in record.errors {
                    writer.object {
                        $0.member("provider", error.provider)
                        $0.member("model", error.model)
                        $0.member("class", error.error.failure.rawValue)
                        $0.member("reason", error.reason)
                        if let status = error.error.status { $0.member("status", status) }
                        if let repair = error.repair { $0.member("repaired", repair) }
                        $0.milliseconds("start_ms", error.start)
                        $0.milliseconds("duration_ms", error.duration)
                        if let time = error.firstContentTime { $0.milliseconds("first_content_ms", time) }
                        $0.member("message", cut: error.error.message)
                        if let url = error.url { $0.member("url", cut: url) }
                        if let id = error.requestID { $0.member("upstream_request_id", id) }
                    }
                }
            }
        }
        if !record.skipped.isEmpty || !skippedNames.isEmpty {
            writer.key("skipped")
            writer.array { writer in
                for name in skippedNames {
                    writer.object {
                        $0.member("model", cut: name)
                        $0.member("why", "unknown or not allowed")
                    }
                }
                for skipped in record.skipped {
                    writer.object {
                        $0.member("provider", skipped.provider)
                        $0.member("model", skipped.model)
                        $0.member("why", skipped.why)
                        if let until = skipped.until { $0.member("until", Timestamp(seconds: until, milliseconds: 0)) }
                    }
                }
            }
        }
        if !record.resumePoints.isEmpty {
            writer.key("resumed")
            writer.array { writer in
                for point in record.resumePoints {
                    writer.object {
                        $0.member("provider", point.provider)
                        $0.member("model", point.model)
                        $0.member("text_bytes", point.textBytes)
                        $0.milliseconds("at_ms", point.time)
                    }
                }
            }
        }
        writer.member("usage_source", record.usage.source.rawValue)
        write(record.usage.usage, to: &writer)
        if let cost = record.cost { writer.member("cost_usd", dollars: cost) }
        writer.milliseconds("plan_ms", record.planTime)
        if record.queueTime > .zero { writer.milliseconds("queue_ms", record.queueTime) }
        if let time = record.firstByteTime {
            if let upstream = record.upstreamTime { writer.milliseconds("upstream_start_ms", time - upstream) }
            writer.milliseconds("first_byte_ms", time)
        }
        if let time = record.firstContentTime { writer.milliseconds("first_content_ms", time) }
        writer.member("config", record.config)
    }

    private static func write(_ usage: Usage, to writer: inout JSONWriter) {
        if let tokens = usage.promptTokens { writer.member("prompt_tokens", tokens) }
        if let tokens = usage.cachedTokens { writer.member("cached_tokens", tokens) }
        if let tokens = usage.cacheWriteTokens { writer.member("cache_write_tokens", tokens) }
        if let tokens = usage.completionTokens { writer.member("completion_tokens", tokens) }
        if let tokens = usage.reasoningTokens { writer.member("reasoning_tokens", tokens) }
        if let tokens = usage.audioTokens { writer.member("audio_tokens", tokens) }
        if let seconds = usage.audioSeconds {
            writer.key("audio_seconds")
            writer.double(seconds)
        }
    }

    static func cut(_ text: String) -> String { text.cut(atByte: maxTextBytes) }
}

extension JSONWriter {
    /// Writes a text from outside, cut if it is long.
    fileprivate mutating func member(_ name: StaticString, cut text: String) {
        if text.utf8.count <= RequestRecord.maxTextBytes { member(name, text) } else { member(name, RequestRecord.cut(text)) }
    }
}
