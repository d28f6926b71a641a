import ProviderConformance
import ProviderKit

/// What servers with OpenAI's chat format send, for the conformance suite.
///
/// Sources: OpenAI's API reference, "Chat completions", "Streaming events"; DeepSeek's API reference
/// (`reasoning_content`); vLLM's and Gemini's servers, whose tool calls come whole.
extension OpenAIPluginTests {
    static var requests: [ProviderConformance.Request] {
        [
            .body(#"{"messages":[]}"#),
            .body(#"{"model":"auto","messages":[{"role":"user","content":"Привет 🚀"}],"stream":true,"x":1e999}"#),
            .chat(ChatRequest(messages: [ChatMessage(.system, "Be kind."), ChatMessage(.user, "Привет 🚀")])),
        ]
    }

    static let failureEvents = [
        "data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n", "event: error\ndata: {\"message\":\"overloaded\"}\n\n",
        "data: {\"message\":\"overloaded\",\"code\":503}\n\n", "error: {\"message\":\"overloaded\"}\n\n",
    ]

    static var recorded: [ProviderConformance.RecordedResponse] {
        let usage = Usage(promptTokens: 3, completionTokens: 2)
        return [
            .init(
                "a stream", isStream: true, head: .eventStream, bytes: Array(stream.utf8),
                content: .init(text: "Привет 🚀", finish: .stop, usage: usage)),
            .init(
                "a stream with CRLF, comments and ids", isStream: true, head: .eventStream, bytes: Array(roughStream.utf8),
                content: .init(text: "a", finish: .length)),
            .init(
                "a non-streamed response", isStream: false, head: .json, bytes: Array(buffered.utf8),
                content: .init(text: "Привет", finish: .stop, usage: usage)),
            .init(
                "parallel tool calls", isStream: true, head: .eventStream, bytes: events(tools),
                content: .init(toolCalls: [("add", #"{"a":[1, 2]}"#), ("now", "{}")], finish: .toolCalls)),
            .init(
                "whole tool calls", isStream: true, head: .eventStream, bytes: events(wholeTools),
                content: .init(toolCalls: [("add", #"{"a":1}"#), ("add", #"{"a":2}"#)], finish: .toolCalls)),
            .init(
                "reasoning", isStream: true, head: .eventStream, bytes: events(reasoning),
                content: .init(text: "Four.", reasoning: "2 and 2", finish: .stop, usage: reasoningUsage)),
            .init(
                "a refusal", isStream: true, head: .eventStream, bytes: events(refusal), content: .init(isFiltered: true, finish: .stop)),
            .init(
                "a filtered response", isStream: false, head: .json, bytes: Array(filtered.utf8),
                content: .init(text: "I", isFiltered: true, finish: .contentFilter)),
        ]
    }

    private static func events(_ choices: [String]) -> [UInt8] {
        Array(
            (choices.map { #"data: {"id":"c","object":"chat.completion.chunk","choices":["# + $0 + "]}\n\n" }.joined() + "data: [DONE]\n\n")
                .utf8)
    }

    private static let tools = [
        #"{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"add","arguments":""}}]}}"#,
        #"{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}}"#,
        #"{"index":0,"delta":{"content":"","tool_calls":[{"index":0,"function":{"arguments":" [1, 2]}"}}]}}"#,
        #"{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"now","arguments":"{}"}}]}}"#,
        #"{"index":0,"delta":{},"finish_reason":"tool_calls"}"#,
    ]

    private static let wholeTools = [
        #"{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"add","arguments":"{\"a\":1}"}},{"index":1,"id":"call_2","type":"function","function":{"name":"add","arguments":"{\"a\":2}"}}]}}"#,
        #"{"index":0,"delta":{},"finish_reason":"tool_calls"}"#,
    ]

    private static let reasoning = [
        #"{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"2 and"}}"#,
        #"{"index":0,"delta":{"content":null,"reasoning_content":" 2"}}"#,
        #"{"index":0,"delta":{"content":"Four.","reasoning_content":null}}"#,
        #"{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":8,"total_tokens":17,"completion_tokens_details":{"reasoning_tokens":5},"prompt_tokens_details":{"cached_tokens":4}},"x":[0"#,
    ]

    private static let reasoningUsage = Usage(promptTokens: 9, completionTokens: 8, cachedTokens: 4, reasoningTokens: 5)

    private static let refusal = [
        #"{"index":0,"delta":{"role":"assistant","content":"","refusal":null}}"#, #"{"index":0,"delta":{"refusal":"I can't do that."}}"#,
        #"{"index":0,"delta":{},"finish_reason":"stop"}"#,
    ]

    private static let filtered =
        #"{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"I"},"finish_reason":"content_filter"}]}"#
}
