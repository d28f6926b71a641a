import Codecs

/// How long an upstream asks to be left alone, in every form that upstreams have for it. There is no clock here: what is a point in time
/// counts from the response's own `date`, else from `UpstreamHead.receivedAt`, and says nothing where both are missing.
///
/// | field | value | on |
/// |---|---|---|
/// | `retry-after-ms` | milliseconds | every response |
/// | `retry-after` | seconds, or an HTTP date | every response |
/// | `x-ratelimit-reset-requests`, `-tokens` | `1s`, `6m0s`, `20ms`, `1h2m3.5s` | 429 |
/// | `x-ratelimit-reset` | seconds to go, seconds or milliseconds since 1970 | 429 |
/// | `anthropic-ratelimit-…-reset` | RFC 3339 | 429 |
///
/// The first of the first two that can be read wins. The resets stand on good answers too, so they count on a 429 alone, each only where its `remaining` is 0
/// or missing; the longest of them wins. Their value is read in any of the forms, for servers copy the names and not the forms.
///
/// Sources: OpenAI's SDKs (openai-python, `_base_client.py`: milliseconds first, fractions allowed); RFC 9110, 10.2.3 (`retry-after`); OpenAI's guide
/// "Rate limits", headers; Groq's, the same with `2m59.56s`; OpenRouter's 429s as recorded (`"X-RateLimit-Reset": "1775347200000"`); Anthropic's "Rate limits", response headers.
public enum RetryAfter {
    /// No more than a day is read.
    public static let maxSeconds = 86_400.0

    /// nil: it asks for nothing that can be read. Zero: the point in time is past.
    public static func wait(_ head: UpstreamHead) -> Duration? {
        if let milliseconds = head["retry-after-ms"].flatMap({ decimal($0[...]) }) { return duration(milliseconds / 1000) }
        if let text = head["retry-after"] {
            if let seconds = decimal(text[...]) { return duration(seconds) }
            if let date = WireDate.http(text, now: head.respondedAt), let now = head.respondedAt { return duration(date - now) }
        }
        guard head.status == 429 else { return nil }
        return resets.compactMap { reset in
            if let remaining = head[reset.remaining].flatMap({ decimal($0[...]) }), remaining > 0 { return nil }
            return head[reset.field].flatMap { untilReset($0, now: head.respondedAt) }
        }.max().map(duration)
    }

    private static let resets: [(field: String, remaining: String)] =
        ["x-ratelimit-reset-requests", "x-ratelimit-reset-tokens", "x-ratelimit-reset"].map {
            ($0, "x-ratelimit-remaining" + $0.dropFirst("x-ratelimit-reset".count))
        }
        + ["requests", "tokens", "input-tokens", "output-tokens"].map {
            ("anthropic-ratelimit-\($0)-reset", "anthropic-ratelimit-\($0)-remaining")
        }

    /// Seconds from a reset's value. A bare number below 10^9 is seconds to go; above it lie the points in time, from 10^12 on in milliseconds.
    private static func untilReset(_ text: String, now: Double?) -> Double? {
        if let number = decimal(text[...]) {
            if number < 1e9 { return number }
            return now.map { max(0, (number < 1e12 ? number : number / 1000) - $0) }
        }
        if let seconds = goDuration(text) { return seconds }
        guard let now, let date = WireDate.rfc3339(text) else { return nil }
        return max(0, date - now)
    }

    /// Seconds from `1h2m3.5s`: numbers, each with a unit. Source: Go's `time.ParseDuration`; a negative one asks for nothing.
    static func goDuration(_ text: String) -> Double? {
        let units = ["ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600]
        var rest = text[...]
        var seconds = 0.0
        repeat {
            let digits = rest.prefix { $0 == "." || $0.isASCII && $0.isNumber }
            let unit = rest.dropFirst(digits.count).prefix { $0 != "." && !($0.isASCII && $0.isNumber) }
            guard let number = decimal(digits), let factor = units[String(unit)] else { return nil }
            seconds += number * factor
            rest = rest.dropFirst(digits.count + unit.count)
        } while !rest.isEmpty
        return seconds
    }

    /// Digits with at most one point among or behind them. Neither a sign nor an exponent, NaN or an infinity: those are nobody's waiting time.
    private static func decimal(_ text: Substring) -> Double? {
        guard let first = text.utf8.first, ASCII.digit(first) != nil else { return nil }
        guard text.utf8.allSatisfy({ ASCII.digit($0) != nil || $0 == ASCII.dot }), let value = Double(text), value.isFinite else {
            return nil
        }
        return value
    }

    /// To the nanosecond.
    static func duration(_ seconds: Double) -> Duration {
        .nanoseconds(Int64(min(max(seconds, 0), maxSeconds) * 1e9 + 0.5))
    }
}

extension UpstreamHead {
    /// When it was sent, by the upstream's own clock, else when it arrived by ours; in seconds since 1970.
    var respondedAt: Double? {
        self["date"].flatMap { WireDate.http($0, now: receivedAt) } ?? receivedAt
    }
}
