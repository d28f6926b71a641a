import Codecs
import Foundation
import NIOCore
import ProviderKit
import Testing
import WireFormats

@testable import Engine
@testable import Gateway
@testable import RoutingPolicy

private func json(_ bytes: some Sequence<UInt8>, sourceLocation: SourceLocation = #_sourceLocation) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any], sourceLocation: sourceLocation)
}

@Suite("typed events become chunks in OpenAI's format")
struct OpenAIChunkWriterTests {
    @Test("only the first delta has the role, and the chunks have the provider's id and model")
    func role() throws {
        var encoder = OpenAIChunkWriter(id: "r", created: 7, model: "m")
        #expect(encoder.chunk(.start(id: "their-id", model: "their-model")) == nil)
        let first = try json(encoder.chunk(.text("Привет 🚀 \"x\"\n")) ?? [])
        #expect(first["id"] as? String == "their-id")
        #expect(first["model"] as? String == "their-model")
        #expect(first["created"] as? Int == 7)
        let delta = try self.delta(first)
        #expect(delta["role"] as? String == "assistant")
        #expect(delta["content"] as? String == "Привет 🚀 \"x\"\n")
        let second = try self.delta(json(encoder.chunk(.reasoning("hm")) ?? []))
        #expect(second["role"] == nil)
        #expect(second["reasoning_content"] as? String == "hm")
    }

    @Test("the finish reason 'stop' after tool calls becomes 'tool_calls'")
    func toolCalls() throws {
        var encoder = OpenAIChunkWriter(id: "r", created: 7, model: "m")
        let opened = try delta(json(encoder.chunk(.toolCall(index: 1, id: "call", name: "f")) ?? []))
        let call = try #require((opened["tool_calls"] as? [[String: Any]])?.first)
        #expect(call["index"] as? Int == 1)
        #expect((call["function"] as? [String: Any])?["arguments"] as? String == "")
        let end = try json(encoder.chunk(.finish(.stop)) ?? [])
        #expect(((end["choices"] as? [[String: Any]])?.first)?["finish_reason"] as? String == "tool_calls")
    }

    private func delta(_ chunk: [String: Any]) throws -> [String: Any] {
        try #require((chunk["choices"] as? [[String: Any]])?.first?["delta"] as? [String: Any])
    }
}

@Suite("non-streamed responses")
struct BufferedCompletionTests {
    @Test("events fold into one message, and a tool call without arguments gets '{}'")
    func fold() throws {
        var fold = OpenAICompletionWriter(id: "r", created: 7, model: "m")
        for event in [ChatEvent.text("a"), .text("б"), .toolCall(index: 0, id: "c", name: "f"), .finish(.stop)] { fold.add(event) }
        let response = try json(fold.completion(Usage(promptTokens: 1, completionTokens: 0)))
        let choice = try #require((response["choices"] as? [[String: Any]])?.first)
        let message = try #require(choice["message"] as? [String: Any])
        #expect(message["content"] as? String == "aб")
        #expect(choice["finish_reason"] as? String == "tool_calls")
        #expect(((message["tool_calls"] as? [[String: Any]])?.first?["function"] as? [String: Any])?["arguments"] as? String == "{}")
        #expect((response["usage"] as? [String: Any])?["completion_tokens"] as? Int == 0)
    }

