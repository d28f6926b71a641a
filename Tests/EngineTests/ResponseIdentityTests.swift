import NIOCore
import ProviderKit
import TestSupport
import Testing

@testable import Engine

/// What spans say of a response, read from its parts in each format that passes through.
struct ResponseIdentityTests {
    private static func identity(_ parts: [ResponsePart], of text: String = "") -> ResponseIdentity {
        var identity = ResponseIdentity()
        identity.read(parts, of: ByteBuffer(string: text))
        return identity
    }

    private static func identity(of json: [String]) -> ResponseIdentity {
        var identity = ResponseIdentity()
        for json in json { identity.read([.joined(Array(json.utf8), Signals())], of: ByteBuffer()) }
        return identity
    }

    static let responses: [(json: [String], id: String?, reasons: [String])] = [
        ([OpenAIReplies.buffered("a")], "chatcmpl-1", ["stop"]),
        ([OpenAIReplies.roleChunk, OpenAIReplies.finishChunk], "chatcmpl-1", ["stop"]),
        (
            [#"{"id":"c","choices":[{"index":1,"finish_reason":"length"}]}"#, #"{"choices":[{"index":0,"finish_reason":"stop"}]}"#],
            "c", ["stop", "length"]
        ),
        ([#"{"id":"msg_1","type":"message","content":[],"stop_reason":"end_turn"}"#], "msg_1", ["end_turn"]),
        (
            [#"{"type":"message_start","message":{"id":"msg_1","stop_reason":null}}"#, #"{"delta":{"stop_reason":"tool_use"}}"#],
            "msg_1", ["tool_use"]
        ),
        ([#"{"candidates":[{"finishReason":"MAX_TOKENS"}],"responseId":"g"}"#], "g", ["MAX_TOKENS"]),
        ([#"{"model":"m","message":{"content":""},"done":true,"done_reason":"stop"}"#], nil, ["stop"]),
        (
            [
                #"{"type":"response.created","response":{"id":"resp_1","status":"in_progress","output":[]}}"#,
                #"{"type":"response.incomplete","response":{"id":"resp_1","status":"incomplete","output":[],"incomplete_details":{"reason":"max_output_tokens"}}}"#,
            ], "resp_1", ["max_output_tokens"]
        ),
        ([#"{"id":"resp_2","status":"completed","output":[],"incomplete_details":null}"#], "resp_2", ["completed"]),
        (["[]"], nil, []),
    ]

    @Test(arguments: responses)
    func `the id and the reasons are those of the provider`(json: [String], id: String?, reasons: [String]) {
        let identity = Self.identity(of: json)
        #expect(identity.id == id && identity.finishReasons == reasons)
    }

    @Test(arguments: [
        ([#"{"id":"c","model":"gpt-4o-2024","choices":[]}"#], "gpt-4o-2024"),
        ([#"{"type":"message_start","message":{"id":"m","model":"claude-5-2026"}}"#], "claude-5-2026"),
        ([#"{"candidates":[],"modelVersion":"gemini-3-002"}"#], "gemini-3-002"),
        ([#"{"type":"response.created","response":{"id":"r","model":"o9","output":[]}}"#], "o9"),
        ([#"{"model":"one","message":{}}"#, #"{"model":"two","done":true}"#], "one"), ([#"{"id":"c","model":""}"#], nil),
        ([#"{"id":"c","model":5}"#], nil),
    ])
    func `the model is the one that the provider names first`(json: [String], model: String?) {
        #expect(Self.identity(of: json).model == model)
    }

    @Test
    func `parts are read from the bytes that they refer to, and typed ones as they are`() {
        let text = "data: {\"id\":\"x\"}\n\n"
        let chunk = PassthroughChunk(json: 6..<16, frame: nil, signals: Signals())
        #expect(Self.identity([.chunk(chunk)], of: text).id == "x")
        let typed = Self.identity([.event(.start(id: "y", model: "z")), .event(.text("a")), .event(.finish(.toolCalls))])
        #expect(typed.id == "y" && typed.model == "z" && typed.finishReasons == ["tool_calls"])
    }

    @Test
    func `a response with many choices and long reasons takes little memory`() {
        let choices = (0..<100).map { #"{"index":\#($0),"finish_reason":"\#(String(repeating: "r", count: 1000))"}"# }
        let reasons = Self.identity(of: [#"{"choices":[\#(choices.joined(separator: ","))]}"#]).finishReasons
        #expect(reasons.count == 16 && reasons.allSatisfy { $0.utf8.count == 64 })
    }
}

/// The sizes of the chunks of streams.
struct ChunkSizesTests {
    @Test(arguments: Array(ChunkSizes.bounds.enumerated()))
    func `a size belongs to the first bucket whose bound it doesn't exceed`(bucket: Int, bound: Int) {
        for (size, expected) in [(bound - 1, bucket), (bound, bucket), (bound + 1, bucket + 1)] {
            var sizes = ChunkSizes()
            sizes.add(size)
            #expect(sizes.counts.firstIndex(of: 1) == expected && sizes.sum == size)
        }
    }

    @Test
    func `the smallest and the largest sizes have a bucket`() {
        var sizes = ChunkSizes()
        for size in [0, 1, 1 << 40] { sizes.add(size) }
        #expect(sizes.counts.first == 2 && sizes.counts.last == 1 && sizes.counts.count == ChunkSizes.bounds.count + 1)
    }
}
