import TestSupport
import Testing

/// The first steps of a new user: start with the repository's routes.yaml, send requests, extend the file, make a
/// mistake.
@Suite struct FirstMinuteTests {
    /// The repository's routes.yaml, with `listen` on a free port.
    static func shipped() throws -> String {
        let lines = try Repository.read("routes.yaml").split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count { $0.hasPrefix("listen:") } == 1)
        return lines.map { $0.hasPrefix("listen:") ? "listen: 127.0.0.1:0" : String($0) }.joined(separator: "\n")
    }

    @Test func `the shipped file serves requests without any environment`() throws {
        let router = try RouterProcess(try Self.shipped())
        for model in ["demo", "auto"] {
            let response = try router.stream(model, "Привет 🚀")
            #expect(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
            #expect(response.content.contains("Привет 🚀"))
            #expect(response.isDone && response.errors.isEmpty)
            #expect(try router.chat(model, "Привет 🚀").content?.contains("Привет 🚀") == true)
        }
        let withoutModel = try router.call("POST", "/v1/chat/completions", body: #"{"messages":[{"role":"user","content":"Hello"}]}"#)
        #expect(withoutModel.content?.contains("Hello") == true)
    }

    @Test func `every listed model says whether it supports images`() throws {
        let router = try RouterProcess(try Self.shipped())
        let entries = try #require(try router.get("/models").json?["data"]?.array)
        #expect(entries.count > 3)
        for entry in entries { #expect(entry["supportsVision"]?.bool != nil, "\(entry)") }
    }

    @Test func `an added provider, model and route serve requests after a SIGHUP`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("from the new provider"))
        let text = try Self.shipped()
        let router = try RouterProcess(text)
        #expect(try router.chat("mine").status == 404)
        let extended = text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line -> [String] in
            switch line {
            case _ where line.hasPrefix("providers:"):
                [String(line), "  mine: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(upstream.port)/v1\" }"]
            case _ where line.hasPrefix("models:"): [String(line), "  my-model: { provider: mine }"]
            case _ where line.hasPrefix("routes:"): [String(line), "  mine: { try: my-model, fallback: [demo] }"]
            default: [String(line)]
            }
        }
        try router.reload(extended.joined(separator: "\n"))
        #expect(try router.chat("my-model").content == "from the new provider")
        #expect(try router.stream("mine").content == "from the new provider")
        upstream.stop()
        #expect(try router.chat("mine", "still here").content?.contains("still here") == true)
    }

    @Test func `a mistake keeps the old policy and is logged with its line and a caret`() throws {
        let text = try Self.shipped()
        let router = try RouterProcess(text)
        let digest = try router.policy()["digest"]
        let mistaken = text + "\nroutez:\n  broken: { try: demo }\n"
        let line =
            mistaken.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.hasPrefix("routez:") }.map { $0 + 1 } ?? 0
        try router.reloadRefused(mistaken)
        try router.waitForLog("routes.yaml:\(line):1")
        let lines = router.standardError.split(separator: "\n")
        let place = try #require(lines.firstIndex { $0.contains("routes.yaml:\(line):1") })
        let report = lines[place..<min(place + 4, lines.count)]
        #expect(report.contains { $0.contains("routez:") && !$0.contains("routes.yaml:") }, "\(report)")
        #expect(report.contains { $0.contains("^") }, "\(report)")
        #expect(report.contains { $0.contains("routes") })
        #expect(try router.policy()["digest"] == digest)
        // Warnings about the providers that are off don't count as errors.
        #expect(try router.policy()["errors"]?.int == 1)
        #expect(try router.chat("demo", "still here").content?.contains("still here") == true)
        try router.rewrite(text)
        router.process.hangUp()
        try eventually("the fixed file is in service") { try router.policy()["last_reload"]?.string == "ok" }
    }
}
