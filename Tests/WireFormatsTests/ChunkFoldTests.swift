import Codecs
import Testing

@testable import WireFormats

@Suite("the chunks of a stream as one response")
struct ChunkFoldTests {
    private func fold(_ chunks: String...) -> String {
        var fold = ChunkFold()
        for chunk in chunks {
            let bytes = Array(chunk.utf8)
            fold.add(bytes.span.bytes)
        }
        return String(decoding: fold.completion, as: UTF8.self)
    }

    @Test("texts are joined, and the members of the chunks are kept")
    func texts() {
        #expect(
            fold(
                #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","x":{"y":[1]},"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
                #"{"id":"c","choices":[{"index":0,"delta":{"content":"a\"\ud83d","reasoning":"r1"},"finish_reason":null}]}"#,
                #"{"id":"c","choices":[{"index":0,"delta":{"content":"\ude00\n","reasoning":"r2"},"finish_reason":null}],"usage":null}"#,
                #"{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"length"}],"obfuscation":"zz","_router":{}}"#,
                #"{"id":"c","choices":[],"usage":{"total_tokens":3}}"#)
                == #"{"object":"chat.completion","id":"c","created":1,"model":"m","x":{"y":[1]},"choices":[{"index":0,"message":{"role":"assistant","content":"a\"\ud83d\ude00\n","reasoning":"r1r2"},"finish_reason":"length"}],"usage":{"total_tokens":3}}"#
        )
    }

    @Test("tool calls are matched by their index, and a repeated id or name doesn't grow")
    func tools() {
        #expect(
            fold(
                #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}]}"#,
                #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]}}]}"#,
                #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]}}]}"#,
                #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":":1}"}}]},"finish_reason":"tool_calls"}]}"#
            )
                == #"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#
        )
    }

    @Test("choices are separate, in the order of their index, and log probabilities are appended")
    func choices() {
        #expect(
            fold(
                #"{"choices":[{"index":1,"delta":{"content":"b"},"logprobs":{"content":[1]}}]}"#,
                #"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#,
                #"{"choices":[{"index":1,"delta":{"content":"b"},"logprobs":{"content":[2]},"finish_reason":"stop"}]}"#)
                == #"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"},{"index":1,"message":{"role":"assistant","content":"bb"},"logprobs":{"content":[1,2]},"finish_reason":"stop"}]}"#
        )
    }
}
