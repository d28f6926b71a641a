import Codecs
import Engine
import HTTPWire
import ProviderKit
import Telemetry

/// The call record as clients see it: `_router` in bodies, `x-router-*` in heads.
enum RouterMetadata {
    /// Writes the member `"_router": {…}`.
    ///
    /// - Parameters:
    ///   - isComplete: whether the call has ended, so that its usage and total time are known.
    ///   - data: the response's JSON value, if the client requested JSON.
    static func write(_ record: CallRecord, to writer: inout JSONWriter, isComplete: Bool, data: [UInt8]? = nil) {
        writer.key("_router")
        writer.object {
            $0.member("provider", record.provider)
            $0.member("model_name", record.model)
            if let route = record.route { $0.member("route", route) }
            $0.member("attempts", record.attempts)
            $0.member("fallback_used", record.isFallback)
            if record.isHedged { $0.member("hedged", true) }
            if record.isReplayed { $0.member("replayed", true) }
            if !record.resumePoints.isEmpty {
                $0.key("resumed")
                $0.array { writer in
                    for resumePoint in record.resumePoints { write(resumePoint, to: &writer) }
                }
            }
            if !record.errors.isEmpty {
                $0.key("errors")
                $0.array { writer in
                    for error in record.errors { write(error, to: &writer) }
                }
            }
            if !record.skippedNames.isEmpty {
                $0.key("skipped")
                $0.array { writer in
                    for name in record.skippedNames { write(skipped: name, to: &writer) }
                }
            }
            if let data {
                $0.key("data")
                $0.raw(data)
            }
            $0.member("config", record.config)
            if isComplete {
                $0.member("usage_source", record.usage.source.rawValue)
                if let cost = record.cost { $0.member("cost_usd", dollars: cost) }
            }
            $0.key("timing")
            $0.object {
                $0.milliseconds("plan_ms", record.planTime)
                if let firstByte = record.firstByteTime { $0.milliseconds("first_byte_ms", firstByte) }
                if isComplete { $0.milliseconds("total_ms", record.totalTime) }
            }
        }
    }

    static func addFields(_ record: CallRecord, to head: inout ResponseHead, withNames: Bool) {
        if withNames {
            if let provider = record.provider { head.add("x-router-provider", provider) }
            if let model = record.model { head.add("x-router-model", model) }
        }
        if record.attempts == 1, !record.isFallback {
            head.add(lines: "x-router-attempts: 1\r\nx-router-fallback: false\r\n")
        } else {
            head.add("x-router-attempts", String(record.attempts))
            head.add("x-router-fallback", record.isFallback ? "true" : "false")
        }
        addTiming(plan: record.planTime, upstream: record.upstreamTime, to: &head)
    }

    /// Adds the fields for a request that failed `time` after its arrival, before it was planned.
    static func addFields(unplannedAfter time: Duration, to head: inout ResponseHead) {
        head.add(lines: "x-router-attempts: 0\r\nx-router-fallback: false\r\n")
        addTiming(plan: time, upstream: nil, to: &head)
    }

    /// Source: W3C, "Server Timing".
    private static func addTiming(plan: Duration, upstream: Duration?, to head: inout ResponseHead) {
        head.add("server-timing", valueBytes: 96) {
            $0.put("plan;dur=")
            $0.put(thousandths: plan.wholeMicroseconds)
            guard let upstream else { return }
            $0.put(", upstream;dur=")
            $0.put(thousandths: upstream.wholeMicroseconds)
        }
    }

    private static func write(_ resumePoint: ResumePoint, to writer: inout JSONWriter) {
        writer.object {
            $0.member("provider", resumePoint.provider)
            $0.member("model_name", resumePoint.model)
            $0.member("text_bytes", resumePoint.textBytes)
        }
    }

    private static func write(skipped name: String, to writer: inout JSONWriter) {
        writer.object {
            $0.member("model", name.excerpt)
            $0.member("why", "the model does not exist, or this key may not use it")
        }
    }

    private static func write(_ failed: FailedAttempt, to writer: inout JSONWriter) {
        let error = failed.error
        writer.object {
            $0.member("provider", failed.provider)
            $0.member("model_name", failed.model)
            $0.member("class", error.failure.rawValue)
            if let status = error.status { $0.member("status", status) }
            if let code = error.code { $0.member("code", code) }
            $0.member("message", error.message)
            $0.milliseconds("duration_ms", failed.duration)
            if let repair = failed.repair { $0.member("repaired", repair) }
            if let wait = error.retryAfter { $0.member("retry_after_ms", Int(wait.milliseconds)) }
        }
    }
}
