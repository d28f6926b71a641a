import Codecs
import ProviderKit
import Testing

@testable import WireFormats

@Suite("requests to servers with OpenAI's chat format")
struct OpenAITranslationTests {
    private func sent(_ chat: ChatRequest, _ dialect: OpenAIDialect = OpenAIDialect(), repairs: [Repair] = []) throws -> String {
        String(decoding: try OpenAIChat.writeRequest(chat, for: .translated(to: "m", repairs: repairs), dialect), as: UTF8.self)
    }

    private func passed(_ body: String, provider: String = "p", continuation: String? = nil) throws -> String {
        let bytes = Array(body.utf8)
        let call = Call(
            operation: .chat, model: "up", isStream: false, format: OpenAIChat.format,
            payload: .members(try JSON.members(of: bytes.span.bytes)),
            continuation: continuation, provider: provider)
        let writer = OpenAIChatBody(OpenAIDialect(continuation: .prefill))
        return String(decoding: try writer.sources(for: call, body: bytes.span.bytes).joined(of: bytes), as: UTF8.self)
    }

    @Test("the reasoning of earlier turns and cache_control are left out, because most servers refuse them")
    func extensions() throws {
        let token = OpaqueToken("c2ln", .signature, madeFor: .translated(to: "m"))
        var chat = ChatRequest(messages: [
            ChatMessage(.user, [ChatPart(.text("a"), cacheControl: Array("{}".utf8))]),
            ChatMessage(.assistant, [ChatPart(.reasoning(ChatReasoningText(text: "hm", token: token))), ChatPart(.text("b"))]),
            ChatMessage(.assistant, [ChatPart(.reasoning(ChatReasoningText(text: "only")))]),
        ])
        chat.tools = [ChatTool(name: "f", cacheControl: Array("{}".utf8))]
        let plain = try sent(chat)
        #expect(!plain.contains("reasoning") && !plain.contains("cache_control"))
        #expect(plain.split(separator: #""role":"assistant""#).count == 2, "a turn that was only reasoning is left out: \(plain)")
        let repaired = try sent(chat, repairs: [.withReasoning])
        #expect(
            repaired.contains(
                #""reasoning_content":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"c2ln","index":0}]"#))
        #expect(repaired.contains(#""reasoning_content":"only""#))
        var dialect = OpenAIDialect()
        dialect.hasCacheControl = true
        #expect(try sent(chat, dialect).split(separator: "cache_control").count == 3)
    }

    @Test("a server that needs the reasoning of earlier turns gets it from its first refusal on")
    func reasoningRepair() {
        let refusal = Array(#"{"error":{"message":"The `reasoning_content` in the thinking mode must be passed back to the API."}}"#.utf8)
        let error = ProviderError(.clientError, status: 400, message: "")
        let repair = OpenAIChatBody(OpenAIDialect())
            .repair(of: .translated(to: "m"), body: [UInt8]().span.bytes, refusedWith: error, refusal: refusal.span.bytes)
        #expect(repair == .withReasoning)
        #expect(repair?.isLasting == true)
    }

    @Test("the limit of a response has the name that the server knows")
    func tokenLimit() throws {
        var chat = ChatRequest(messages: []), dialect = OpenAIDialect()
        chat.maxTokens = 5
        #expect(try sent(chat).contains(#""max_completion_tokens":5"#))
        dialect.hasOldTokenLimit = true
        #expect(try sent(chat, dialect).contains(#""max_tokens":5"#))
    }

    @Test("a user's id that OpenAI would refuse is left out", arguments: [(64, true), (65, false)])
    func user(length: Int, isSent: Bool) throws {
        var chat = ChatRequest(messages: [])
        chat.user = String(repeating: "ю", count: length)
        #expect(try sent(chat).contains("user") == isSent)
    }

    @Test("tokens that another provider has made are dropped from a request that passes through, and nothing else is")
    func foreignTokens() throws {
        let own = OpaqueToken("c2ln", .signature, madeFor: .translated(to: "m")).tagged
        func body(_ details: String) -> String { #"{"messages":[{"role":"assistant","content":"b"\#(details)}],"x": 1,"model":"up"}"# }
        func details(_ signature: String) -> String { #","reasoning_details":[{"type":"reasoning.text","signature":"\#(signature)"}]"# }
        #expect(try passed(body(details(own))) == body(details("c2ln")))
        #expect(try passed(body(details("llm-router:00000000:x"))) == body(""))
        #expect(try passed(body(details("c2ln"))) == body(details("c2ln")))
        let text = #"{"messages": [ {"content":"llm-router: a-b"} ],"model":"up"}"#
        #expect(try passed(text) == text)
        let continued = try passed(body(details(own)), continuation: "so far")
        #expect(continued.contains(#""signature":"c2ln"}]},{"role":"assistant","content":"so far"}]"#))
    }
}
