import ProviderKit
import Testing

@Suite("the wait that an upstream requests")
struct RetryAfterTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT, which is the example of RFC 9110.
    static let now = 784_111_777.0

    @Test(
        "milliseconds take precedence over seconds, and both may have fractions",
        arguments: [
            (["retry-after-ms": "1500"], .milliseconds(1500)), (["retry-after-ms": "12.5"], .microseconds(12_500)),
            (["retry-after-ms": "0"], .zero), (["x-ms-retry-after-ms": "2500"], .milliseconds(2500)),
            (["retry-after": "3"], .seconds(3)), (["retry-after": "0.25"], .milliseconds(250)), (["retry-after": "0"], .zero),
            (["retry-after-ms": "200", "retry-after": "9"], .milliseconds(200)), (["retry-after": "86400"], .seconds(86_400)),
            (["retry-after": "345600"], .seconds(345_600)), (["retry-after": "999999999"], .seconds(2_592_000)),
        ] as [([String: String], Duration)])
    func numbers(fields: [String: String], expected: Duration) {
        #expect(wait(503, fields) == expected)
    }

    @Test(
        "a value that is not a time is skipped, and the next field counts",
        arguments: [
            "abc", "-1", "-0.5", "+5", "NaN", "nan", "inf", "Infinity", "1e3", "0x10", "", " ", "1 2", ".5", "1.2.3", "٣",
            String(repeating: "9", count: 400),
        ])
    func malformedNumbers(text: String) {
        #expect(wait(503, ["retry-after": text]) == nil)
        #expect(wait(503, ["retry-after-ms": text, "retry-after": "2"]) == .seconds(2))
        #expect(wait(503, ["retry-after-ms": text]) == nil)
        #expect(wait(429, ["retry-after": text, "x-ratelimit-reset": "4"]) == .seconds(4))
    }

    @Test(
        "a date in each format of RFC 9110 counts from the response's own date",
        arguments: [
            "Sun, 06 Nov 1994 08:49:47 GMT", "Sunday, 06-Nov-94 08:49:47 GMT", "Sun Nov  6 08:49:47 1994", "Sun Nov 06 08:49:47 1994",
        ], ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
    func dates(text: String, date: String) {
        #expect(wait(503, ["retry-after": text, "date": date]) == .seconds(10))
        // The upstream's clock differs from the router's, so the date of its response counts.
        #expect(wait(503, ["retry-after": text, "date": date], receivedAt: Self.now + 3600) == .seconds(10))
    }

    @Test("if the response has no date, its arrival counts, and without that a date is ignored")
    func dateWithoutClock() {
        let fields = ["retry-after": "Sun, 06 Nov 1994 08:50:07 GMT"]
        #expect(wait(503, fields, receivedAt: Self.now) == .seconds(30))
        #expect(wait(503, fields, receivedAt: Self.now + 0.5) == .milliseconds(29_500))
        #expect(wait(503, fields.merging(["date": "yesterday"]) { $1 }, receivedAt: Self.now) == .seconds(30))
        #expect(wait(503, fields) == nil)
    }

    @Test(
        "a date in the past requests no wait, and a date far in the future at most 30 days",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:36 GMT", Duration.zero), ("Thu, 01 Jan 1970 00:00:00 GMT", .zero),
            ("Tue, 29 Feb 2000 00:00:00 GMT", .seconds(2_592_000)),
            ("Mon, 07 Nov 1994 08:49:37 GMT", .seconds(86_400)), ("Mon, 07 Nov 1994 08:49:36 GMT", .seconds(86_399)),
        ])
    func farDates(text: String, expected: Duration) {
        #expect(wait(503, ["retry-after": text], receivedAt: Self.now) == expected)
    }

    @Test(
        "a year of two digits is at most 50 years in the future",
        arguments: [
            ("Sunday, 06-Nov-94 08:49:47 GMT", 784_111_777.0, Duration.seconds(10)),
            // In 2026, `75` is 2075 and `77` is 1977.
            ("Friday, 01-Jan-75 00:00:00 GMT", 1_790_000_000, .seconds(2_592_000)),
            ("Saturday, 01-Jan-77 00:00:00 GMT", 1_790_000_000, .zero),
            ("Friday, 01-Jan-00 00:00:05 GMT", 946_684_799, .seconds(6)),
        ])
    func shortYears(text: String, now: Double, expected: Duration) {
        #expect(wait(503, ["retry-after": text], receivedAt: now) == expected)
    }

    @Test(
        "leap years, leap seconds and the limits of the calendar are right",
        arguments: [
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400.0), ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Sun, 28 Feb 2100 23:59:59 GMT", 4_107_542_399),
            ("Thu, 31 Dec 1998 23:59:60 GMT", 915_148_800), ("Thu, 01 Jan 1970 00:00:01 GMT", 1),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ])
    func calendar(text: String, seconds: Double) {
        #expect(wait(503, ["retry-after": text], receivedAt: seconds - 100) == .seconds(100))
    }

    @Test(
        "a text that only resembles a date is skipped",
        arguments: [
            "Sun, 06 Nov 1994 08:49:47", "Sun, 06 Nov 1994 08:49:47 PST", "Sun, 06 Nov 1994 08:49:47 +0000", "Sun, 06 Nov 94 08:49:47 GMT",
            "Sun, 6 Nov 1994 08:49:47 GMT",
            "Sun, 31 Nov 1994 08:49:47 GMT", "Sun, 29 Feb 2100 08:49:47 GMT", "Sun, 00 Nov 1994 08:49:47 GMT",
            "Sun, 06 Nuv 1994 08:49:47 GMT", "Sun, 06 Nov 1994 24:49:47 GMT",
            "Sun, 06 Nov 1994 08:60:47 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 8:49:47 GMT", "Sun, 06 Nov 1994 08:49 GMT",
            "Sun 06 Nov 1994 08:49:47 GMT",
            "Son, 06 Nov 1994 08:49:47 GMT", "Sunday, 06-Nov-1994 08:49:47 GMT", "Sunday, 06 Nov 94 08:49:47 GMT",
            "Sun Nov 006 08:49:47 1994", "Sun, Nov  6 08:49:47 1994",
            "1994-11-06T08:49:47Z", "GMT", "Sun, 06 Nov -994 08:49:47 GMT", "Sun, 06 Nov １９９４ 08:49:47 GMT",
        ])
    func malformedDates(text: String) {
        #expect(wait(503, ["retry-after": text], receivedAt: Self.now) == nil)
    }

    @Test(
        "resets as Go durations count on a 429",
        arguments: [
            ("1s", Duration.seconds(1)), ("6m0s", .seconds(360)), ("20ms", .milliseconds(20)), ("1h2m3.5s", .milliseconds(3_723_500)),
            ("2m59.56s", .milliseconds(179_560)),
            ("7.66s", .milliseconds(7660)), ("500µs", .microseconds(500)), ("500μs", .microseconds(500)), ("500us", .microseconds(500)),
            ("100ns", .nanoseconds(100)),
            ("0s", .zero), ("48h", .seconds(172_800)), ("12", .seconds(12)), ("33011.382867813", .nanoseconds(33_011_382_867_813)),
        ])
    func goDurations(text: String, expected: Duration) {
        for name in ["x-ratelimit-reset-requests", "x-ratelimit-reset-tokens", "x-ratelimit-reset"] {
            #expect(wait(429, [name: text]) == expected)
            #expect(wait(503, [name: text]) == nil)
        }
    }

    @Test(
        "a reset that can't be read is ignored",
        arguments: ["", "s", "5", "1x", "1s2", "-1s", "+1s", "1 s", "1m 2s", "1.2.3s", ".5s", "1ss", "soon", "1µ", "NaNs", "1994-11-06"])
    func malformedResets(text: String) {
        let waits = wait(429, ["x-ratelimit-reset-tokens": text], receivedAt: Self.now)
        #expect(waits == (text == "5" ? .seconds(5) : nil))
    }

    @Test(
        "only limits that are used up count, and among them the longest wait",
        arguments: [
            (["reset-requests": "1s", "remaining-requests": "0", "reset-tokens": "9s", "remaining-tokens": "14"], Duration.seconds(1)),
            (["reset-requests": "1s", "remaining-requests": "0", "reset-tokens": "9s", "remaining-tokens": "0"], .seconds(9)),
            (["reset-requests": "1s", "reset-tokens": "9s"], .seconds(9)), (["reset-requests": "1s", "remaining-requests": "7"], nil),
            (["reset-requests": "3s", "remaining-requests": "0", "reset-tokens": "bad"], .seconds(3)),
            (["reset": "5", "remaining": "0", "reset-tokens": "2s"], .seconds(5)),
            (["reset": "5", "remaining": "1"], nil), (["reset": "5", "remaining": "?"], .seconds(5)),
        ] as [([String: String], Duration?)])
    func remaining(fields: [String: String], expected: Duration?) {
        let named = Dictionary(uniqueKeysWithValues: fields.map { ("x-ratelimit-" + $0.key, $0.value) })
        #expect(wait(429, named) == expected)
        #expect(wait(429, named.merging(["retry-after": "77"]) { $1 }) == .seconds(77))
    }

    @Test(
        "a reset may be a point in time, in seconds or milliseconds since 1970",
        arguments: [
            ("1775347200000", 1_775_347_140.0, Duration.seconds(60)), ("1775347200", 1_775_347_140, .seconds(60)),
            ("1775347200", 1_775_347_300, .zero),
            ("1775347200.5", 1_775_347_140, .milliseconds(60_500)), ("1775347200000", 0, .seconds(2_592_000)),
        ])
    func epochs(text: String, now: Double, expected: Duration) {
        #expect(wait(429, ["x-ratelimit-reset": text], receivedAt: now) == expected)
        #expect(wait(429, ["x-ratelimit-reset": text]) == nil)
        #expect(wait(503, ["retry-after": text], receivedAt: now) == expected)
        #expect(wait(503, ["retry-after": text]) == nil)
    }

    @Test(
        "Anthropic's resets are RFC 3339",
        arguments: [
            ("1994-11-06T08:49:47Z", Duration.seconds(10)), ("1994-11-06t08:49:47z", .seconds(10)),
            ("1994-11-06T08:49:47.250Z", .milliseconds(10_250)),
            ("1994-11-06T10:49:47+02:00", .seconds(10)), ("1994-11-06T03:19:47-05:30", .seconds(10)), ("1994-11-06T08:49:30Z", .zero),
        ])
    func anthropic(text: String, expected: Duration) {
        for kind in ["requests", "tokens", "input-tokens", "output-tokens"] {
            let fields = ["anthropic-ratelimit-\(kind)-reset": text]
            #expect(wait(429, fields, receivedAt: Self.now) == expected)
            #expect(wait(429, fields.merging(["anthropic-ratelimit-\(kind)-remaining": "3"]) { $1 }, receivedAt: Self.now) == nil)
            #expect(wait(529, fields, receivedAt: Self.now) == nil)
        }
    }

    @Test(
        "a text that only resembles RFC 3339 is skipped",
        arguments: [
            "1994-11-06 08:49:47Z", "1994-11-06T08:49:47", "1994-11-06T08:49:47+2:00", "1994-11-06T08:49:47+0200", "1994-13-06T08:49:47Z",
            "1994-11-06T08:49:47.Z",
            "1994-11-06T08:49:47Z5", "94-11-06T08:49:47Z", "1994-11-06T08:49Z", "1994-11-06T08:49:47+24:00", "1994-02-30T08:49:47Z",
            "٤994-11-06T08:49:47Z",
        ])
    func malformedRFC3339(text: String) {
        #expect(wait(429, ["anthropic-ratelimit-tokens-reset": text], receivedAt: Self.now) == nil)
    }

    @Test(
        "the fields of IETF's drafts and others count on a 429",
        arguments: [
            ("ratelimit-reset", "30", Duration.seconds(30)), ("x-ratelimit-reset-after", "14", .seconds(14)),
            ("ratelimit", #""default";r=0;t=44"#, .seconds(44)), ("ratelimit", #""a";r=5;t=90, "b";r=0;t=7, "c";t=3"#, .seconds(7)),
            ("ratelimit", "limit=10, remaining=0, reset=44", .seconds(44)), ("ratelimit", #""default";r=5;t=44"#, nil),
            ("ratelimit", "limit=10, remaining=1, reset=44", nil), ("ratelimit", "t", nil), ("ratelimit", "", nil),
            ("anthropic-ratelimit-unified-reset", "784111877", .seconds(100)),
        ] as [(String, String, Duration?)])
    func drafts(field: String, text: String, expected: Duration?) {
        // A number below 10^9 is no point in time, so this clock starts later.
        let shift = field.hasPrefix("anthropic") ? 1e9 : 0
        let text = shift > 0 ? String(Int(784_111_877 + shift)) : text
        #expect(wait(429, [field: text], receivedAt: Self.now + shift) == expected)
        #expect(wait(503, [field: text], receivedAt: Self.now + shift) == nil)
    }

    @Test(
        "a wait in words, in other languages too",
        arguments: [
            ("Please try again in one minute", Duration.seconds(60)), ("Try again in a minute", .seconds(60)),
            ("retry after an hour", .seconds(3600)),
            ("повторите через 30 секунд", .seconds(30)), ("Повторите через 2 минуты.", .seconds(120)),
            ("请求过于频繁，请等待 15 秒", .seconds(15)), ("请 2 分钟后再试", .seconds(120)), ("30秒後に再試行してください", .seconds(30)),
            ("wait a moment", nil), ("try again in a while", nil), ("запрос через прокси", nil), ("5 запросов за 60 секунд", nil),
        ] as [(String, Duration?)])
    func words(message: String, expected: Duration?) {
        let body = Array(#"{"error":{"message":"\#(message)"}}"#.utf8)
        #expect(ErrorBody(body.span.bytes)?.wait(UpstreamHead(status: 429)) == expected)
    }

    @Test("OpenRouter's metadata has a wait", arguments: ["retry_after", "retry_after_seconds"])
    func metadata(name: String) {
        let body = Array(#"{"error":{"message":"x","metadata":{"\#(name)":13}}}"#.utf8)
        #expect(ErrorBody(body.span.bytes)?.wait(UpstreamHead(status: 429)) == .seconds(13))
    }

    @Test("a response without such fields requests no wait")
    func nothing() {
        #expect(wait(429, [:], receivedAt: Self.now) == nil)
    }

    private func wait(_ status: Int, _ fields: [String: String], receivedAt: Double? = nil) -> Duration? {
        RetryAfter.wait(UpstreamHead(status: status, fields: fields.map { HTTPField($0.key, $0.value) }, receivedAt: receivedAt))
    }
}
