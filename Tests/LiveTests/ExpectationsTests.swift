import TestSupport
import Testing

/// `llm-router test` and `check` run the `tests:` of a policy, as plans and live.
@Suite struct ExpectationsTests {
    private static let policy = """
        version: 1
        listen: 127.0.0.1:0
        providers:
          here: { plugin: demo }
          there: { plugin: demo }
          broken: { plugin: demo, fail: 503 }
          paid: { plugin: openai, api_key: sk-never-used, base_url: "http://127.0.0.1:9/v1" }
        models:
          first: { provider: here, tags: [free], context: 8192 }
          second: { provider: there, tags: [free], supports: [image] }
          failing: { provider: broken }
          bill: { provider: paid }
          vectors: { provider: here, serves: [embeddings] }
        routes:
          auto: { try: { select: { tags: free } }, fallback: [failing] }
          drawn: { try: { select: { tags: free }, order: weighted } }
          paid: { try: [bill] }
        keys:
          team: { secret: "key-of-the-team", models: [first, failing] }
        tests:

        """

    private static func tests(_ entries: String...) -> String { policy + entries.map { "  - { \($0) }\n" }.joined() }

    private static let holding = tests(
        "name: the first serves, expect: { chosen: first, order: [first, second] }",
        "name: images go to the second, request: { image: true }, expect: { chosen: second, never: [first, bill] }",
        "name: the next one is chosen, down: [here], expect: { chosen: second, order: [first, second] }",
        "name: one model is down, down: [there/second], request: { model: [second, auto] }, expect: { chosen: first }",
        "name: drawn from two, request: { model: drawn }, expect: { chosen: [first, second] }",
        "name: all are down, down: [here, there, broken], expect: { refused: 502 }",
        "name: an unknown model, request: { model: unknown }, expect: { refused: 404 }",
        "name: not for the team, key: team, request: { model: second }, expect: { refused: 404 }",
        "name: a model of the team, key: team, expect: { chosen: first, never: second }",
        "name: no audio, request: { audio: true }, expect: { refused: 400 }",
        "name: a stream too, request: { body: { stream: true, messages: [{ role: user, content: Hello }] } }, expect: { chosen: first }",
        "name: embeddings, operation: embeddings, request: { model: vectors }, expect: { chosen: vectors }",
        "name: no chat, request: { model: vectors }, expect: { refused: 400 }")

    private func test(_ text: String, _ arguments: String...) throws -> RouterCommand {
        try RouterCommand(["test"] + arguments + ["routes.yaml"], files: ["routes.yaml": text])
    }

    @Test func `expectations of every kind hold in plans`() throws {
        let run = try test(Self.holding)
        #expect(run.exit == .code(0), "\(run.output)\(run.errors)")
        #expect(run.output.hasPrefix("ok 1 - the first serves\nok 2 - images go to the second\n"))
        #expect(run.output.hasSuffix("13 of 13 tests passed\n"))
    }

    @Test func `expectations of every kind hold live`() throws {
        let run = try test(Self.holding, "--live")
        #expect(run.exit == .code(0), "\(run.output)\(run.errors)")
        #expect(run.output.hasSuffix("13 of 13 tests passed\n"), "\(run.output)")
    }

    @Test func `the command that explains a failing test draws the order with which it fails`() throws {
        let text = """
            version: 1
            providers: { p: { plugin: demo } }
            models:
              often: { provider: p, weight: 1000 }
              rarely: { provider: p, weight: 20 }
            routes:
              auto: { try: { select: {}, order: weighted } }
            tests:
              - { name: often, expect: { chosen: often } }
            """
        let run = try RouterCommand(["test", "routes.yaml"], files: ["routes.yaml": text])
        let seed = try #require(run.output.split(separator: "with seed ").last?.prefix { $0.isNumber })
        #expect(run.output.contains("--test often --seed \(seed)\n"), "\(run.output)")
        let explained = try RouterCommand(
            ["explain", "--policy", "routes.yaml", "--test", "often", "--seed", String(seed)], files: ["routes.yaml": text])
        #expect(explained.output.contains("p/rarely") && explained.output.contains("seed \(seed)"))
    }

