package import Codecs
import Engine
import HTTPWire
import ProviderKit

/// What happened in one minute. Requests of operators and probes (`/health`, `/metrics`, `/admin`) don't count.
package struct MinuteFigures: Sendable {
    /// Since 1970.
    private(set) var minute: Int
    /// Requests that ended.
    private(set) var requests = 0
    /// Those of them that were refused without a call: a bad key, a bad request, a limit of the key.
    private(set) var refused = 0
    /// Calls that failed, without those whose client left.
    private(set) var failed = 0
    /// Calls without a complete response, by the class of their last failure; `cancelled` if the client left.
    private(set) var errors: [FailureClass: Int] = [:]
    private(set) var attempts = 0
    private(set) var failedAttempts: [FailureClass: Int] = [:]
    /// Complete responses that a fallback served.
    private(set) var fallbacks = 0
    private(set) var streams = 0
    /// Streams that failed after their first content.
    private(set) var brokenStreams = 0
    private(set) var tokens = TokenCounts()
    /// US dollars.
    private(set) var cost = 0.0
    /// Calls that were served without a known cost.
    private(set) var unpriced = 0
    /// From the arrival of requests to the first content of their streams.
    private(set) var firstToken = DurationCounts()
    /// From the arrival of requests to the end of their complete responses.
    private(set) var total = DurationCounts()

    init(minute: Int) { self.minute = minute }

    /// Makes it the figures of another minute, of which nothing is known yet.
    mutating func restart(at minute: Int) {
        var (firstToken, total) = (DurationCounts(), DurationCounts())
        swap(&firstToken, &self.firstToken)
        swap(&total, &self.total)
        self = MinuteFigures(minute: minute)
        firstToken.clear()
        total.clear()
        (self.firstToken, self.total) = (firstToken, total)
    }

    mutating func add(_ request: borrowing RequestRecord) {
        requests &+= 1
        guard let call = request.call else {
            if request.status >= 400 { refused &+= 1 }
            return
        }
        attempts &+= call.attempts
        for attempt in call.failures where !attempt.isCancelled { failedAttempts[attempt.error.failure, default: 0] &+= 1 }
        if let time = call.firstContentTime { firstToken.add(microseconds: time.wholeMicroseconds) }
        if request.isStream == true { streams &+= 1 }
        if let failure = call.failure {
            errors[failure, default: 0] &+= 1
            if failure != .cancelled {
                failed &+= 1
                if call.firstContentTime != nil { brokenStreams &+= 1 }
            }
        } else {
            total.add(microseconds: request.duration.wholeMicroseconds)
            if call.isFallback { fallbacks &+= 1 }
        }
        guard call.usage.model != nil else { return }
        tokens.add(call.usage.usage)
        if let cost = call.cost { self.cost += cost } else { unpriced &+= 1 }
    }

    mutating func add(_ other: MinuteFigures) {
        requests &+= other.requests
        refused &+= other.refused
        failed &+= other.failed
        errors.merge(other.errors, uniquingKeysWith: &+)
        attempts &+= other.attempts
        failedAttempts.merge(other.failedAttempts, uniquingKeysWith: &+)
        fallbacks &+= other.fallbacks
        streams &+= other.streams
        brokenStreams &+= other.brokenStreams
        tokens.add(other.tokens)
        cost += other.cost
        unpriced &+= other.unpriced
        firstToken.add(other.firstToken)
        total.add(other.total)
    }

    /// Writes the figures as an object.
    package func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("time", minute * 60)
            $0.member("requests", requests)
            $0.member("refused", refused)
            $0.member("failed", failed)
            Self.write(errors, "errors", to: &$0)
            $0.member("attempts", attempts)
            Self.write(failedAttempts, "failed_attempts", to: &$0)
            $0.member("fallbacks", fallbacks)
            $0.member("streams", streams)
            $0.member("broken_streams", brokenStreams)
            $0.key("tokens")
            $0.object { [tokens] in
                $0.member("input", tokens.input)
                $0.member("cached", tokens.cached)
                $0.member("output", tokens.output)
                $0.member("reasoning", tokens.reasoning)
            }
            $0.member("cost_usd", dollars: cost)
            $0.member("unpriced", unpriced)
            Self.write(firstToken, "first_token_ms", to: &$0)
            Self.write(total, "total_ms", to: &$0)
        }
    }

    private static func write(_ counts: [FailureClass: Int], _ name: StaticString, to writer: inout JSONWriter) {
        writer.key(name)
        writer.object { writer in
            for (failure, count) in counts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                writer.key(escaping: failure.rawValue)
                writer.integer(count)
            }
        }
    }

    private static func write(_ durations: DurationCounts, _ name: StaticString, to writer: inout JSONWriter) {
        writer.key(name)
        writer.object { writer in
            writer.member("count", durations.count)
            for (name, part) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] as [(StaticString, Double)] {
                writer.key(name)
                if let microseconds = durations.quantile(part) { writer.thousandths(Int(microseconds)) } else { writer.null() }
            }
        }
    }
}
