import Codecs

/// The wait that an upstream requests in the header fields of a response, in every form that upstreams use.
///
/// | field | value | used on |
/// |---|---|---|
/// | `retry-after-ms`, `x-ms-retry-after-ms` | milliseconds | every response |
/// | `retry-after` | seconds, seconds or milliseconds since 1970, an HTTP date, or `10s` | every response |
/// | `x-ratelimit-reset-requests`, `-tokens` | `1s`, `6m0s`, `20ms`, `1h2m3.5s` | 429 |
/// | `x-ratelimit-reset` | seconds to wait; seconds or milliseconds since 1970 | 429 |
/// | `x-ratelimit-reset-after`, `ratelimit-reset` | seconds to wait | 429 |
/// | `anthropic-ratelimit-…-reset` | RFC 3339; seconds since 1970 | 429 |
/// | `ratelimit` | `"default";r=0;t=44`, `limit=10, remaining=0, reset=44` | 429 |
///
/// The first three fields come first, in this order, if they can be read. Successful responses have the reset fields
/// too, so these count only on a 429, and each only if its `remaining` field is 0 or missing. The longest of them
/// counts. Their values are read in any of the forms, because servers copy each other's names but not the forms.
///
/// There is no clock here. A point in time counts from the response's own `date`, or else from
/// ``UpstreamHead/receivedAt``, and is ignored if both are missing.
///
/// Sources: OpenAI's SDKs (openai-python, `_base_client.py`: milliseconds first, fractions allowed); RFC 9110, 10.2.3
/// (`retry-after`); IETF's draft "RateLimit header fields for HTTP" in two versions (`ratelimit`); OpenAI's guide "Rate
/// limits", headers; Groq's, the same with `2m59.56s`; OpenRouter's 429s as recorded (`"X-RateLimit-Reset":
/// "1775347200000"`); Anthropic's "Rate limits", response headers.
public enum RetryAfter {
    /// The longest wait: 30 days, which a monthly quota takes. A longer one is nonsense.
    public static let longest = Duration.seconds(30 * 86_400)
    static let maxSeconds = 30 * 86_400.0

    /// The wait that a response requests, at most 30 days. nil if it requests none, or none that can be read; zero if
    /// it names a point in time that is past.
    public static func wait(_ head: UpstreamHead) -> Duration? {
        for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
            if let milliseconds = head[name].flatMap({ decimal($0[...]) }) { return duration(milliseconds / 1000) }
        }
        if let text = head["retry-after"] {
            if let number = decimal(text[...]) {
                if let seconds = seconds(number, now: head.respondedAt) { return duration(seconds) }
            } else if let date = WireDate.http(text, now: head.respondedAt), let now = head.respondedAt {
                return duration(date - now)
            } else if let seconds = goDuration(text) {
                return duration(seconds)
            }
        }
        guard head.status == 429 else { return nil }
        let waits = resets.compactMap { reset -> Double? in
            if let remaining = head[reset.remaining].flatMap({ decimal($0[...]) }), remaining > 0 { return nil }
            return head[reset.field].flatMap { seconds($0, now: head.respondedAt) }
        }
        return (waits + (head["ratelimit"].map(waits(ofPolicies:)) ?? [])).max().map(duration)
    }

    /// The waits of `"a";r=0;t=44, "b";r=5;t=3` and `limit=10, remaining=0, reset=44`, of what is used up.
    private static func waits(ofPolicies text: String) -> [Double] {
        var waits: [Double] = [], remaining = 0.0
        for part in text.split(whereSeparator: { ",; ".contains($0) }) {
            let (name, value) = (part.prefix { $0 != "=" }, decimal(part.drop { $0 != "=" }.dropFirst()))
            switch name {
            case "r", "remaining": remaining = value ?? 0
            case "t", "reset": if remaining == 0, let value { waits.append(value) }
            case "limit": break
            default: remaining = 0
            }
        }
        return waits
    }

    private static let resets: [(field: String, remaining: String)] =
        ["x-ratelimit-reset-requests", "x-ratelimit-reset-tokens", "x-ratelimit-reset"].map {
            ($0, "x-ratelimit-remaining" + $0.dropFirst("x-ratelimit-reset".count))
        }
        + [("x-ratelimit-reset-after", "x-ratelimit-remaining"), ("ratelimit-reset", "ratelimit-remaining")]
        + ["requests", "tokens", "input-tokens", "output-tokens", "unified"].map {
            ("anthropic-ratelimit-\($0)-reset", "anthropic-ratelimit-\($0)-remaining")
        }

    /// The seconds that a number means. A number below 10^9 is a number of seconds. Larger numbers are points in time:
    /// in seconds since 1970, and from 10^12 on in milliseconds. nil for a point in time if the current time is
    /// unknown.
    static func seconds(_ number: Double, now: Double?) -> Double? {
        if number < 1e9 { return number }
        return now.map { max(0, (number < 1e12 ? number : number / 1000) - $0) }
    }

    /// The seconds that a field of a head or a body means: a number, a text such as `31s`, or a point in time in RFC
    /// 3339; nil for anything else.
    static func seconds(_ text: String, now: Double?) -> Double? {
        if let number = decimal(text[...]) { return seconds(number, now: now) }
        if let seconds = goDuration(text) { return seconds }
        guard let now, let date = WireDate.rfc3339(text) else { return nil }
        return max(0, date - now)
    }

    /// The seconds of a text such as `1h2m3.5s`, which is a series of numbers with units; nil if it is not one. Source:
    /// Go's `time.ParseDuration`. A negative duration gives nil.
    static func goDuration(_ text: String) -> Double? {
        let units = ["ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600]
        var rest = text[...]
        var seconds = 0.0
        repeat {
            let digits = rest.prefix { $0 == "." || $0.isASCIIDigit }
            let unit = rest.dropFirst(digits.count).prefix { $0 != "." && !$0.isASCIIDigit }
            guard let number = decimal(digits), let factor = units[String(unit)] else { return nil }
            seconds += number * factor
            rest = rest.dropFirst(digits.count + unit.count)
        } while !rest.isEmpty
        return seconds
    }

    /// A number in decimal digits, with at most one decimal point, which isn't the first character; nil for anything
    /// else, such as a sign, an exponent, NaN or an infinity.
    static func decimal(_ text: Substring) -> Double? {
        guard let first = text.utf8.first, ASCII.digit(first) != nil else { return nil }
        guard text.utf8.allSatisfy({ ASCII.digit($0) != nil || $0 == ASCII.dot }), let value = Double(text), value.isFinite else {
            return nil
        }
        return value
    }

    /// A duration that is rounded to the nanosecond, and is between zero and 30 days.
    static func duration(_ seconds: Double) -> Duration {
        .nanoseconds(Int64(min(max(seconds, 0), maxSeconds) * 1e9 + 0.5))
    }
}

extension UpstreamHead {
    /// When the response was sent, in seconds since 1970 by the upstream's clock. If the upstream doesn't send that,
    /// when it arrived by the router's clock; nil if both are unknown.
    var respondedAt: Double? {
        self["date"].flatMap { WireDate.http($0, now: receivedAt) } ?? receivedAt
    }
}
