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

    @Test("no line is wider than the terminal", arguments: [40, 60, 80, 100, 160])
    func width(columns: Int) throws {
        let text = ExplanationTable(try explained(), policyName: "routes.yaml", width: columns).text
        #expect(text.split(separator: "\n").filter { $0.count > columns } == [])
        #expect(text.contains("near/swift"))
    }

    @Test("a plan is a table that begins with the chosen model")
    func planned() throws {
        let table = table(try explained())
        #expect(
            table == """
                chosen   near/swift
                request  auto: text only; about 12 prompt tokens, at most 100 completion tokens
                key      all
                policy   routes.yaml, digest 0123abcd
                draw     weighted: order drawn with seed 3; '--seed N' draws another

                  #  model       from                          why                                        state
                  1  near/wise   try                           weighted: 1 x 1 x 10 = 10 (51.3 %)         down
                  2  near/swift  try                           weighted: 3 x 0.98 x 3.23 = 9.48 (48.7 %)
                  3  near/tiny   fallback                      listed
                  4  near/swift  try                           retry, after 500ms
                  -  far/vast    fallback_on.context_overflow  listed                                     open for 12s
                  then 502: max_attempts is reached

                left out
                  provider off: FAR_KEY is unset    off/gone
                  selector: tags "general & !paid"  near/twin, far/twin

                waits
                  total         10m for at most 4 attempts and at most 3 models of 'try'
                  attempt       queue 10s, connect 10s, write 10s, first_byte 1m, first_content 2m, idle 1m; non-streamed: response 5m
                  retries       1 per model, after 500ms, doubled each time up to 30s, ± 20 %

                """)
    }

    @Test("a refusal has its message, and the candidates grouped by the rule that excludes them")
    func refused() throws {
        var explanation = try ExplanationPolicy.explain(needs: RequestNeeds(supports: [.audio]))
        explanation.config = "0123abcd"
        #expect(
            table(explanation) == """
                request  auto: needs audio; about 0 prompt tokens
                key      none given: every model is allowed
                policy   routes.yaml, digest 0123abcd

                refused  400 unfit: auto: 4

                candidates
                  does not support audio            near/swift, near/wise, far/vast, near/tiny
                  provider off: FAR_KEY is unset    off/gone
                  selector: tags "general & !paid"  near/twin, far/twin

                """)
    }

    @Test("no line is longer than 120 columns, even with many long names")
    func width() throws {
        let name = String(repeating: "n", count: 100)
        let models = (0..<200).map { "  \(name)\($0): { provider: p, context: \($0 % 30 + 1) }" }.joined(separator: "\n")
        let snapshot = try snapshot(
            "listen: 127.0.0.1:0\nproviders: { p: { plugin: silent } }\nmodels:\n\(models)\n  fit: { provider: p }\n")
        for needs in [RequestNeeds(), RequestNeeds(promptTokens: 29)] {
            let explanation = Explanation.of(
                PlanRequest(needs: needs), key: .noneDefined, in: snapshot, state: .fresh(seed: 1), refusal: ExplanationPolicy.refusal)
            let lines = table(explanation).split(separator: "\n")
            #expect(lines.allSatisfy { $0.count <= 120 }, "\(lines.filter { $0.count > 120 })")
            #expect(lines.count <= 110)
        }
    }

    @Test("the JSON contains the same facts as the table")
    func json() throws {
        let json = String(decoding: try explained().json, as: UTF8.self)
        #expect(
            json == #"""
                {"request":{"operation":"chat","models":["auto"],"needs":[],"prompt_tokens":12,"max_tokens":100,"fields":[],"key":"all"},"config":"0123abcd","route":"auto","chosen":{"provider":"near","model_name":"swift"},"attempts":[{"provider":"near","model_name":"wise","from":"try","route":"auto","why":"weighted: 1 x 1 x 10 = 10 (51.3 %)","order":"weighted","score":10.0,"share":0.51325,"state":"down","is_retry":false,"wait_ms":0,"timeouts_ms":{"queue":10000,"connect":10000,"write":10000,"first_byte":60000,"first_content":120000,"idle":60000,"response":300000},"retry":{"retries":1,"delay_ms":500,"max_delay_ms":30000,"jitter":0.2}},{"provider":"near","model_name":"swift","from":"try","route":"auto","why":"weighted: 3 x 0.98 x 3.23 = 9.48 (48.7 %)","order":"weighted","score":9.48387,"share":0.48675,"state":"ready","is_retry":false,"wait_ms":0,"timeouts_ms":{"queue":10000,"connect":10000,"write":10000,"first_byte":60000,"first_content":120000,"idle":60000,"response":300000},"retry":{"retries":1,"delay_ms":500,"max_delay_ms":30000,"jitter":0.2}},{"provider":"near","model_name":"tiny","from":"fallback","why":"listed","order":"listed","state":"ready","is_retry":false,"wait_ms":0,"timeouts_ms":{"queue":10000,"connect":10000,"write":10000,"first_byte":60000,"first_content":120000,"idle":60000,"response":300000},"retry":{"retries":1,"delay_ms":500,"max_delay_ms":30000,"jitter":0.2}},{"provider":"near","model_name":"swift","from":"try","route":"auto","why":"retry","order":"weighted","score":9.48387,"share":0.48675,"state":"ready","is_retry":true,"wait_ms":500,"timeouts_ms":{"queue":10000,"connect":10000,"write":10000,"first_byte":60000,"first_content":120000,"idle":60000,"response":300000},"retry":{"retries":1,"delay_ms":500,"max_delay_ms":30000,"jitter":0.2}}],"then":{"status":502,"reason":"max_attempts is reached"},"fallback_on":[{"provider":"far","model_name":"vast","from":"fallback_on.context_overflow","why":"listed","order":"listed","state":"open","state_ends_in_ms":12000,"is_retry":false,"wait_ms":0,"timeouts_ms":{"queue":10000,"connect":10000,"write":10000,"first_byte":5000,"first_content":120000,"idle":60000,"response":300000},"retry":{"retries":0,"delay_ms":500,"max_delay_ms":30000,"jitter":0.2}}],"bounds":{"max_models":3,"max_attempts":4,"total_ms":600000},"resume":false,"seed":3,"left_out":[{"provider":"off","model_name":"gone","rule":"provider off: FAR_KEY is unset"},{"provider":"near","model_name":"twin","rule":"selector: tags \"general & !paid\""},{"provider":"far","model_name":"twin","rule":"selector: tags \"general & !paid\""}]}
                """#)
    }

    @Test(
        "durations are written as in routes.yaml",
        arguments: [
            (Duration.milliseconds(250), "250ms"), (.milliseconds(1500), "1500ms"), (.seconds(90), "90s"), (.seconds(600), "10m"),
            (.seconds(7200), "2h"), (.zero, "0s"),
            (.milliseconds(11_200), "12s"),
        ])
    func durations(duration: Duration, text: String) {
        #expect(duration.rounded == text)
    }

    @Test(
        "numbers have three significant digits",
        arguments: [(5.0, "5"), (15.23, "15.2"), (0.98, "0.98"), (1250.4, "1250"), (0.0123, "0.012"), (3.14159, "3.14"), (0, "0")])
    func numbers(number: Double, text: String) {
        #expect(number.short == text)
    }
}