    @Test(
        "a member is appended to an object, and the other bytes stay the same",
        arguments: [
            (#"{"a":1}"#, #"{"a":1,"m":2}"#), ("{}", #"{"m":2}"#), (" { } ", #" {"m":2}"#), ("{\"a\":{}\n}\n", "{\"a\":{},\"m\":2}"),
        ])
    func appending(object: String, expected: String) {
        var addition = JSONWriter()
        addition.object { $0.member("m", 2) }
        let result = BufferedCompletion.appending(addition, to: ByteBuffer(string: object))
        #expect(String(buffer: result) == expected)
    }

    @Test(
        "another router's _router member and an empty error are removed, and the other members stay",
        arguments: [
            (#"{"a":1,"_router":{"x":1},"b":2}"#, #"{"a":1,"b":2}"#), (#"{"_router":null}"#, "{}"),
            (#"{"a": 1 ,"_router":1}"#, #"{"a": 1 }"#), (#"{"error":{"message":""},"a":{"error":1},"_router":{}}"#, #"{"a":{"error":1}}"#),
        ])
    func withoutStrayMembers(object: String, expected: String) throws {
        let rest = BufferedCompletion.withoutStrayMembers(ByteBuffer(string: object))
        #expect(String(buffer: rest).filter { $0 != " " } == expected.filter { $0 != " " })
    }

    @Test(
        "JSON in the response's text is returned as data, and other text is not",
        arguments: [
            (#"{\"a\": [1, \"б\"]}"#, #"{"a": [1, "б"]}"#), ("no json", nil), ("", nil),
        ] as [(String, String?)])
    func data(content: String, expected: String?) {
        let object = Array(#"{"choices":[{"message":{"role":"assistant","content":"\#(content)"}}]}"#.utf8)
        let data = BufferedCompletion.data(of: object.span.bytes).map { String(decoding: $0, as: UTF8.self) }
        #expect(data == expected)
    }

    @Test("a non-streamed response becomes chunks with deltas, numbered tool calls, and usage in its own chunk")
    func chunks() throws {
        let object = Array(
            #"""
            {"id":"c","object":"chat.completion","x":1,
            "choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a"},{"id":"b"}]},
            "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1}}
            """#.utf8)
        let converted = BufferedCompletion.chunks(of: object.span.bytes)
        let chunks = try #require(converted)
        let response = try json(chunks.content)
        #expect(response["object"] as? String == "chat.completion.chunk")
        #expect(response["x"] as? Int == 1 && response["usage"] == nil)
        let choice = try #require((response["choices"] as? [[String: Any]])?.first)
        let calls = try #require((choice["delta"] as? [String: Any])?["tool_calls"] as? [[String: Any]])
        #expect(calls.map { $0["index"] as? Int } == [0, 1])
        #expect(calls.map { $0["id"] as? String } == ["a", "b"])
        let usage = try json(#require(chunks.usage))
        #expect((usage["choices"] as? [Any])?.isEmpty == true)
        #expect((usage["usage"] as? [String: Any])?["prompt_tokens"] as? Int == 1)
    }
}

@Suite("a non-streamed response in several lines")
struct ConvertedLinesTests {
    @Test("becomes chunks of one line each", arguments: ["\n", "\r\n", "\r", "\n\t"])
    func lines(lineBreak: String) throws {
        let text =
            #"{~"id": "c",~"choices": [~{"message": {~"content": "a\nb",~"tool_calls": [{~"id": "x"}]},~"logprobs": {~}}],~"usage":{~"n": 1}~}"#
        let object = Array(text.replacing("~", with: lineBreak).utf8)
        let converted = BufferedCompletion.chunks(of: object.span.bytes)
        let chunks = try #require(converted)
        for chunk in [chunks.content, try #require(chunks.usage)] { #expect(!chunk.contains { $0 == 10 || $0 == 13 }) }
        let choice = try #require((json(chunks.content)["choices"] as? [[String: Any]])?.first)
        #expect((choice["delta"] as? [String: Any])?["content"] as? String == "a\nb")
    }
}

@Suite("tool calls of a non-streamed response")
struct ConvertedToolCallTests {
    @Test(
        "each has its position as its only index, whatever the upstream sent",
        arguments: [
            (#"[{"id":"a"},{"id":"b"}]"#, ["a", "b"]), (#"[{"id":"a","index":0},{"index":0,"id":"b"}]"#, ["a", "b"]),
            (#"[{"index":7,"id":"a"},{"index":"x","id":"b","index":1}]"#, ["a", "b"]),
            (#"[{"\u0069ndex":3,"id":"a"}]"#, ["a"]), (#"[{"id":"a","function":{"name":"f","arguments":"{\"index\":9}"}}]"#, ["a"]),
        ])
    func indices(calls: String, ids: [String]) throws {
        let choice = #"{"message":{"tool_calls":\#(calls)},"finish_reason":"tool_calls"}"#
        let object = Array(#"{"choices":[\#(choice),\#(choice)]}"#.utf8)
        let converted = BufferedCompletion.chunks(of: object.span.bytes)
        let chunk = try #require(converted).content
        for choice in try #require(json(chunk)["choices"] as? [[String: Any]]) {
            let calls = try #require((choice["delta"] as? [String: Any])?["tool_calls"] as? [[String: Any]])
            #expect(calls.map { $0["id"] as? String } == ids)
            #expect(calls.map { $0["index"] as? Int } == Array(ids.indices))
        }
        let text = String(decoding: chunk, as: UTF8.self)
        #expect(text.components(separatedBy: "ndex\":").count - 1 == 2 * ids.count)
    }

    @Test("what is not an object passes unchanged", arguments: ["[null]", "[1,\"x\"]", "[]", "null", "{}"])
    func others(calls: String) throws {
        let object = Array(#"{"choices":[{"message":{"tool_calls":\#(calls)}}]}"#.utf8)
        let converted = BufferedCompletion.chunks(of: object.span.bytes)
        let chunk = String(decoding: try #require(converted).content, as: UTF8.self)
        #expect(chunk.contains(#""tool_calls":\#(calls)"#))
    }
}

@Suite("small encodings")
struct SmallEncodingTests {
    @Test("a refusal of the account is a 502 with the provider's own words, and is not worth a retry")
    func providerRejected() {
        let error = ProviderError(.providerRejected, status: 401, message: "Country, region, or territory not supported")
        let failed = FailedAttempt(
            index: 0, provider: "p", model: "m", error: error, reason: "provider_rejected", start: .zero, duration: .zero)
        let refusal = APIError(CallFailure(cause: .allFailed, status: 502, error: error), failures: [failed])
        #expect(refusal.status == 502 && refusal.shouldRetry == false)
        #expect(refusal.message.hasSuffix("Country, region, or territory not supported"))
    }

    @Test("a client can tell a content filter and a context overflow by their codes", arguments: [nil, "upstream_code"] as [String?])
    func codes(code: String?) {
        func refusal(_ failure: FailureClass) -> APIError {
            let error = ProviderError(failure, status: 400, message: "no", code: code)
            return APIError(CallFailure(cause: .upstream, status: 400, error: error), failures: [])
        }
        #expect(refusal(.contentFilter).code == code ?? "content_filter")
        #expect(refusal(.contextOverflow).code == "context_length_exceeded")
    }

    @Test(
        "a filter of the model list matches models that meet all its conditions",
        arguments: [
            ("", true), ("tags=fast", true), ("tags=fast,slow", false), ("supports=image", true), ("supports=audio", false),
            ("type=fast", true), ("type=x&tags=fast", false), ("tags=%66ast", true), ("serves=embeddings", true),
            ("serves=chat,rerank", false),
        ])
    func filters(query: String, matches: Bool) throws {
        var model = ModelDefinition(key: "m")
        model.type = "fast"
        model.tags = ["fast", "vision"]
        model.supports = [.image, .streaming]
        model.serves = [.chat, .embeddings]
        var policy = RoutingPolicy()
        policy.providers = [ProviderDefinition(name: "p", plugin: "x", unset: ["V"])]
        policy.models = [model]
        let snapshot = Snapshot.provision(policy, over: nil, at: 0)
        #expect(ModelFilter(query: query).matches(ModelEntry(model: 0, snapshot, hidesNames: false, now: .now())) == matches)
    }
}
