import Codecs
import Engine
import ProviderKit
import TestSupport
import Testing

@testable import Telemetry

/// What a chat says, in the span of its last attempt.
struct ContentAttributesTests {
    private typealias Value = TestSupport.JSON

    /// The attributes, whose values are JSON in texts.
    private static func attributes(
        _ request: ChatRequest, _ response: [ChatEvent] = [], mask: @escaping (String) -> String = { $0 }
    ) throws -> [String: Value] {
        var writer = JSONWriter()
        writer.array { ContentAttributes(mask: mask).write(ChatContent(request: request, response: response), nil, to: &$0) }
        let list = try #require(Value(writer.bytes)).array ?? []
        return try Dictionary(
            uniqueKeysWithValues: list.map { attribute in
                let text = try #require(attribute["value"]?["stringValue"]?.string)
                return (try #require(attribute["key"]?.string), try #require(Value(text)))
            })
    }

    private static func json(_ text: String) throws -> Value { try #require(Value(text)) }

    @Test
    func `messages, instructions, tools and the response have the conventions' forms`() throws {
        var request = ChatRequest(messages: [
            ChatMessage(.system, "Be brief."),
            ChatMessage(
                .user,
                [
                    ChatPart(.text("What is this?")), ChatPart(.media(ChatMedia(.image, .url("https://example/a.png")))),
                    ChatPart(.media(ChatMedia(.image, .base64("aGVsbG8=", mediaType: "image/png")))),
                ]),
            ChatMessage(
                .assistant,
                [
                    ChatPart(.reasoning(ChatReasoningText(text: "Hm."))),
                    ChatPart(.toolCall(ChatToolCall(id: "c1", name: "look", arguments: "{\"x\":1}"))),
                ]),
            ChatMessage(.tool, [ChatPart(.toolResult(ChatToolResult(callID: "c1", parts: [ChatPart(.text("a cat"))])))]),
        ])
        request.tools = [ChatTool(name: "look", description: "Looks.", parameters: Array(#"{"type":"object"}"#.utf8))]
        let found = try Self.attributes(
            request,
            [
                .start(id: "r", model: "m"), .reasoning("It "), .reasoning("purrs."), .text("A "), .text("cat."),
                .toolCall(index: 0, id: "c2", name: "feed"), .toolArguments(index: 0, fragment: "{"),
                .toolArguments(index: 0, fragment: "}"), .finish(.toolCalls),
            ])
        #expect(try found["gen_ai.system_instructions"] == Self.json(#"[{"type":"text","content":"Be brief."}]"#))
        #expect(
            try found["gen_ai.input.messages"]
                == Self.json(
                    #"[{"role":"user","parts":[{"type":"text","content":"What is this?"},"#
                        + #"{"type":"uri","modality":"image","uri":"https://example/a.png"},"#
                        + #"{"type":"blob","modality":"image","mime_type":"image/png","content":""}]},"#
                        + #"{"role":"assistant","parts":[{"type":"reasoning","content":"Hm."},"#
                        + #"{"type":"tool_call","id":"c1","name":"look","arguments":"{\"x\":1}"}]},"#
                        + #"{"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"a cat"}]}]"#))
        #expect(
            try found["gen_ai.tool.definitions"]
                == Self.json(#"[{"type":"function","name":"look","description":"Looks.","parameters":{"type":"object"}}]"#))
        #expect(
            try found["gen_ai.output.messages"]
                == Self.json(
                    #"[{"role":"assistant","parts":[{"type":"reasoning","content":"It purrs."},{"type":"text","content":"A cat."},"#
                        + #"{"type":"tool_call","id":"c2","name":"feed","arguments":"{}"}],"finish_reason":"tool_calls"}]"#))
    }

    @Test
    func `a response that was cut off has the reason 'error', and one that never came isn't there`() throws {
        let request = ChatRequest(messages: [ChatMessage(.user, "Hello")])
        #expect(try Self.attributes(request, [.text("Hi")])["gen_ai.output.messages"]?[0]?["finish_reason"]?.string == "error")
        #expect(try Self.attributes(request).keys.sorted() == ["gen_ai.input.messages"])
    }

    @Test
    func `each text is masked, and of a long conversation the end remains, in order`() throws {
        let text = String(repeating: "x", count: 10 << 10)
        let messages = (0..<20).map { ChatMessage(.user, "hidden \($0) \(text)") }
        let found = try Self.attributes(ChatRequest(messages: messages)) { $0.replacing("hidden", with: "<secret>") }
        let texts = (found["gen_ai.input.messages"]?.array ?? []).compactMap { $0["parts"]?[0]?["content"]?.string }
        #expect(texts.map { $0.prefix(11) } == (14..<20).map { "<secret> \($0)" })
    }

    @Test
    func `a message that alone exceeds the bound is there, as far as the mask reads it`() throws {
        let request = ChatRequest(messages: [ChatMessage(.user, String(repeating: "x", count: 1 << 20))])
        let found = try Self.attributes(request) { String($0.prefix(100)) }
        #expect(found["gen_ai.input.messages"]?[0]?["parts"]?[0]?["content"]?.string?.count == 100)
    }
}
