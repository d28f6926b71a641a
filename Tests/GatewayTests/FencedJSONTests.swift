import Codecs
import NIOCore
import ProviderKit
import Testing
import WireFormats

@testable import Gateway

private func isJSON(_ object: ByteBuffer) -> Bool { BufferedCompletion.isJSON(object.readableBytesSpan) }

@Suite("JSON in the text of a model")
struct FencedJSONTests {
    @Test(
        "JSON is found with and without a code fence around it",
        arguments: [
            (#"{"a": 1}"#, #"{"a": 1}"#), ("\n [1] \n", "[1]"), ("```json\n{\"a\": 1}\n```", #"{"a": 1}"#),
            ("```\n[1,\n2]\n```\n", "[1,\n2]"), ("  ```JSON\r\n{}\r\n```  ", "{}"), ("```json {\"a\": \"```\"} ```", #"{"a": "```"}"#),
            ("~~~json5\n{}\n~~~", "{}"), ("````\n{}\n````", "{}"), ("```true```", "true"), ("```json\ntrue\n```", "true"),
            ("\"```\"", "\"```\""), ("\u{FEFF}{\"a\": 1}", #"{"a": 1}"#), ("\u{FEFF}```json\n{}\n```", "{}"),
        ])
    func found(text: String, json: String) {
        let bytes = Array(text.utf8)
        #expect(FencedJSON.range(in: bytes).map { String(decoding: bytes[$0], as: UTF8.self) } == json)
    }

    @Test(
        "any other text is not JSON",
        arguments: [
            "", " ", "```", "``````", "```json\n```", "```json\n{\"a\": 1}", "{\"a\": 1}\n```", "Here it is: {}", "```json\n{}\n``` done",
            "``{}``",
            "```json\n{}\n```\n```json\n{}\n```", "~~~\n{}\n```", "{} {}", "\u{FEFF}", "{\u{FEFF}}", "{'a': 1}",
        ])
    func notFound(text: String) {
        #expect(FencedJSON.range(in: Array(text.utf8)) == nil)
    }

    @Test("a response that a filter has stopped need not be JSON", arguments: [("content_filter", true), ("stop", false)])
    func filtered(reason: String, isAccepted: Bool) {
        let object = #"{"choices":[{"finish_reason":"\#(reason)","message":{"role":"assistant","content":"I can't."}}]}"#
        #expect(isJSON(ByteBuffer(string: object)) == isAccepted)
    }

    private func data(of object: ByteBuffer) -> String? {
        BufferedCompletion.data(of: object.readableBytesSpan).map { String(decoding: $0, as: UTF8.self) }
    }

    private func completion(_ messages: String...) -> ByteBuffer {
        let choices = messages.enumerated().map { #"{"index":\#($0),"message":{"role":"assistant",\#($1)},"finish_reason":"stop"}"# }
        return ByteBuffer(string: #"{"id": "x", "choices": [\#(choices.joined(separator: ", "))], "usage": null}"#)
    }

    @Test("the parsed data is that of the first choice, without its fence")
    func data() {
        let object = completion(#""content":"```json\n{\"a\": \"\u00e9\"}\n```""#, #""content":"{}""#)
        #expect(data(of: object) == #"{"a": "é"}"#)
        #expect(data(of: completion(#""content":"no""#)) == nil)
    }

    @Test("fences are removed from the content of each choice, and all other bytes stay")
    func removed() {
        let object = completion(
            #""content":"```json\n{\"a\": 1}\n```","x": 1"#, #""content":" {} ""#, #""content":"```\n[]\n```""#, #""content":"no""#)
        let expected = completion(#""content":"{\"a\": 1}","x": 1"#, #""content":"{}""#, #""content":"[]""#, #""content":"no""#)
        #expect(String(buffer: BufferedCompletion.withoutFences(object)) == String(buffer: expected))
    }

    @Test(
        "a response is JSON if each choice with text is; tool calls and refusals are no text",
        arguments: [
            (#""content":"{}""#, true), (#""content":"no""#, false), (#""content":"""#, false),
            (#""content":null,"tool_calls":[{"id":"1"}]"#, true),
            (#""content":"I call","tool_calls":[{"id":"1"}]"#, true), (#""content":"no","tool_calls":[]"#, false),
            (#""content":null,"refusal":"I won't"}"#.dropLast().description, true), (#""content":"no","refusal":null"#, false),
        ])
    func judged(message: String, expected: Bool) {
        #expect(isJSON(completion(message)) == expected)
        #expect(isJSON(completion(#""content":"{}""#, message)) == expected)
    }
}

@Suite("JSON in a response of typed events")
struct FoldedJSONTests {
    private func completion(_ events: ChatEvent...) -> ByteBuffer {
        ByteBuffer(bytes: events.reduce(into: OpenAICompletionWriter(id: "x", created: 1, model: "m")) { $0.add($1) }.completion(nil))
    }

    @Test("the text of all events together is judged, and its fence is removed")
    func text() {
        let fenced = completion(.text("```json\n{\"a\""), .text(": 1}\n"), .text("```"), .finish(.stop))
        #expect(isJSON(fenced))
        #expect(String(buffer: BufferedCompletion.withoutFences(fenced)).contains(#""content":"{\"a\": 1}""#))
        let prose = completion(.text("no"), .finish(.stop))
        #expect(!isJSON(prose))
        #expect(BufferedCompletion.withoutFences(prose) == prose)
    }

    @Test("a response with a tool call need not be JSON")
    func toolCall() {
        let call = completion(.text("I call"), .toolCall(index: 0, id: "1", name: "f"), .finish(.toolCalls))
        #expect(isJSON(call))
    }
}
