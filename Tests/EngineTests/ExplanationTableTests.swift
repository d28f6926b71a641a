import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

@Suite("an explanation's table and JSON")
struct ExplanationTableTests {
    private func table(_ explanation: Explanation) -> String { ExplanationTable(explanation, policyName: "routes.yaml").text }

    private func explained() throws -> Explanation {
        let readings = [
            "swift": ExplanationPolicy.reading(successRate: 0.98, latency: 310),
            "vast": ExplanationPolicy.reading(.open(until: ExplanationPolicy.after(12))),
        ]
        var explanation = try ExplanationPolicy.explain(
            needs: RequestNeeds(promptTokens: 12, maxTokens: 100), key: "all", down: ["wise"], seed: 3, readings: readings)
        explanation.config = "0123abcd"
        return explanation
    }

    @Test("a plan is a table with what was asked for most at its top")
    func planned() throws {
        let table = table(try explained())
        #expect(
            table == """
                responses  near/swift
                request  auto: needs nothing special; about 12 prompt tokens, at most 100 of response
                key      all
                policy   routes.yaml, digest 0123abcd
                draw     weighted: one of the possible orders, by seed 3

                  #  model       from                          why                                        state
                  1  near/wise   try                           weighted: 1 x 1 x 10 = 10 (51.3 %)         down
                  2  near/swift  try                           weighted: 3 x 0.98 x 3.23 = 9.48 (48.7 %)
                  3  near/tiny   fallback                      listed
                  4  near/swift  try                           the same model again, after 500ms
                  -  far/vast    fallback_on.context_overflow  listed                                     open for 12s
                  then 502: max_attempts is reached

                left out
                  its provider is off: FAR_KEY unset  off/gone
                  selector: tags "general & !paid"    near/twin, far/twin

                waits
                  in all        10m for at most 4 attempts; of 'try' at most 3 models
                  attempt       queue 10s, connect 10s, write 10s, first_byte 1m, first_content 2m, idle 1m; not streamed: response 5m
                  retries       1 of each model, after 500ms, doubled each time up to 30s, ± 20 %

                """)
    }

    @Test("a refusal has its words, and the candidates by the rule that each failed")
    func refused() throws {
        var explanation = try ExplanationPolicy.explain(needs: RequestNeeds(supports: [.audio]))
        explanation.config = "0123abcd"
        #expect(
            table(explanation) == """
                request  auto: needs audio; about 0 prompt tokens
                key      none given: everything may be reached
                policy   routes.yaml, digest 0123abcd

                refused  400 unfit: auto: 4

                candidates
                  it doesn't support audio            near/swift, near/wise, far/vast, near/tiny
                  its provider is off: FAR_KEY unset  off/gone
                  selector: tags "general & !paid"    near/twin, far/twin

                """)
    }

    @Test("no line is longer than 120 columns, however long the names and however many")
    func width() throws {
        let name = String(repeating: "n", count: 100)
        let models = (0..<200).map { "  \(name)\($0): { provider: p, context: \($0 % 30 + 1) }" }.joined(separator: "\n")
        let snapshot = try snapshot(
            "listen: 127.0.0.1:0\nproviders: { p: { plugin: silent } }\nmodels:\n\(models)\n  fit: { provider: p }\n")
        for needs in [RequestNeeds(), RequestNeeds(promptTokens: 29)] {
            let explanation = Explanation.of(
                PlanRequest(needs: needs), from: .open, in: snapshot, state: .fresh(seed: 1), refusal: ExplanationPolicy.words)
            let lines = table(explanation).split(separator: "\n")
            #expect(lines.allSatisfy { $0.count <= 120 }, "\(lines.filter { $0.count > 120 })")
            #expect(lines.count <= 110)
        }
    }

    @Test("the JSON has the same facts in numbers")
    func json() throws {
        let json = String(decoding: try explained().json, as: UTF8.self)
        #expect(
            json == #"""
                {"request":{"models":["auto"],"needs":[],"prompt_tokens":12,"max_tokens":100,"fields":[],"key":"all"},"config":"0123abcd","route":"auto","chosen":{"provider":"near","model_name":"swift"},"attempts":[{"provider":"near","model_name":"wise","from":"try","route":"auto","why":"weighted: 1 x 1 x 10 = 10 (51.3 %)","order":"weighted","score":10.0,"share":0.51325,"state":"down","is_retry":false,"wait_ms":0,"timeouts_ms":{"queue":10000,"connect":10000,"write":10000,"first_byte":60000,"first_content":120000,"idle":60000,"response":300000},"retry":{"retries":1,"delay_ms":500,"max_delay_ms":30000,"jitter":0.2}},{"provider":"near","model_name":"swift","from":"try","route":"auto","why":"weighted: 3 x 0.98 x 3.23 = 9.48 (48.7 %)","order":"weighted","score":9.48387,"share":0.48675,"state":"ready","is_retry":false,"wait_ms":0,"timeouts_ms":{"queue":10000,"connect":10000,"write":10000,"first_byte":60000,"first_content":120000,"idle":60000,"response":300000},"retry":{"retries":1,"delay_ms":500,"max_delay_ms":30000,"jitter":0.2}},{"provider":"near","model_name":"tiny","from":"fallback","why":"listed","order":"listed","state":"ready","is_retry":false,"wait_ms":0,"timeouts_ms":{"queue":10000,"connect":10000,"write":10000,"first_byte":60000,"first_content":120000,"idle":60000,"response":300000},"retry":{"retries":1,"delay_ms":500,"max_delay_ms":30000,"jitter":0.2}},{"provider":"near","model_name":"swift","from":"try","route":"auto","why":"the same model again","order":"weighted","score":9.48387,"share":0.48675,"state":"ready","is_retry":true,"wait_ms":500,"timeouts_ms":{"queue":10000,"connect":10000,"write":10000,"first_byte":60000,"first_content":120000,"idle":60000,"response":300000},"retry":{"retries":1,"delay_ms":500,"max_delay_ms":30000,"jitter":0.2}}],"then":{"status":502,"reason":"max_attempts is reached"},"fallback_on":[{"provider":"far","model_name":"vast","from":"fallback_on.context_overflow","why":"listed","order":"listed","state":"open","state_ends_in_ms":12000,"is_retry":false,"wait_ms":0,"timeouts_ms":{"queue":10000,"connect":10000,"write":10000,"first_byte":5000,"first_content":120000,"idle":60000,"response":300000},"retry":{"retries":0,"delay_ms":500,"max_delay_ms":30000,"jitter":0.2}}],"bounds":{"max_models":3,"max_attempts":4,"total_ms":600000},"resume":false,"seed":3,"left_out":[{"provider":"off","model_name":"gone","rule":"its provider is off: FAR_KEY unset"},{"provider":"near","model_name":"twin","rule":"selector: tags \"general & !paid\""},{"provider":"far","model_name":"twin","rule":"selector: tags \"general & !paid\""}]}
                """#)
    }

    @Test(
        "durations read as routes.yaml writes them",
        arguments: [
            (Duration.milliseconds(250), "250ms"), (.milliseconds(1500), "1500ms"), (.seconds(90), "90s"), (.seconds(600), "10m"),
            (.seconds(7200), "2h"), (.zero, "0s"),
            (.milliseconds(11_200), "12s"),
        ])
    func durations(duration: Duration, words: String) {
        #expect(duration.words == words)
    }

    @Test(
        "numbers keep three digits that count",
        arguments: [(5.0, "5"), (15.23, "15.2"), (0.98, "0.98"), (1250.4, "1250"), (0.0123, "0.012"), (3.14159, "3.14"), (0, "0")])
    func numbers(number: Double, words: String) {
        #expect(number.short == words)
    }
}