    @Test(arguments: [[], ["--live"]]) func `a failing test shows what was expected, what it got, and how to see why`(
        options: [String]
    ) throws {
        let text = Self.tests(
            "name: wrong model, expect: { chosen: second }", "name: wrong order, down: [here], expect: { order: [second] }",
            "name: reached after all, down: [here], expect: { never: second }", "name: not refused, expect: { refused: 403 }",
            "name: refused after all, request: { model: unknown }, expect: { refused: 400 }")
        let run = try RouterCommand(["test"] + options + ["routes.yaml"], files: ["routes.yaml": text])
        #expect(run.exit == .code(1))
        let start = Self.policy.split(separator: "\n", omittingEmptySubsequences: false).count
        #expect(
            run.output.contains(
                "not ok 1 - wrong model\n  at        routes.yaml:\(start):5\n  expected  second to be chosen\n  got       first\n"),
            "\(run.output)")
        #expect(run.output.contains("  see why   llm-router explain "))
        for number in 2...5 { #expect(run.output.contains("not ok \(number) - "), "\(run.output)") }
        #expect(run.output.contains("  got       404 "))
        #expect(run.output.hasSuffix("0 of 5 tests passed, 5 failed\n"))
    }

    @Test func `a live test that may reach an upstream is skipped with the reason, unless --all is given`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("paid for"))
        let text = Self.tests(
            "name: costs money, request: { model: paid }, expect: { chosen: bill }",
            "name: long, request: { tokens: 9000 }, expect: { chosen: second }",
            "name: a file, operation: transcription, expect: { refused: 400 }"
        )
        .replacing("127.0.0.1:9/", with: "127.0.0.1:\(upstream.port)/")
        let run = try test(text, "--live")
        #expect(run.exit == .code(0))
        #expect(
            run.output.contains("ok 1 - costs money # SKIP the request may reach the upstream of 'paid'; add --all to send it\n"),
            "\(run.output)")
        #expect(run.output.contains("ok 2 - long # SKIP "))
        #expect(run.output.contains("ok 3 - a file # SKIP a test can't give the file that a request for transcription needs\n"))
        #expect(run.output.hasSuffix("0 of 3 tests passed, 3 skipped\n"))
        #expect(upstream.requests.isEmpty)
        let all = try test(text, "--live", "--all")
        #expect(all.output.contains("ok 1 - costs money\n"), "\(all.output)")
        #expect(upstream.requests.count == 1)
    }

    @Test func `a live test can fail although the plan holds`() throws {
        let text = Self.tests("name: it serves, request: { model: failing }, expect: { chosen: failing }")
        #expect(try test(text).exit == .code(0))
        let run = try test(text, "--live")
        #expect(run.exit == .code(1))
        #expect(run.output.contains("  got       503 "), "\(run.output)")
    }

    @Test func `check reports a failing test as an error at the test's place`() throws {
        let good = try RouterCommand(["check", "routes.yaml"], files: ["routes.yaml": Self.holding])
        #expect(good.exit == .code(0), "\(good.output)")
        #expect(good.output.contains("13 tests"))
        let bad = try RouterCommand(
            ["check", "routes.yaml"], files: ["routes.yaml": Self.tests("name: wrong, expect: { chosen: second }")])
        #expect(bad.exit == .code(1))
        let line = Self.policy.split(separator: "\n", omittingEmptySubsequences: false).count
        #expect(
            bad.output.contains("routes.yaml:\(line):5: error: test 'wrong' fails: expected second to be chosen, but got first\n"),
            "\(bad.output)")
    }

    @Test func `a file without tests, a bad file and bad usage are reported`() throws {
        #expect(try test(Self.policy.replacing("tests:\n", with: "")).output == "routes.yaml has no tests; add them under 'tests:'\n")
        #expect(try test("version: 1\nroutez: {}\n").exit == .code(1))
        #expect(try test(Self.holding, "--all").exit == .code(2))
        #expect(try test(Self.holding, "--nonsense").exit == .code(2))
    }
}
