import Testing
import TestSupport

/// A stream that broke after its first content goes on at another model, where the route says so.
@Suite struct ResumptionTests {
    private static let breaking: ScriptedUpstream.Script = { exchange in
        guard exchange.wantsStream else { return try ScriptedUpstream.failing(500)(exchange) }
        try exchange.startStream()
        try exchange.event(OpenAIReplies.roleChunk)
        for text in ["Once \"upon\" ", "a "] { try exchange.event(OpenAIReplies.contentChunk(text)) }
        exchange.reset()
    }

    private static func router(_ a: ScriptedUpstream, _ b: ScriptedUpstream) throws -> RouterProcess {
        var policy = PolicyText(["a": a], routes: ["  r: { try: [a, b], resume: true }", "  plain: { try: [a, b] }"])
        policy.moreProviders = ["  p-b: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(b.port)/v1\", continues: prefill }"]
        policy.moreModels = ["  b: { provider: p-b, supports: [tools] }"]
        return try RouterProcess(policy)
    }

    @Test func `it goes on where it broke, and says where`() throws {
        let (a, b) = (try ScriptedUpstream(Self.breaking), try ScriptedUpstream(ScriptedUpstream.answering("time", ".")))
        let answer = try Self.router(a, b).stream("r", "Tell me a story")
        #expect(answer.content == "Once \"upon\" a time.")
        #expect(answer.isDone && answer.errors.isEmpty && answer.doneCount == 1)
        #expect(answer.metadata?["model_name"]?.string == "b")
        #expect(answer.metadata?["resumed"]?[0]?["model_name"]?.string == "a")
        #expect(answer.metadata?["resumed"]?[0]?["text_bytes"]?.int == 14)
        let sent = try #require(b.requests.first?.json?["messages"]?.array)
        #expect(sent.last?["role"]?.string == "assistant")
        #expect(sent.last?["content"]?.string == "Once \"upon\" a ")
        #expect(sent.first?["content"]?.string == "Tell me a story")
    }

    @Test func `without the route's word, and for tools, JSON or several choices, the break is an error`() throws {
        let (a, b) = (try ScriptedUpstream(Self.breaking), try ScriptedUpstream(ScriptedUpstream.answering("never")))
        let router = try Self.router(a, b)
        var answers = [try router.stream("plain")]
        for extra in [#""n":2"#] { answers.append(try router.stream("r", extra: extra)) }
        for answer in answers {
            #expect(answer.content.hasPrefix("Once") && !answer.isDone)
            #expect(answer.errors.count == 1)
        }
        #expect(b.requests.isEmpty)
    }

    @Test func `where nobody can go on the break is an error`() throws {
        let (a, b) = (try ScriptedUpstream(Self.breaking), try ScriptedUpstream(ScriptedUpstream.failing(500)))
        let answer = try Self.router(a, b).stream("r")
        #expect(answer.content == "Once \"upon\" a " && !answer.isDone && answer.errors.count == 1)
        #expect(b.requests.count == 1)
    }
}
