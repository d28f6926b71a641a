/// Upstream responses in the format of OpenAI's Responses.
package enum ResponsesReplies {
    package static let usage =
        #"{"input_tokens":3,"input_tokens_details":{"cached_tokens":0},"output_tokens":5,"#
        + #""output_tokens_details":{"reasoning_tokens":0},"total_tokens":8}"#

    package static func response(_ text: String?, status: String = "completed", usage: String? = usage, extra: String = "") -> String {
        let output = text.map { #"[\#(item($0, status: "completed"))]"# } ?? "[]"
        return #"{"id":"resp_up","object":"response","created_at":1766000000,"status":"\#(status)","error":null,"model":"up-model","#
            + #""output":\#(output),"usage":\#(usage ?? "null")\#(extra)}"#
    }

    private static func item(_ text: String, status: String) -> String {
        let content = status == "completed" ? #"{"type":"output_text","text":\#(JSON.quote(text)),"annotations":[]}"# : ""
        return #"{"id":"msg_up","type":"message","status":"\#(status)","role":"assistant","content":[\#(content)]}"#
    }

    /// The events of a complete stream, with their blank lines: a text in parts.
    package static func stream(_ texts: [String], usage: String? = usage) -> [String] {
        start + texts.enumerated().map { text($0.element, $0.offset + 4) } + end(texts.joined(), texts.count + 4, usage: usage)
    }

    package static let start = [
        event("response.created", 0, #""response":\#(response(nil, status: "in_progress", usage: nil))"#),
        event("response.in_progress", 1, #""response":\#(response(nil, status: "in_progress", usage: nil))"#),
        event("response.output_item.added", 2, #""output_index":0,"item":\#(item("", status: "in_progress"))"#),
        event(
            "response.content_part.added", 3,
            #""item_id":"msg_up","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}"#),
    ]

    package static func text(_ text: String, _ number: Int) -> String {
        event(
            "response.output_text.delta", number,
            #""item_id":"msg_up","output_index":0,"content_index":0,"delta":\#(JSON.quote(text)),"logprobs":[]"#)
    }

    package static func end(_ text: String, _ number: Int, usage: String? = usage) -> [String] {
        [
            event("response.output_item.done", number, #""output_index":0,"item":\#(item(text, status: "completed"))"#),
            event("response.completed", number + 1, #""response":\#(response(text, usage: usage))"#),
        ]
    }

    package static func failed(_ message: String, code: String = "server_error", _ number: Int) -> String {
        let error = #"{"code":\#(JSON.quote(code)),"message":\#(JSON.quote(message))}"#
        let response = response(nil, status: "failed", usage: nil).replacing(#""error":null"#, with: #""error":\#(error)"#)
        return event("response.failed", number, #""response":\#(response)"#)
    }

    package static func event(_ type: String, _ number: Int, _ members: String) -> String {
        "event: \(type)\ndata: {\"type\":\"\(type)\",\"sequence_number\":\(number),\(members)}\n\n"
    }
}

extension RouterProcess {
    /// - Parameters:
    ///   - model: nil: the body has none.
    ///   - extra: more members of the body, as JSON without braces.
    package static func responsesBody(_ model: String?, _ text: String = "Hello", stream: Bool = false, extra: String = "") -> String {
        let members = (stream ? #","stream":true"# : "") + (extra.isEmpty ? "" : "," + extra)
        return "{" + (model.map { #""model":\#(JSON.quote($0)),"# } ?? "") + #""input":\#(JSON.quote(text))\#(members)}"#
    }

    package func response(
        _ model: String?, _ text: String = "Hello", extra: String = "", key: String? = nil, fields: [String] = [],
        file: StaticString = #fileID, line: Int = #line
    ) throws -> Response {
        try call(
            "POST", "/v1/responses", body: Self.responsesBody(model, text, extra: extra), key: key, fields: fields, file: file, line: line)
    }

    /// Sends a streamed Responses request and does not wait for the response.
    package func openResponseStream(_ model: String, _ text: String = "Hello") throws -> RawClient {
        let client = try client()
        client.send(Self.request("POST", "/v1/responses", body: Self.responsesBody(model, text, stream: true)))
        return client
    }
}

extension StreamedResponse {
    /// The text of a stream in the format of OpenAI's Responses.
    package var responseText: String {
        chunks.filter { $0["type"]?.string == "response.output_text.delta" }.compactMap { $0["delta"]?.string }.joined()
    }

    /// Its numbers, in order.
    package var sequenceNumbers: [Int] { chunks.compactMap { $0["sequence_number"]?.int } }
}

extension UpstreamExchange {
    /// The text of a request's `input`, or of its last item.
    package var inputText: String {
        json?["input"]?.string ?? json?["input"]?.array?.last?["content"]?[0]?["text"]?.string ?? prompt
    }
}
