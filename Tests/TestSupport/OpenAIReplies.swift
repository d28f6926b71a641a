/// Upstream responses in OpenAI's wire format.
package enum OpenAIReplies {
    package static let doneEvent = "[DONE]"

    package static func buffered(_ content: String, model: String = "up-model", usage: String? = usage) -> String {
        #"{"id":"chatcmpl-1","object":"chat.completion","created":1766000000,"model":"\#(model)","choices":[{"index":0,"message":"#
            + #"{"role":"assistant","content":\#(JSON.quote(content))},"finish_reason":"stop"}]"#
            + (usage.map { #","usage":\#($0)}"# } ?? "}")
    }

    package static let usage = #"{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}"#

    package static let roleChunk = chunk(#"{"role":"assistant","content":""}"#)
    package static let finishChunk = chunk("{}", finish: "stop")

    package static func contentChunk(_ text: String) -> String { chunk(#"{"content":\#(JSON.quote(text))}"#) }

    package static func chunk(_ delta: String, finish: String? = nil) -> String {
        chunk(choices: #"{"index":0,"delta":\#(delta),"finish_reason":\#(finish.map(JSON.quote) ?? "null")}"#) + "}"
    }

    package static func usageChunk(_ usage: String = usage) -> String {
        chunk(choices: "") + #","usage":\#(usage)}"#
    }

    private static func chunk(choices: String) -> String {
        #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1766000000,"model":"up-model","choices":[\#(choices)]"#
    }

    package static func error(_ message: String, type: String = "server_error", code: String = "null") -> String {
        #"{"error":{"message":\#(JSON.quote(message)),"type":\#(JSON.quote(type)),"param":null,"code":\#(code)}}"#
    }
}

extension UpstreamExchange {
    package func respond(_ status: Int, _ body: String, type: String = "application/json", fields: [String] = []) throws {
        let head = ["HTTP/1.1 \(status) Whatever", "Content-Type: \(type)", "Content-Length: \(body.utf8.count)"] + fields
        try send(head.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    package func startStream(fields: [String] = []) throws {
        let head = ["HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked"] + fields
        try send(head.joined(separator: "\r\n") + "\r\n\r\n")
    }

    /// Sends a complete stream: the role, a chunk for each text, the finish reason, the usage if given, and `[DONE]`.
    package func stream(_ contents: [String], usage: String? = OpenAIReplies.usage) throws {
        try startStream()
        try event(OpenAIReplies.roleChunk)
        for text in contents { try event(OpenAIReplies.contentChunk(text)) }
        try event(OpenAIReplies.finishChunk)
        if let usage { try event(OpenAIReplies.usageChunk(usage)) }
        try event(OpenAIReplies.doneEvent)
        try finishChunks()
    }
}

extension ScriptedUpstream {
    /// Responds with the given contents: streamed, one chunk for each, if the request asks for it, otherwise joined.
    package static func responding(_ contents: String...) -> Script {
        { exchange in
            if exchange.wantsStream {
                try exchange.stream(contents)
            } else {
                try exchange.respond(200, OpenAIReplies.buffered(contents.joined()))
            }
        }
    }

    /// Responds with the text of the last message, so that a response to another request is noticed.
    package static let echoing: Script = { exchange in
        if exchange.wantsStream {
            try exchange.stream([exchange.prompt])
        } else {
            try exchange.respond(200, OpenAIReplies.buffered(exchange.prompt))
        }
    }

    package static func failing(_ status: Int, _ message: String = "it failed", fields: [String] = []) -> Script {
        { try $0.respond(status, OpenAIReplies.error(message), fields: fields) }
    }

    package static let silent: Script = { $0.hold() }
    package static let resetting: Script = { $0.reset() }
}
