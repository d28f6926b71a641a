/// Upstream responses in Gemini's wire format.
package enum GeminiReplies {
    /// One object: a complete response, or a chunk of a stream.
    ///
    /// - Parameter finish: nil for a chunk that isn't the last one.
    package static func object(_ text: String, finish: String? = "STOP") -> String {
        let end = finish.map { #","finishReason":"\#($0)""# } ?? ""
        let usage = finish == nil ? "" : #","usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8}"#
        return #"{"candidates":[{"content":{"parts":[{"text":\#(JSON.quote(text))}],"role":"model"}\#(end),"index":0}]\#(usage),"#
            + #""modelVersion":"up-model","responseId":"r1"}"#
    }

    /// The events of a complete stream, with their blank lines: a text in parts.
    package static func stream(_ texts: [String]) -> [String] {
        texts.enumerated().map { event(object($0.element, finish: $0.offset == texts.count - 1 ? "STOP" : nil)) }
    }

    /// Google ends lines with CRLF.
    package static func event(_ json: String) -> String { "data: \(json)\r\n\r\n" }

    package static func error(_ message: String, code: Int = 500, status: String = "INTERNAL") -> String {
        #"{"error":{"code":\#(code),"message":\#(JSON.quote(message)),"status":"\#(status)"}}"#
    }
}

extension RouterProcess {
    package static func contentBody(_ text: String = "Hello", extra: String = "") -> String {
        #"{"contents":[{"role":"user","parts":[{"text":\#(JSON.quote(text))}]}]\#(extra.isEmpty ? "" : "," + extra)}"#
    }

    package func content(
        _ model: String, _ text: String = "Hello", verb: String = "generateContent", extra: String = "", fields: [String] = [],
        file: StaticString = #fileID, line: Int = #line
    ) throws -> Response {
        try call(
            "POST", "/v1beta/models/\(model):\(verb)", body: Self.contentBody(text, extra: extra), fields: fields, file: file, line: line)
    }

    /// Sends a streamed request and does not wait for the response.
    package func openContentStream(_ model: String, _ text: String = "Hello") throws -> RawClient {
        let client = try client()
        client.send(Self.request("POST", "/v1beta/models/\(model):streamGenerateContent?alt=sse", body: Self.contentBody(text)))
        return client
    }
}

extension UpstreamExchange {
    /// The text of the last content.
    package var lastContent: String { json?["contents"]?.array?.last?["parts"]?[0]?["text"]?.string ?? "" }
    package var wantsContentStream: Bool { head.target.contains(":streamGenerateContent") }
}

extension StreamedResponse {
    /// The text of a stream in Gemini's format.
    package var contentText: String { chunks.map(\.contentText).joined() }
    package var contentEnds: [String] { chunks.compactMap { $0["candidates"]?[0]?["finishReason"]?.string } }
}

extension JSON {
    package var contentText: String {
        (self["candidates"]?[0]?["content"]?["parts"]?.array ?? []).compactMap { $0["text"]?.string }.joined()
    }
}
