import Codecs
import ProviderKit
import Testing

@testable import WireFormats

@Suite("typed events become Anthropic's Messages")
struct AnthropicWriterTests {
    private func stream(_ events: [ChatEvent], _ usage: Usage? = nil) -> String {
        var writer = AnthropicEventWriter(id: "r", model: "m", inputTokens: 7)
        return String(decoding: events.flatMap { writer.frames($0) } + writer.end(usage), as: UTF8.self)
    }

    private func types(_ stream: String) -> [String] {
        stream.split(separator: "\n").filter { $0.hasPrefix("event: ") }.map { String($0.dropFirst(7)) }
    }

    @Test("a stream begins with one message_start, which estimates the prompt, and ends with message_stop")
    func envelope() {
        let stream = stream([.start(id: "chatcmpl-1", model: nil), .text("a"), .start(id: nil, model: "other"), .text("b"), .finish(.stop)])
        #expect(
            types(stream) == [
                "message_start", "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop", "message_delta",
                "message_stop",
            ])
        #expect(stream.contains(#""id":"msg_r","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null"#))
        #expect(stream.contains(#""usage":{"input_tokens":7,"#))
        #expect(!stream.contains("[DONE]"))
    }

    @Test("the final usage says how much of the prompt was cached, and the input excludes it")
    func usage() {
        let usage = Usage(promptTokens: 100, completionTokens: 5, cachedTokens: 60, cacheWriteTokens: 30)
        let stream = stream([.text("a"), .finish(.stop)], usage)
        #expect(
            stream.contains(
                #""usage":{"input_tokens":10,"cache_creation_input_tokens":30,"cache_read_input_tokens":60,"output_tokens":5}"#))
    }

    @Test("a parallel tool call waits until the first one has ended, and so does a text")
    func parallelTools() {
        let stream = stream([
            .toolCall(index: 0, id: "a", name: "f"), .toolCall(index: 1, id: "b", name: "g"), .toolArguments(index: 1, fragment: "{}"),
            .text("t"), .toolArguments(index: 0, fragment: "{\"x\":1}"), .finish(.stop),
        ])
        let starts = stream.split(separator: "\n").filter { $0.contains("content_block_start") && $0.hasPrefix("data") }
        #expect(starts.map { $0.contains("\"f\"") ? "f" : $0.contains("\"g\"") ? "g" : "text" } == ["f", "g", "text"])
        #expect(stream.contains(#""index":0,"delta":{"type":"input_json_delta","partial_json":"{\"x\":1}"}"#))
        #expect(stream.contains(#""stop_reason":"tool_use""#))
        let indices = (0...2).map { stream.split(separator: "\"index\":\($0)").count - 1 }
        #expect(indices == [3, 3, 3], "each block has a start, a delta and a stop")
    }

    @Test("a text with a source is a block of its own, streamed or not")
    func citations() {
        let events: [ChatEvent] = [
            .text("a"), .citation(ChatCitation(url: "https://u", title: "T")), .text("b"), .toolCall(index: 0, id: "t", name: "f"),
            .text("c"),
            .citation(ChatCitation(url: "https://v")), .finish(.stop),
        ]
        func citation(_ url: String, _ title: String) -> String {
            #"{"type":"web_search_result_location","url":"\#(url)","title":\#(title),"encrypted_index":"llm-router:none","cited_text":""}"#
        }
        let stream = stream(events)
        #expect(
            stream.contains(#""index":0,"delta":{"type":"citations_delta","citation":\#(citation("https://u", #""T""#))}"#), "\(stream)")
        #expect(stream.contains(#""index":1,"delta":{"type":"text_delta","text":"b"}"#))
        #expect(stream.contains(#""index":3,"delta":{"type":"citations_delta","citation":\#(citation("https://v", "null"))}"#))
        var writer = AnthropicMessageWriter(id: "r", model: "m")
        for event in events { writer.add(event) }
        let message = String(decoding: writer.message(nil), as: UTF8.self)
        #expect(
            message.contains(
                #""content":[{"type":"text","text":"a","citations":[\#(citation("https://u", #""T""#))]},{"type":"text","text":"b"}"#))
    }

    @Test("reasoning without a token gets the mark, and one with a token its maker's tag")
    func signatures() {
        let token = OpaqueToken("c2ln", .signature, .provider(tag: "0a"))
        let stream = stream([.reasoning("a"), .reasoningToken(token), .reasoning("b"), .text("c"), .finish(.stop)])
        #expect(stream.contains(#"{"type":"signature_delta","signature":"llm-router:0a:c2ln"}"#))
        #expect(stream.contains(#"{"type":"signature_delta","signature":"llm-router:none"}"#))
    }

    @Test(
        "finish reasons become stop reasons",
        arguments: [
            ([ChatEvent.finish(.stop)], "end_turn"), ([.finish(.length)], "max_tokens"), ([.finish(.contentFilter)], "refusal"),
            ([.finish(.toolCalls)], "tool_use"), ([.toolCall(index: 0, id: "a", name: "f"), .finish(.stop)], "tool_use"),
            ([.refusal("no"), .finish(.stop)], "refusal"), ([.finish(.stop, stopSequence: "END")], "stop_sequence"),
        ])
    func reasons(events: [ChatEvent], reason: String) {
        #expect(stream(events).contains(#""stop_reason":"\#(reason)""#))
        var writer = AnthropicMessageWriter(id: "r", model: "m")
        for event in events { writer.add(event) }
        #expect(String(decoding: writer.message(nil), as: UTF8.self).contains(#""stop_reason":"\#(reason)""#))
    }

    @Test(
        "arguments that are no object become one",
        arguments: [("", "{}"), (" ", "{}"), ("[1]", #"{"arguments":"[1]"}"#), ("{", #"{"arguments":"{"}"#)])
    func arguments(text: String, input: String) {
        #expect(String(decoding: ChatToolCall(id: "1", name: "f", arguments: text).argumentsObject, as: UTF8.self) == input)
    }

    @Test("an error has Anthropic's envelope, as a body and as an event")
    func errors() {
        var writer = JSONWriter()
        AnthropicMessages.writeError(type: "api_error", message: "a \"b\"", requestID: "req_1", to: &writer)
        let body = #"{"type":"error","error":{"type":"api_error","message":"a \"b\""},"request_id":"req_1"}"#
        #expect(String(decoding: writer.bytes, as: UTF8.self) == body)
        let frame = AnthropicMessages.errorFrame(type: "api_error", message: "a \"b\"", requestID: "req_1")
        #expect(String(decoding: frame, as: UTF8.self) == "event: error\ndata: \(body)\n\n")
    }

    @Test("an event that passes through without its frame gets the name of its type")
    func passedFrames() {
        #expect(
            frame(#"{"index":0,"type":"content_block_stop"}"#)
                == "event: content_block_stop\ndata: {\"index\":0,\"type\":\"content_block_stop\"}\n\n")
        #expect(frame(#"{"type":"a\nb"}"#) == "data: {\"type\":\"a\\nb\"}\n\n")
        #expect(frame("{}") == "data: {}\n\n")
    }

    private func frame(_ json: String) -> String {
        String(decoding: AnthropicMessages.frame(of: Array(json.utf8).span.bytes), as: UTF8.self)
    }
}

@Suite("opaque tokens")
struct OpaqueTokenTests {
    private let call = Call.translated(to: "m")
    private let format = AnthropicMessages.format

    @Test("a token reaches only the provider that has made it")
    func tagged() throws {
        let sent = OpaqueToken("a:b", .signature, madeFor: call).tagged
        let back = try #require(OpaqueToken(tagged: sent, .signature, in: format))
        #expect(back.value(for: call, in: format) == "a:b")
        let other = Call(operation: .chat, model: "m", isStream: false, format: format, payload: .members([]), provider: "q")
        #expect(back.value(for: other, in: format) == nil)
    }

    @Test("a token without a tag reaches only providers with the format of its request")
    func untagged() throws {
        let token = try #require(OpaqueToken(tagged: "c2ln", .signature, in: format))
        #expect(token.value(for: call, in: format) == "c2ln")
        #expect(token.value(for: call, in: OpenAIChat.format) == nil)
        #expect(token.tagged == "c2ln")
    }

    @Test("neither an empty text nor a damaged tag is a token", arguments: ["", OpaqueToken.none, "llm-router:", "llm-router:0a"])
    func none(text: String) {
        #expect(OpaqueToken(tagged: text, .signature, in: format) == nil)
    }

    @Test("a tag doesn't show the provider's name")
    func tag() {
        let secretive = Call(operation: .chat, model: "m", isStream: false, format: format, payload: .members([]), provider: "internal")
        #expect(!OpaqueToken("x", .signature, madeFor: secretive).tagged.contains("internal"))
    }
}
