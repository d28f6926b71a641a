import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine
@testable import Telemetry

/// The lines of the access log for people, and which requests get one.
struct RequestTextTests {
    private static let time = Timestamp(seconds: 1_795_246_098, milliseconds: 7)

    private static func call() -> CallRecord {
        let call = CallRecord(route: "auto", config: "0a1b2c3d")
        (call.provider, call.model, call.attempts, call.isFallback) = ("deepseek", "deepseek-chat", 2, true)
        call.errors = [
            FailedAttempt(
                index: 0, provider: "openai", model: "gpt-4o", error: ProviderError(.timeout, message: "no first byte"),
                reason: "timeout_first_byte", start: .zero, duration: .seconds(60))
        ]
        call.usage = UsageReport(usage: Usage(promptTokens: 1200, completionTokens: 350), source: .estimated)
        (call.cost, call.firstContentTime, call.queueTime) = (0.00123, .milliseconds(60_800), .microseconds(1250))
        return call
    }

    @Test
    func `a line has columns, and then everything else`() {
        let record = RequestRecord(
            requestID: "req-1", endpoint: "chat", method: "POST", path: "/v1/chat/completions", remoteHost: "::1", key: "team",
            keyLabels: [("cost center", "a b")], requestedModel: "auto", isStream: true, status: 200, bytesReceived: 1, bytesSent: 2,
            call: Self.call(), skippedNames: ["x"], duration: .milliseconds(61_250))
        #expect(
            record.text(at: Self.time, hasColors: false)
                == "2026-11-21T07:28:18.007Z  200     61.3s  chat          deepseek/deepseek-chat        route=auto  stream  attempts=2"
                + "  fallback  queue=1.3ms  first_content=60.8s  tokens=~1200+350  cost=$0.00123"
                + "  failed=\"openai/gpt-4o: timeout_first_byte after 60s: no first byte\"  skipped=\"x: unknown or not allowed\""
                + "  key=team  cost center=\"a b\"  id=req-1")
    }

    @Test
    func `a request without a call shows what was asked for, with nothing that a terminal would obey`() {
        let record = RequestRecord(
            requestID: "r\u{1B}[2J", endpoint: "other", method: "GET", path: "/a\n\u{202E}b", remoteHost: nil, key: nil, status: 404,
            bytesReceived: 0, bytesSent: 0, error: "unknown_endpoint", message: "no \"x\"", duration: .microseconds(340))
        #expect(
            record.text(at: Self.time, hasColors: false)
                == #"2026-11-21T07:28:18.007Z  404     0.3ms  other         GET /a\n\u{202e}b           "#
                + #"  error=unknown_endpoint  message="no \"x\""  id=r\u{1b}[2J"#)
    }

    @Test
    func `colours add nothing else`() {
        let record = RequestRecord(
            requestID: "req-1", endpoint: "chat", method: "POST", path: "/", remoteHost: nil, key: nil, requestedModel: "auto", status: 200,
            bytesReceived: 1, bytesSent: 2, call: Self.call(), duration: .seconds(1))
        let colored = record.text(at: Self.time, hasColors: true)
        #expect(colored.contains("\u{1B}[32m200\u{1B}[0m"))
        #expect(colored.replacing(/\u{1B}\[[0-9]+m/, with: "") == record.text(at: Self.time, hasColors: false))
    }

    private static func record(_ status: Int, _ duration: Duration, error: String? = nil) -> RequestRecord {
        RequestRecord(
            requestID: "r", endpoint: "chat", method: nil, path: nil, remoteHost: nil, key: nil, status: status, bytesReceived: 0,
            bytesSent: 0, error: error, duration: duration)
    }

    private static func target(_ change: (inout AccessLogSettings) -> Void, isTerminal: Bool = false) throws -> AccessLog.Target {
        var settings = AccessLogSettings()
        change(&settings)
        return try AccessLog(settings, output: .init(isTerminal: isTerminal, hasColors: isTerminal)).current
    }

    @Test
    func `failed and slow requests are always logged, and of the others a share`() throws {
        var random = SplitMix64(seed: 7)
        let none = try Self.target { $0.sample = 0 }, half = try Self.target { $0.sample = 0.5 }, all = try Self.target { _ in }
        #expect(none.takes(Self.record(404, .zero), using: &random) && none.takes(Self.record(200, .seconds(5)), using: &random))
        #expect(none.takes(Self.record(200, .zero, error: "reset"), using: &random))
        #expect(!none.takes(Self.record(200, .milliseconds(4999)), using: &random))
        #expect(all.takes(Self.record(200, .zero), using: &random))
        #expect((400...600).contains((0..<1000).count { _ in half.takes(Self.record(200, .zero), using: &random) }))
    }

    @Test
    func `a terminal gets text with colours, unless the policy wants JSON or a file`() throws {
        #expect(try Self.target({ _ in }, isTerminal: true).hasColors)
        #expect(try !Self.target { _ in }.isText)
        #expect(try !Self.target({ $0.format = .json }, isTerminal: true).isText)
        let file = try Self.target({ ($0.format, $0.file) = (.text, "/dev/null") }, isTerminal: true)
        #expect(file.isText && !file.hasColors)
    }
}
