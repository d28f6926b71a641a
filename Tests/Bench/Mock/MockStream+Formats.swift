extension MockStream {
    /// The stream of a format, with a chunk of text as its servers send it.
    init(_ format: StreamFormat) {
        switch format {
        case .openAI:
            self.init(
                opening: Self.chatEvent(#"{"role":"assistant","content":""}"#, finish: "null"),
                chunk: Self.chatEvent(#"{"content":""# + Self.blank + #""}"#, finish: "null"), before: "\"content\":\"",
                finish: Self.chatEvent("{}", finish: #""stop""#),
                usage: Array(
                    ("data: " + #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"#
                        + MockResponses.counts + "}\n\n").utf8),
                end: Array("data: [DONE]\n\n".utf8))
        case .responses:
            let place = #""item_id":"msg_1","output_index":0,"content_index":0"#
            let response = #""response":{"id":"resp_1","object":"response","created_at":1,"model":"m","output":[],"status":"#
            self.init(
                opening: Self.event("response.created", response + #""in_progress"}"#)
                    + Self.event(
                        "response.output_item.added",
                        #""output_index":0,"item":{"id":"msg_1","type":"message","role":"assistant","content":[]}"#)
                    + Self.event("response.content_part.added", place + #","part":{"type":"output_text","text":""}"#),
                chunk: Self.event("response.output_text.delta", place + #","delta":""# + Self.blank + #"""#), before: "\"delta\":\"",
                finish: Self.event(
                    "response.completed", response + #""completed","usage":{"input_tokens":250,"output_tokens":200,"total_tokens":450}}"#))
        case .anthropic:
            let message = #"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"#
            self.init(
                opening: Self.event("message_start", #""message":"# + message + #""usage":{"input_tokens":250,"output_tokens":1}}"#)
                    + Self.event("content_block_start", #""index":0,"content_block":{"type":"text","text":""}"#),
                chunk: Self.event(
                    "content_block_delta", #""index":0,"delta":{"type":"text_delta","text":""# + Self.blank + #""}"#),
                before: "\"text\":\"",
                finish: Self.event("content_block_stop", #""index":0"#)
                    + Self.event("message_delta", #""delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":200}"#),
                end: Self.event("message_stop", nil))
        case .gemini:
            self.init(
                opening: [], chunk: Self.contents(Self.blank, #""index":0}]"#), before: "\"text\":\"",
                finish: Self.contents(
                    "", #""finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":250,"candidatesTokenCount":200}"#))
        case .ollama:
            self.init(
                type: "application/x-ndjson", opening: [], chunk: Self.line(Self.blank, #""done":false"#), before: "\"content\":\"",
                finish: Self.line("", #""done":true,"done_reason":"stop","prompt_eval_count":250,"eval_count":200"#))
        case .bedrock:
            self.init(
                type: "application/vnd.amazon.eventstream", opening: AmazonMessage.event("messageStart", #"{"role":"assistant"}"#),
                chunk: AmazonMessage.event(
                    "contentBlockDelta", #"{"contentBlockIndex":0,"delta":{"text":""# + Self.blank + #""},"p":"abcdefgh"}"#),
                before: "\"text\":\"",
                finish: AmazonMessage.event("contentBlockStop", #"{"contentBlockIndex":0}"#)
                    + AmazonMessage.event("messageStop", #"{"stopReason":"end_turn"}"#),
                end: AmazonMessage.event(
                    "metadata", #"{"usage":{"inputTokens":250,"outputTokens":200,"totalTokens":450},"metrics":{"latencyMs":1}}"#),
                isSealed: true)
        }
    }

    private static func chatEvent(_ delta: String, finish: String) -> [UInt8] {
        let start = #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":"#
        return Array("data: \(start)\(delta),\"finish_reason\":\(finish)}]}\n\n".utf8)
    }

    private static func event(_ type: String, _ members: String?) -> [UInt8] {
        Array("event: \(type)\ndata: {\"type\":\"\(type)\"\(members.map { ",\($0)" } ?? "")}\n\n".utf8)
    }

    private static func contents(_ text: String, _ rest: String) -> [UInt8] {
        let start = #"{"candidates":[{"content":{"parts":[{"text":""# + text + #""}],"role":"model"},"#
        return Array("data: \(start)\(rest),\"modelVersion\":\"m\",\"responseId\":\"r\"}\n\n".utf8)
    }

    private static func line(_ text: String, _ rest: String) -> [UInt8] {
        let start = #"{"model":"m","created_at":"2026-11-28T12:00:00.000000Z","message":{"role":"assistant","content":""# + text + #""},"#
        return Array("\(start)\(rest)}\n".utf8)
    }
}
