/// Upstream responses in Anthropic's wire format.
package enum AnthropicReplies {
    package static func message(_ text: String) -> String {
        #"{"id":"msg_1","type":"message","role":"assistant","model":"up-model","content":[{"type":"text","text":\#(JSON.quote(text))}],"#
            + #""stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":5}}"#
    }

    /// The events of a complete stream, with their blank lines: a text in parts.
    package static func stream(_ texts: [String]) -> [String] { start + texts.map(text) + end }

    package static let start = [
        event(
            "message_start",
            #""message":{"id":"msg_1","type":"message","role":"assistant","model":"up-model","content":[],"stop_reason":null,"#
                + #""usage":{"input_tokens":3,"output_tokens":1}}"#),
        event("content_block_start", #""index":0,"content_block":{"type":"text","text":""}"#),
        event("ping"),
    ]

    package static let end = [
        event("content_block_stop", #""index":0"#),
        event("message_delta", #""delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}"#),
        event("message_stop"),
    ]

    package static func text(_ text: String) -> String {
        event("content_block_delta", #""index":0,"delta":{"type":"text_delta","text":\#(JSON.quote(text))}"#)
    }

    package static func error(_ message: String, type: String = "api_error") -> String {
        #"{"type":"error","error":{"type":\#(JSON.quote(type)),"message":\#(JSON.quote(message))},"request_id":"req_upstream"}"#
    }

    package static func event(_ type: String, _ members: String = "") -> String {
        "event: \(type)\ndata: {\"type\":\"\(type)\"\(members.isEmpty ? "" : ",")\(members)}\n\n"
    }
}

extension RouterProcess {
    /// - Parameter extra: more members of the body, as JSON without braces.
    package static func messageBody(_ model: String, _ text: String = "Hello", stream: Bool = false, extra: String = "") -> String {
        let members = (stream ? #","stream":true"# : "") + (extra.isEmpty ? "" : "," + extra)
        return #"{"model":\#(JSON.quote(model)),"max_tokens":99,"messages":[{"role":"user","content":\#(JSON.quote(text))}]\#(members)}"#
    }

    package func message(
        _ model: String, _ text: String = "Hello", extra: String = "", fields: [String] = [], file: StaticString = #fileID,
        line: Int = #line
    ) throws -> Response {
        try call("POST", "/v1/messages", body: Self.messageBody(model, text, extra: extra), fields: fields, file: file, line: line)
    }

    /// Sends a streamed Messages request and does not wait for the response.
    package func openMessageStream(_ model: String, _ text: String = "Hello") throws -> RawClient {
        let client = try client()
        client.send(Self.request("POST", "/v1/messages", body: Self.messageBody(model, text, stream: true)))
        return client
    }
}

extension StreamedResponse {
    /// The text of a stream in Anthropic's format.
    package var messageText: String { chunks.compactMap { $0["delta"]?["text"]?.string }.joined() }
    /// The types of its events, in order.
    package var eventTypes: [String] { chunks.compactMap { $0["type"]?.string } }
}
