import Codecs
import ProviderKit
import Testing

@testable import Telemetry

struct TopScreenTests {
    private let state = """
        {"config": "3f9a1c2e", "generation": 2, "started_at": 1000, "active_calls": 3, "models": [
          {"provider": "a", "model": "fine", "state": "ready", "in_flight": 2, "breaker": {"state": "closed"},
           "statistics": {"samples": 3, "success_rate": 0.999, "mean_ms": 1234.5, "mean_first_token_ms": 20.4}},
          {"provider": "b", "model": "broken", "state": "open", "in_flight": 0,
           "breaker": {"state": "open", "opened": {"class": "upstream_error", "status": 503, "message": "busy"}},
           "statistics": {"samples": 0, "success_rate": 1}}]}
        """
    private let history = """
        {"minutes": [{"requests": 0, "failed": 0, "refused": 0}, {"requests": 8, "failed": 1, "refused": 1}, {"requests": 4}],
         "hour": {"requests": 12, "fallbacks": 1, "tokens": {"input": 1500000, "cached": 5, "output": 70}, "cost_usd": 1.5,
                  "first_token_ms": {"count": 0, "p50": null}, "total_ms": {"count": 9, "p50": 312, "p95": 2040, "p99": 183000}}}
        """
    private let requests = """
        {"requests": [{"time": "2026-01-31T09:30:00.125Z", "status": 502, "requested_model": "x\\u001b[2J", "error": "all_models_failed",
                       "duration_ms": 5}]}
        """

    private func screen() throws -> TopScreen {
        func tree(_ text: String) throws -> JSONTree {
            let tree = JSONTree(Array(text.utf8).span.bytes)
            return try #require(tree)
        }
        return TopScreen(
            state: try tree(state), history: try tree(history), requests: try tree(requests), now: Timestamp(seconds: 4700, milliseconds: 0)
        )
    }

    @Test
    func `the figures of the last hour come first`() throws {
        let lines = try screen().text(columns: 120, rows: nil).split(separator: "\n").map(String.init)
        #expect(
            lines.prefix(6) == [
                "llm-router   up 1 h 1 min   policy 3f9a1c2e, number 2   3 running   01:18:20 UTC",
                "requests/min   █▄  8", "failed/min     ▂   2",
                "last hour     12 requests, 83.3 % served, 1 by a fallback",
                "first token   p50 -  p95 -  p99 -    total   p50 312 ms  p95 2.04 s  p99 3 min",
                "tokens        1500k in, 5 of them cached, 70 out    cost   $1.50",
            ])
    }

    @Test
    func `a model that can't be called comes first, with the failure that opened its breaker`() throws {
        let lines = try screen().text(columns: 120, rows: nil).split(separator: "\n").map(String.init)
        let head = try #require(lines.firstIndex { $0.hasPrefix("MODEL") })
        #expect(lines[head + 1].hasPrefix("b/broken  open ") && lines[head + 1].hasSuffix("upstream_error 503 busy"))
        #expect(lines[head + 2].hasPrefix("a/fine    ready   99.9 %        20 ms  1.23 s        2"))
    }

    @Test
    func `a name from a client can't control the terminal`() throws {
        let text = try screen().text(columns: 120, rows: nil)
        #expect(text.contains("x?[2J") && !text.unicodeScalars.contains("\u{1B}"))
    }

    @Test(arguments: [(40, 12), (80, 9), (20, 30)])
    func `it fits the terminal`(columns: Int, rows: Int) throws {
        let lines = try screen().text(columns: columns, rows: rows).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= rows && lines.allSatisfy { $0.count <= columns })
    }

    @Test
    func `a response that is not as expected leaves the screen empty, not the program dead`() throws {
        let empty = JSONTree.object([])
        let text = TopScreen(
            state: empty, history: .array([]), requests: .scalar(Array("7".utf8)), now: Timestamp(seconds: 0, milliseconds: 0)
        )
        .text(columns: 80, rows: 24)
        #expect(text.contains("no requests"))
    }
}
