/// A streamed chat response, read to the proper end of its body.
package struct StreamedResponse: Sendable {
    package let head: HTTPHead
    /// The body if the response is not an event stream, such as an error as JSON. Then `items` is empty.
    package let body: [UInt8]
    package let items: [EventReader.Item]

    package var status: Int { head.status }
    package var json: JSON? { JSON(body) }
    package var isStream: Bool { head["content-type"]?.hasPrefix("text/event-stream") ?? false }

    /// The data of all events, including `[DONE]`.
    package var data: [String] {
        items.compactMap { if case .data(let text) = $0 { text } else { nil } }
    }

    package var chunks: [JSON] { data.compactMap { $0 == OpenAIReplies.doneEvent ? nil : JSON($0) } }
    package var isDone: Bool { data.last == OpenAIReplies.doneEvent }
    package var doneCount: Int { data.count { $0 == OpenAIReplies.doneEvent } }
    package var errors: [JSON] { chunks.compactMap { $0["error"] } }
    package var content: String { chunks.compactMap(\.contentDelta).joined() }
    package var finishReasons: [String] { chunks.compactMap { $0["choices"]?[0]?["finish_reason"]?.string } }
    package var usageChunks: [JSON] { chunks.filter { $0["choices"]?.array?.isEmpty == true && $0["usage"] != nil } }
    package var comments: Int { items.count { if case .comment = $0 { true } else { false } } }
    package var strayFields: [String] { items.compactMap { if case .field(let text) = $0 { text } else { nil } } }

    /// The last `_router` of the stream.
    package var metadata: JSON? { chunks.last { $0["_router"] != nil }?["_router"] }
}

extension JSON {
    package var contentDelta: String? { self["choices"]?[0]?["delta"]?["content"]?.string }
}

extension RawClient {
    package func readStream(
        within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws -> StreamedResponse {
        let head = try readHead(within: limit, file: file, line: line)
        guard head["content-type"]?.hasPrefix("text/event-stream") ?? false else {
            return StreamedResponse(head: head, body: try readBody(of: head, within: limit, file: file, line: line), items: [])
        }
        return try readRest(of: head, within: limit, file: file, line: line)
    }

    /// Reads the rest of an event stream whose head, and perhaps some events, are already read.
    package func readRest(
        of head: HTTPHead, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line
    ) throws -> StreamedResponse {
        let deadline = Deadline(limit)
        var items: [EventReader.Item] = []
        while let item = try nextItem(within: deadline.remaining, file: file, line: line) { items.append(item) }
        return StreamedResponse(head: head, body: [], items: items)
    }

    /// Returns the content of the next chunk that has some. Comments and other chunks before it are discarded.
    package func nextContent(within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line) throws -> String {
        let deadline = Deadline(limit)
        while let item = try nextItem(within: deadline.remaining, file: file, line: line) {
            if case .data(let text) = item, let content = JSON(text)?.contentDelta, !content.isEmpty { return content }
        }
        throw TestFailure("the stream ended before its next content", CallSite(file, line))
    }
}
