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

    @Test("tokens that a provider has made come back to it, and to no other one")
    func ownTokens() throws {
        let call = Call.translated(to: "m", isStream: false)
        let response =
            #"{"choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"reasoning_details":"#
            + #"[{"type":"reasoning.text","text":"t","signature":"S"},{"type":"reasoning.encrypted","data":"E=="}],"tool_calls":[{"id":"a","#
            + #""type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"G"}}}]}}]}"#
        var decoder = try OpenAIChat.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: .jsonObject)), sink = ResponseSink()
        try decoder.finish(Array(response.utf8).span.bytes, into: &sink)
        var message = AnthropicMessageWriter(id: "r", model: "m")
        for case .event(let event) in sink.parts { message.add(event) }
        let content = JSONTree(message.message(nil).span.bytes)?["content"]?.encoded ?? []
        let turn = #"{"role":"assistant","content":\#(String(decoding: content, as: UTF8.self))}"#
        let chat = try AnthropicMessages.readRequest(Array(#"{"messages":[\#(turn)]}"#.utf8).span.bytes)
        let own = try sent(chat)
        #expect(own.contains(#""signature":"S""#) && own.contains(#""data":"E==""#), "\(own)")
        #expect(own.contains(#""arguments":"{}"},"extra_content":{"google":{"thought_signature":"G"}}}]"#), "\(own)")
        let other = Call(
            operation: .chat, model: "m", isStream: false, format: WireFormat("other"), payload: .chat(chat), provider: "q")
        let foreign = String(decoding: try OpenAIChat.writeRequest(chat, for: other, OpenAIDialect()), as: UTF8.self)
        #expect(!foreign.contains("reasoning") && !foreign.contains("extra_content") && foreign.contains(#""name":"f""#), "\(foreign)")
    }

    @Test(
        "refused tokens are left out, and lost signatures of tool calls replaced, once",
        arguments: [
            (
                #"{"error":{"message":"The encrypted content E could not be verified.","code":"invalid_encrypted_content"}}"#,
                Repair.withoutTokens
            ),
            (#"{"error":{"message":"Invalid `signature` in `thinking` block"}}"#, .withoutTokens),
            (#"{"error":{"message":"Function call `f` is missing a `thought_signature` in functionCall parts."}}"#, .withPlaceholders),
            (#"{"error":{"message":"Corrupted thought signature."}}"#, .withPlaceholders),
            (#"{"error":{"message":"max_tokens is too large"}}"#, nil),
        ] as [(String, Repair?)])
    func tokenRepairs(refusal: String, expected: Repair?) throws {
        let body =
            #"{"model":"up","messages":[{"role":"assistant","reasoning_details":[{"data":"E"}],"tool_calls":[{"id":"a","extra_content":{"google":"#
            + #"{"thought_signature":"G"}}},{"id":"b"}]},{"role":"user","content":"x"}]}"#
        let bytes = Array(body.utf8), writer = OpenAIChatBody(OpenAIDialect())
        func call(_ repairs: [Repair]) throws -> Call {
            Call(
                operation: .chat, model: "up", isStream: false, format: OpenAIChat.format,
                payload: .members(try JSON.members(of: bytes.span.bytes)), repairs: repairs, provider: "p")
        }
        let error = ProviderError(.clientError, status: 400, message: "")
        let repair = writer.repair(of: try call([]), body: bytes.span.bytes, refusedWith: error, refusal: Array(refusal.utf8).span.bytes)
        #expect(repair == expected)
        guard let repair else { return }
        #expect(!repair.isLasting)
        let sent = String(
            decoding: try writer.sources(for: call([repair]), body: bytes.span.bytes).joined(of: bytes), as: UTF8.self)
        if repair == .withoutTokens {
            #expect(sent == body.replacing(#""reasoning_details":[{"data":"E"}],"#, with: ""))
        } else {
            #expect(sent == body.replacing(#""G""#, with: #""skip_thought_signature_validator""#))
        }
        let without = try JSON.members(of: Array(#"{"messages":[{"role":"user","content":"x"}]}"#.utf8).span.bytes)
        let plain = Call(operation: .chat, model: "up", isStream: false, format: OpenAIChat.format, payload: .members(without))
        #expect(
            writer.repair(
                of: plain, body: Array(#"{"messages":[{"role":"user","content":"x"}]}"#.utf8).span.bytes, refusedWith: error,
                refusal: Array(refusal.utf8).span.bytes) == nil)
    }

    @Test("the reasoning of earlier turns and cache_control are left out, because most servers refuse them")
    func extensions() throws {
        let token = OpaqueToken("c2ln", .signature, .provider(tag: "other"))
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
        #expect(repaired.contains(#""reasoning_content":"hm","content":"b""#))
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

    @Test(
        "a schema is strict only if OpenAI takes it as such",
        arguments: [
            (#"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}"#, true),
            (#"{"type":"object","properties":{"a":{"type":"integer"},"b":{}},"required":["a"],"additionalProperties":false}"#, false),
            (#"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}"#, false), (#"{"type":"object"}"#, false),
            (#"{"type":"object","properties":{"type":{"type":"string"}},"required":["type"],"additionalProperties":false}"#, true),
            (
                #"{"type":"object","properties":{"a":{"type":"array","items":{"$ref":"x"}}},"required":["a"],"#
                    + #""additionalProperties":false,"$defs":{"x":{"type":["object","null"],"properties":{"y":{}}}}}"#, false
            ),
            (
                #"{"type":"object","properties":{"a":{"anyOf":[{"type":"null"},{"type":"object","additionalProperties":false}]}},"#
                    + #""required":["a"],"additionalProperties":false}"#, true
            ), ("[]", false),
        ])
    func strictSchemas(schema: String, isStrict: Bool) throws {
        var chat = ChatRequest(messages: [])
        chat.responseFormat = .schema(name: "n", description: nil, schema: Array(schema.utf8), isStrict: true)
        #expect(try sent(chat).contains(#""strict":\#(isStrict)"#))
        chat.responseFormat = nil
        chat.tools = [ChatTool(name: "f", parameters: Array(schema.utf8), isStrict: true)]
        #expect(try sent(chat).contains(#""strict":\#(isStrict)"#))
    }

    @Test(
        "an effort that the model doesn't know becomes the nearest, or is left out",
        arguments: [
            ("gpt-4o", "none", nil), ("gpt-4.1-mini", "high", nil), ("gpt-5-chat-latest", "low", nil), ("o1-mini", "low", nil),
            ("gpt-5", "none", "minimal"), ("gpt-5-mini-2025-08-07", "max", "high"), ("openai/gpt-5", "xhigh", "high"),
            ("gpt-5-codex", "minimal", "low"), ("gpt-5-pro", "low", "high"), ("o3", "none", "low"), ("o4-mini", "max", "high"),
            ("gpt-5.1", "none", "none"), ("gpt-5.1", "minimal", "low"), ("gpt-5.1", "xhigh", "high"), ("gpt-5.1-codex-max", "max", "xhigh"),
            ("gpt-5.2", "max", "xhigh"), ("gpt-5.4-pro", "none", "medium"), ("gpt-5.2", "medium", "medium"), ("qwen3", "none", "none"),
            ("qwen3", "max", "xhigh"), ("gpt-5", "new", "new"),
        ] as [(String, String, String?)])
    func efforts(model: String, effort: String, expected: String?) throws {
        var chat = ChatRequest(messages: [])
        chat.reasoning = .effort(effort)
        let sent = String(decoding: try OpenAIChat.writeRequest(chat, for: .translated(to: model), OpenAIDialect()), as: UTF8.self)
        #expect(sent == expected.map { #"{"messages":[],"reasoning_effort":"\#($0)"}"# } ?? #"{"messages":[]}"#)
    }

    @Test("a file that Anthropic knows by its id is for another model")
    func files() throws {
        func chat(_ id: String) -> ChatRequest {
            ChatRequest(messages: [ChatMessage(.user, [ChatPart(.media(ChatMedia(.file, .id(id))))])])
        }
        #expect(try sent(chat("file-abc")).contains(#""file_id":"file-abc""#))
        let error = #expect(throws: ProviderError.self) { try sent(chat("file_011")) }
        #expect(error?.failure == .unsupported)
    }

    @Test("a choice among some tools leaves the others out, and one of another kind is for another model")
    func allowedTools() throws {
        func read(_ choice: String) throws -> ChatRequest {
            let tools = ["f", "g"].map { #"{"type":"function","function":{"name":"\#($0)"}}"# }.joined(separator: ",")
            return try OpenAIChat.readRequest(Array(#"{"messages":[],"tools":[\#(tools)],"tool_choice":\#(choice)}"#.utf8).span.bytes)
        }
        let chat = try read(
            #"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}"#)
        #expect(chat.tools.map(\.name) == ["g"] && chat.toolChoice == .required)
        #expect(try read(#"{"type":"function","function":{"name":"f"}}"#).toolChoice == .tool("f"))
        #expect(try read(#"{"type":"custom","custom":{"name":"f"}}"#).toolChoice == .tool("f"))
        let error = #expect(throws: ProviderError.self) { try read(#"{"type":"hosted","name":"f"}"#) }
        #expect(error?.failure == .unsupported)
    }

    @Test("a citation names the part of the text that it is about")
    func citations() throws {
        let message =
            #"{"id":"m","type":"message","role":"assistant","model":"x","content":[{"type":"text","text":"Да. "},"#
            + #"{"type":"text","text":"Here","citations":[{"type":"web_search_result_location","url":"https://u"}]}],"stop_reason":"end_turn"}"#
        let call = Call.translated(to: "m")
        var decoder = try AnthropicMessages.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: .jsonObject))
        var sink = ResponseSink(), writer = OpenAICompletionWriter(id: "r", created: 1, model: "m")
        try decoder.finish(Array(message.utf8).span.bytes, into: &sink)
        for case .event(let event) in sink.parts { writer.add(event) }
        let written = String(decoding: writer.completion(nil), as: UTF8.self)
        #expect(written.contains(#""url_citation":{"url":"https://u","title":"","start_index":4,"end_index":8}"#), "\(written)")
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
