import Engine
import HTTPWire
import ProviderKit

/// The facts of an answer as callers see them: `_router` in bodies, `x-router-*` in heads.
enum RouterMetadata {
    /// The member `"_router": {…}`.
    ///
    /// - Parameters:
    ///   - isComplete: the call has ended: usage and the total time are known.
    ///   - data: the answer parsed, where JSON was asked for: one JSON value.
    static func write(_ facts: AnswerFacts, to writer: inout JSONWriter, isComplete: Bool, data: [UInt8]? = nil) {
        writer.key("_router")
        writer.object {
            $0.member("provider", facts.provider)
            $0.member("model_name", facts.model)
            if let route = facts.route { $0.member("route", route) }
            $0.member("attempts", facts.attempts)
            $0.member("fallback_used", facts.isFallback)
            if !facts.errors.isEmpty {
                $0.key("errors")
                $0.array { writer in
                    for error in facts.errors { write(error, to: &writer) }
                }
            }
            if let data {
                $0.key("data")
                $0.raw(data)
            }
            $0.member("config", facts.config)
            if isComplete { $0.member("usage_source", facts.usage.source.rawValue) }
            $0.key("timing")
            $0.object {
                $0.milliseconds("plan_ms", facts.planTime)
                if let firstByte = facts.firstByteTime { $0.milliseconds("first_byte_ms", firstByte) }
                if isComplete { $0.milliseconds("total_ms", facts.totalTime) }
            }
        }
    }

    static func addFields(_ facts: AnswerFacts, to head: inout ResponseHead) {
        if let provider = facts.provider { head.add("x-router-provider", provider) }
        if let model = facts.model { head.add("x-router-model", model) }
        head.add("x-router-attempts", String(facts.attempts))
        head.add("x-router-fallback", facts.isFallback ? "true" : "false")
        var timing = "plan;dur=" + millisecondsText(facts.planTime)
        if let firstByte = facts.firstByteTime { timing += ", upstream;dur=" + millisecondsText(firstByte) }
        head.add("server-timing", timing)
    }

    private static func write(_ failed: FailedAttempt, to writer: inout JSONWriter) {
        let error = failed.error
        writer.object {
            $0.member("provider", failed.provider)
            $0.member("model_name", failed.model)
            $0.member("class", error.failure.rawValue)
            if let status = error.status { $0.member("status", status) }
            // What a provider says of the router's own key is the operator's business.
            $0.member("message", error.failure == .providerRejected ? "the provider refuses the router's key or account" : error.message)
            $0.milliseconds("duration_ms", failed.duration)
            if let wait = error.retryAfter { $0.member("retry_after_ms", Int(wait.milliseconds)) }
        }
    }
}

/// Milliseconds with up to three decimals, without the cost of a shortest decimal.
func millisecondsText(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let micros = max(0, seconds) &* 1_000_000 &+ max(0, attoseconds) / 1_000_000_000_000
    let rest = micros % 1000
    if rest == 0 { return String(micros / 1000) }
    let digits = String(rest)
    return String(micros / 1000) + "." + String(repeating: "0", count: 3 - digits.utf8.count) + digits
}

extension JSONWriter {
    mutating func milliseconds(_ name: String, _ duration: Duration) {
        key(name)
        raw(Array(millisecondsText(duration).utf8))
    }
}
