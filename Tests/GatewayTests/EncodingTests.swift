import Codecs
import Foundation
import NIOCore
import ProviderKit
import Testing

@testable import Engine
@testable import Gateway
@testable import RoutingPolicy

private func json(_ bytes: some Sequence<UInt8>, sourceLocation: SourceLocation = #_sourceLocation) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any], sourceLocation: sourceLocation)
}

@Suite("typed events as OpenAI's chunks")
struct ChunkEncoderTests {
    @Test("the role comes with the first delta, ids and model are the provider's")
    func role() throws {
        var encoder = ChunkEncoder(id: "r", created: 7, model: "m")
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

    @Test("a plain stop after tool calls is said as 'tool_calls'")
    func toolCalls() throws {
        var encoder = ChunkEncoder(id: "r", created: 7, model: "m")
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
    @Test("folded events give the same text, calls without arguments get '{}'")
    func fold() throws {
        var fold = CompletionFold(id: "r", created: 7, model: "m")
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
        "a member is added at an object's end, and nothing else changes",
        arguments: [
            (#"{"a":1}"#, #"{"a":1,"m":2}"#), ("{}", #"{"m":2}"#), (" { } ", #" {"m":2}"#), ("{\"a\":{}\n}\n", "{\"a\":{},\"m\":2}"),
        ])
    func appending(object: String, expected: String) {
        var member = JSONWriter()
        member.member("m", 2)
        let result = BufferedCompletion.appending(member, to: ByteBuffer(string: object))
        #expect(String(buffer: result) == expected)
    }

    @Test(
        "another router's member goes, all else stays as it came",
        arguments: [
            (#"{"a":1,"_router":{"x":1},"b":2}"#, #"{"a":1,"b":2}"#), (#"{"_router":null}"#, "{}"),
            (#"{"a": 1 ,"_router":1}"#, #"{"a": 1 }"#),
        ])
    func withoutRouter(object: String, expected: String) throws {
        let rest = BufferedCompletion.withoutRouter(ByteBuffer(string: object))
        #expect(String(buffer: rest).filter { $0 != " " } == expected.filter { $0 != " " })
    }

    @Test(
        "JSON in the response's text is given as data, other text isn't",
        arguments: [
            (#"{\"a\": [1, \"б\"]}"#, #"{"a": [1, "б"]}"#), ("no json", nil), ("", nil),
        ] as [(String, String?)])
    func data(content: String, expected: String?) {
        let object = Array(#"{"choices":[{"message":{"role":"assistant","content":"\#(content)"}}]}"#.utf8)
        let data = BufferedCompletion.data(of: object.span.bytes).map { String(decoding: $0, as: UTF8.self) }
        #expect(data == expected)
    }

    @Test("a non-streamed response as chunks says the same: messages are deltas, tool calls are numbered, usage stands apart")
    func chunks() throws {
        let object = Array(
            #"""
            {"id":"c","object":"chat.completion","x":1,"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a"},{"id":"b"}]},
            "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1}}
            """#.utf8)
        let made = BufferedCompletion.chunks(of: object.span.bytes)
        let chunks = try #require(made)
        let response = try json(chunks.response)
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

@Suite("small encodings")
struct SmallEncodingTests {
    @Test("an upstream's refusal of the router's key is told in the router's own words")
    func providerRejected() {
        let error = ProviderError(.providerRejected, status: 401, message: "Incorrect API key provided: sk-abc")
        let failed = FailedAttempt(provider: "p", model: "m", error: error, reason: "provider_rejected", duration: .zero)
        let shown = APIError(CallFailure(cause: .allFailed, status: 502, error: error), errors: [failed])
        #expect(shown.status == 502 && shown.shouldRetry == false)
        #expect(!shown.message.contains("sk-abc"))
    }

    @Test(
        "the list's filters",
        arguments: [
            ("", true), ("tags=fast", true), ("tags=fast,slow", false), ("supports=image", true), ("supports=audio", false),
            ("type=fast", true), ("type=x&tags=fast", false), ("tags=%66ast", true),
        ])
    func filters(query: String, keeps: Bool) throws {
        let policy = RoutingPolicy(
            listen: [], server: ServerSettings(), timeouts: Timeouts(), maxModels: 1, maxAttempts: 1,
            providers: [ProviderDefinition(name: "p", plugin: "x", settings: nil, unset: ["V"], timeouts: TimeoutOverrides())],
            models: [
                ModelDefinition(
                    key: "m", name: "m", provider: 0, upstream: "m", type: "fast", tags: ["fast", "vision"],
                    supports: [.image, .streaming], context: nil, maxOutput: nil,
                    price: nil, isHidden: false, requestDefaults: [], requestOverrides: [], timeouts: TimeoutOverrides())
            ], routes: [], keys: [], digest: "00000000")
        let snapshot = Snapshot.provision(policy, over: nil, at: 0)
        #expect(ModelFilter(query: query).keeps(ModelEntry(model: 0, snapshot)) == keeps)
    }
}
