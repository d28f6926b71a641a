import TestSupport
import Testing

/// `llm-router diff` compares two policies.
@Suite struct DiffTests {
    private static let old = """
        version: 1
        listen: 127.0.0.1:0
        providers: { demo: { plugin: demo }, other: { plugin: demo } }
        models:
          small: { provider: demo, context: 8192 }
          large: { provider: demo, supports: [image, tools] }
          hidden: { provider: demo, hidden: true }
        routes:
          auto: { try: [small], fallback: [large] }
          drawn: { try: { select: {}, order: weighted } }

        """

    private func diff(_ new: String, _ arguments: String..., files: [String: String] = [:]) throws -> RouterCommand {
        try RouterCommand(
            ["diff", "old.yaml", "new.yaml"] + arguments, files: files.merging(["old.yaml": Self.old, "new.yaml": new]) { $1 })
    }

    @Test func `equal policies exit with 0 and print nothing, even with random orders`() throws {
        let run = try diff("# another comment\n" + Self.old)
        #expect(run.exit == .code(0) && run.output.isEmpty, "\(run.output)\(run.errors)")
    }

    @Test func `it shows what a reload would log and which plans change`() throws {
        let run = try diff(
            Self.old.replacing("fallback: [large]", with: "fallback: [hidden]").replacing(
                "small: { provider: demo,", with: "small: { provider: other,"))
        #expect(run.exit == .code(1))
        #expect(run.output.contains("~ route auto: fallback large -> hidden\n"), "\(run.output)")
        #expect(run.output.contains("~ model small: provider demo -> other\n"))
        #expect(run.output.contains("auto: small, large -> small, hidden\n"))
        #expect(run.output.contains("auto with an image: large -> 400 no_model_fits\n") || run.output.contains("auto with an image: "))
        #expect(run.output.contains("small: demo/small -> other/small\n"))
        #expect(!run.output.contains("\nlarge: "))
    }

    @Test func `its lines fit the terminal, and are whole where there is none`() throws {
        let new = Self.old.replacing(
            "auto: { try: [small], fallback: [large] }", with: "auto: { try: [large, small, hidden], fallback: [] }")
        for columns in [40, nil] {
            let run = try RouterCommand(
                ["diff", "old.yaml", "new.yaml"], files: ["old.yaml": Self.old, "new.yaml": new],
                environment: columns.map { ["COLUMNS": "\($0)"] } ?? [:])
            let lines = run.output.split(separator: "\n")
            #expect(lines.allSatisfy { $0.count <= columns ?? .max } && lines.contains { $0.count > 40 } == (columns == nil), "\(lines)")
        }
    }

    @Test func `a removed name is shown with what its clients get`() throws {
        let run = try diff(Self.old.replacing("  drawn: { try: { select: {}, order: weighted } }\n", with: ""))
        #expect(run.output.contains("- route drawn\n"))
        #expect(run.output.contains("drawn: ") && run.output.contains(" -> 404 model_not_found\n"))
    }

    @Test func `sample requests come from a file, one per line`() throws {
        let requests = """
            {"model":"small","messages":[]}

            {"messages":[{"role":"user","content":"Hello"}]}
            """
        let run = try diff(
            Self.old.replacing("fallback: [large]", with: "fallback: [hidden]"), "--requests", "requests.jsonl",
            files: ["requests.jsonl": requests])
        #expect(run.exit == .code(1))
        #expect(run.output == "~ route auto: fallback large -> hidden\nrequests.jsonl:3: small, large -> small, hidden\n", "\(run.output)")
    }

    @Test func `bad usage and bad files exit with 2`() throws {
        #expect(try diff("version: 1\nroutez: {}\n").exit == .code(2))
        #expect(try RouterCommand(["diff", "old.yaml"], files: ["old.yaml": Self.old]).exit == .code(2))
        #expect(try RouterCommand(["diff", "old.yaml", "nowhere.yaml"], files: ["old.yaml": Self.old]).exit == .code(2))
        let run = try diff(Self.old, "--requests", "requests.jsonl", files: ["requests.jsonl": "{}\n{\"model\": }\n"])
        #expect(run.exit == .code(2))
        #expect(run.errors.contains("requests.jsonl:2:"))
    }
}
