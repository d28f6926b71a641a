import ProviderKit
import Testing

import struct Codecs.JSONWriter
import enum TestSupport.JSON

@testable import Engine
@testable import Telemetry

struct RecentMinutesTests {
    @Test
    func `a minute has its requests, failures, tokens, cost and times`() throws {
        var minutes = RecentMinutes()
        let served = CallRecord(config: "")
        served.attempts = 2
        served.isFallback = true
        served.errors = [
            FailedAttempt(
                index: 0, provider: "p", model: "m", error: ProviderError(.timeout, message: ""), reason: "timeout_first_byte",
                start: .zero,
                duration: .zero),
            // A hedge that lost.
            FailedAttempt(
                index: 0, provider: "p", model: "m", error: ProviderError(.cancelled, message: ""), reason: "cancelled", start: .zero,
                duration: .zero),
        ]
        served.firstContentTime = .milliseconds(100)
        served.usage = UsageReport(
            usage: Usage(promptTokens: 10, completionTokens: 20, cachedTokens: 4, reasoningTokens: 5), source: .reported, model: 0)
        served.cost = 0.25
        minutes.add(Self.request(200, served, isStream: true), at: Self.time(0))
        let broken = CallRecord(config: "")
        (broken.attempts, broken.failure, broken.firstContentTime) = (1, .upstreamError, .milliseconds(50))
        minutes.add(Self.request(200, broken, isStream: true), at: Self.time(59))
        let left = CallRecord(config: "")
        (left.attempts, left.failure) = (1, .cancelled)
        minutes.add(Self.request(499, left), at: Self.time(1))
        minutes.add(Self.request(401, nil), at: Self.time(2))
        let figures = try Self.json(minutes.current(at: Self.time(59)))
        for (name, value) in [
            "time": 600, "requests": 4, "refused": 1, "failed": 1, "attempts": 4, "fallbacks": 1, "streams": 2, "broken_streams": 1,
            "unpriced": 0,
        ] {
            #expect(figures[name]?.int == value, "\(name)")
        }
        #expect(figures["errors"] == .object(["upstream_error": .number(1), "cancelled": .number(1)]))
        #expect(figures["failed_attempts"] == .object(["timeout": .number(1)]))
        #expect(
            figures["tokens"]
                == .object(["input": .number(10), "cached": .number(4), "output": .number(20), "reasoning": .number(5)]))
        #expect(figures["cost_usd"]?.double == 0.25)
        #expect(figures["first_token_ms"]?["count"]?.int == 2 && figures["total_ms"]?["count"]?.int == 1)
        #expect(abs((figures["total_ms"]?["p99"]?.double ?? 0) - 300) < 20)
    }

    @Test
    func `the last 60 minutes are shown, with those that had no request, and nothing older`() throws {
        var minutes = RecentMinutes()
        minutes.add(Self.request(401, nil), at: Self.time(0))
        minutes.add(Self.request(401, nil), at: Self.time(59 * 60))
        func requests(at seconds: Int) throws -> [Int?] {
            try minutes.all(at: Self.time(seconds)).map { try Self.json($0)["requests"]?.int }
        }
        #expect(try requests(at: 59 * 60) == [1] + Array(repeating: 0, count: 58) + [1])
        #expect(try requests(at: 60 * 60) == Array(repeating: 0, count: 58) + [1, 0])
        // The same place of an hour later.
        minutes.add(Self.request(401, nil), at: Self.time(60 * 60))
        #expect(try requests(at: 60 * 60) == Array(repeating: 0, count: 58) + [1, 1])
        #expect(try Self.json(minutes.sum(at: Self.time(60 * 60)))["requests"]?.int == 2)
        #expect(try Self.json(minutes.current(at: Self.time(-90)))["requests"]?.int == 0)
    }

    @Test
    func `the figures of several event loops add up, minute by minute`() throws {
        var one = RecentMinutes(), other = RecentMinutes(), sum = RecentMinutes()
        one.add(Self.request(401, nil), at: Self.time(0))
        other.add(Self.request(401, nil), at: Self.time(0))
        // Of an earlier hour.
        other.add(Self.request(401, nil), at: Self.time(60 - 3600))
        one.add(Self.request(401, nil), at: Self.time(60))
        for part in [RecentMinutes(), one, other] { sum.add(part) }
        #expect(try sum.all(at: Self.time(60)).suffix(2).map { try Self.json($0)["requests"]?.int } == [2, 1])
    }

    /// A time in the tenth minute since 1970, or so many seconds after it.
    private static func time(_ seconds: Int) -> Timestamp { Timestamp(seconds: 600 + seconds, milliseconds: 0) }

    private static func request(_ status: Int, _ call: CallRecord?, isStream: Bool? = nil) -> RequestRecord {
        RequestRecord(
            requestID: "r", endpoint: "chat", method: "POST", path: "/", remoteHost: nil, key: nil, isStream: isStream, status: status,
            bytesReceived: 0, bytesSent: 0, call: call, duration: .milliseconds(300))
    }

    private static func json(_ figures: MinuteFigures) throws -> JSON {
        var writer = JSONWriter()
        figures.write(to: &writer)
        return try #require(JSON(writer.bytes))
    }
}
