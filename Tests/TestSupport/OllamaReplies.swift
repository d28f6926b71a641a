/// Upstream responses in Ollama's wire format.
package enum OllamaReplies {
    package static func message(_ text: String) -> String {
        #"{"model":"up-model","created_at":"2026-11-28T12:00:00.123456789Z","message":{"role":"assistant","content":\#(JSON.quote(text))},"#
            + #""done":true,"done_reason":"stop","total_duration":9,"prompt_eval_count":3,"eval_count":5}"#
    }

    /// The lines of a complete stream.
    package static func stream(_ texts: [String]) -> [String] { texts.map(line) + [end] }

    package static func line(_ text: String) -> String {
        #"{"model":"up-model","created_at":"2026-11-28T12:00:00.123456789Z","message":{"role":"assistant","content":\#(JSON.quote(text))},"#
            + "\"done\":false}\n"
    }

    package static let end = message("") + "\n"

    package static func error(_ message: String) -> String { #"{"error":\#(JSON.quote(message))}"# }
}

extension UpstreamExchange {
    package func startLines() throws {
        try send("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
    }
}

extension RouterProcess {
    /// - Parameter extra: more members of the body, as JSON without braces.
    package func ollamaChat(
        _ model: String, _ text: String = "Hello", extra: String = "", fields: [String] = [], file: StaticString = #fileID,
        line: Int = #line
    ) throws -> Response {
        let body = Self.chatBody(model, text, extra: #""stream":false"# + (extra.isEmpty ? "" : "," + extra))
        return try call("POST", "/api/chat", body: body, fields: fields, file: file, line: line)
    }

    /// Sends a request to chat that is streamed, as it is if it doesn't say so, and does not wait for the response.
    package func openOllamaStream(_ model: String, _ text: String = "Hello") throws -> RawClient {
        let client = try client()
        client.send(Self.request("POST", "/api/chat", body: Self.chatBody(model, text)))
        return client
    }
}

/// A response as lines of JSON, read to the proper end of its body.
package struct LinesResponse: Sendable {
    package let head: HTTPHead
    package let text: String

    package var status: Int { head.status }
    package var lines: [JSON] { text.split(separator: "\n").compactMap { JSON(Array($0.utf8)) } }
    package var content: String { lines.compactMap { $0["message"]?["content"]?.string }.joined() }
    package var errors: [String] { lines.compactMap { $0["error"]?.string } }
    package var ends: Int { lines.count { $0["done"]?.bool == true } }
    /// Whether each line is one object and ends with a line feed, and none is blank.
    package var isWellFormed: Bool {
        text.hasSuffix("\n") && !text.contains("\n\n")
            && lines.count == text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
    }
}

extension RawClient {
    package func readLines(
        within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws -> LinesResponse {
        let response = try readResponse(within: limit, file: file, line: line)
        return LinesResponse(head: response.head, text: response.text)
    }
}
