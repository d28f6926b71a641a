import Codecs
import DeepSeek
import ProviderKit
import Testing
import WireFormats

@Suite("the DeepSeek plugin")
struct DeepSeekPluginTests {
    private func provider(_ url: String? = nil) throws -> any Provider {
        var options: PluginOptions = ["api_key": "sk-1"]
        if let url { options.values.append(("base_url", .text(url))) }
        return try options.provider(of: DeepSeekPlugin.self)
    }

    private static let history =
        #""messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"assistant","content":"c","reasoning_content":"hm"},{"role":"user","content":"d"}]"#
    private static let filled = history.replacing(#""content":"b""#, with: #""content":"b","reasoning_content":" ""#)

    @Test("in thinking mode every message of the assistant has reasoning, and nothing changes otherwise")
    func thinkingMode() throws {
        let provider = try provider()
        func sent(_ more: String, model: String = "deepseek-chat", defaults: [BodyField] = [], overrides: [BodyField] = []) throws -> String
        {
            try provider.sent("{\(Self.history)\(more)}", model: model, defaults: defaults, overrides: overrides).body
        }
        let enabled = BodyField(key: "thinking", json: Array(#"{"type":"enabled"}"#.utf8))
        #expect(try sent("").contains(Self.history))
        #expect(try sent(#","thinking":{"type":"enabled"}"#).contains(Self.filled))
        #expect(try sent("", model: "deepseek-reasoner").contains(Self.filled))
        #expect(try sent(#","thinking":{"type":"disabled"}"#, model: "deepseek-reasoner").contains(Self.history))
        #expect(try sent("", defaults: [enabled]).contains(Self.filled))
        #expect(try sent(#","thinking":{"type":"disabled"}"#, overrides: [enabled]).contains(Self.filled))
    }

    @Test("a refusal for the lack of reasoning is repaired in a request that passes through, too")
    func repair() throws {
        let provider = try provider(), body = "{\(Self.history)}"
        // DeepSeek's own words. Source: litellm, `deepseek/chat/transformation.py`.
        let refusal =
            #"{"error":{"message":"The reasoning_content in the thinking mode must be passed back to the API.","type":"invalid_request_error"}}"#
        let repair = try #require(try provider.repair(body, refusedWith: refusal))
        #expect(try provider.sent(body, repairs: [repair]).body.contains(Self.filled))
    }

    @Test("a translated request turns thinking on or off, and gives the reasoning of earlier turns back")
    func translated() throws {
        var chat = ChatRequest(messages: [
            ChatMessage(.user, "a"),
            ChatMessage(.assistant, [ChatPart(.reasoning(ChatReasoningText(text: "hm"))), ChatPart(.text("b"))]), ChatMessage(.user, "c"),
        ])
        chat.maxTokens = 9
        chat.reasoning = .effort("high")
        let sent = try provider().sent(chat).body
        #expect(sent.contains(#""thinking":{"type":"enabled"},"reasoning_effort":"high""#))
        #expect(sent.contains(#""reasoning_content":"hm""#) && sent.contains(#""max_tokens":9"#))
        chat.reasoning = .effort("none")
        #expect(try provider().sent(chat).body.contains(#""thinking":{"type":"disabled"}"#))
    }

    @Test(
        "a text is continued by a prefix, below '/beta'",
        arguments: [
            (nil, "/beta/chat/completions"), ("https://api.deepseek.com/v1", "/beta/chat/completions"),
            ("https://h/x/beta", "/x/beta/chat/completions"),
        ] as [(String?, String)])
    func prefix(url: String?, target: String) throws {
        let provider = try provider(url)
        #expect(provider.canContinue)
        let sent = try provider.sent(#"{"messages":[{"role":"user","content":"a"}]}"#, model: "deepseek-reasoner", continuation: "so far")
        #expect(sent.target == target)
        #expect(sent.body.contains(#"{"role":"assistant","content":"so far","prefix":true,"reasoning_content":" "}"#))
        #expect(try (provider.sent("{}").target == target) == (url?.hasSuffix("/beta") ?? false))
        #expect(try provider.sent(#"{"prompt":"a"}"#, .completion).target == target.replacing("/chat", with: ""))
    }

    @Test("cached tokens are read, and a lack of resources is a failure")
    func responses() throws {
        let (events, usage, error) = try provider().events(Array(OpenAIFamilyTests.deepSeekStream.utf8))
        #expect(error == nil && events.contains(.reasoning("Hm.")) && events.last == .finish(.stop))
        #expect(usage?.cachedTokens == 6 && usage?.promptTokens == 10 && usage?.reasoningTokens == 4)
        let failed = OpenAIFamilyTests.deepSeekStream.replacing(
            #""finish_reason":"stop""#, with: #""finish_reason":"insufficient_system_resource""#)
        #expect(try provider().events(Array(failed.utf8)).error?.failure == .upstreamError)
    }

    @Test("an account without balance is refused, which no other model of the provider would help")
    func balance() throws {
        // Source: DeepSeek's guide "Error Codes".
        let body = Array(
            #"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#.utf8)
        #expect(try provider().failure(head: UpstreamHead(status: 402), body: body.span.bytes).failure == .providerRejected)
    }
}
