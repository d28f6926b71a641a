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
            if facts.isHedged { $0.member("hedged", true) }
            if !facts.joints.isEmpty {
                $0.key("resumed")
                $0.array { writer in
                    for joint in facts.joints { write(joint, to: &writer) }
                }
            }
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
            if isComplete {
                $0.member("usage_source", facts.usage.source.rawValue)
                if let cost = facts.cost { $0.member("cost_usd", dollars: cost) }
            }
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
        addTiming(plan: facts.planTime, upstream: facts.upstreamTime, to: &head)
    }

    /// Of a request that nobody was asked for.
    static func addFields(unplannedAfter time: Duration, to head: inout ResponseHead) {
        head.add("x-router-attempts", "0")
        head.add("x-router-fallback", "false")
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

    private static func write(_ joint: Joint, to writer: inout JSONWriter) {
        writer.object {
            $0.member("provider", joint.provider)
            $0.member("model_name", joint.model)
            $0.member("text_bytes", joint.textBytes)
        }
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

extension JSONWriter {
    /// Exact to a billionth of a dollar: the price of a token of a model at a tenth of a cent for a million.
    mutating func member(_ name: StaticString, dollars: Double) {
        key(name)
        let billionths = Int(clamping: Int64(exactly: (dollars * 1e9).rounded()) ?? .max)
        let whole = billionths / 1_000_000_000
        var fraction = String(billionths % 1_000_000_000)
        fraction = String(repeating: "0", count: 9 - fraction.utf8.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        raw(Array((fraction.isEmpty ? "\(whole)" : "\(whole).\(fraction)").utf8))
    }

    mutating func milliseconds(_ name: StaticString, _ duration: Duration) {
        key(name)
        thousandths(duration.wholeMicroseconds)
    }
}
