import Codecs
import ProviderKit

/// Reads typed events from the events of a stream, or from a response.
///
/// Items of tools that OpenAI runs itself have no typed events, and are left out: no other format has them.
struct ResponsesEventReader {
    /// An item that has begun, by its `output_index`.
    private struct Item {
        var type: String
        /// The index of its tool call; nil for other items.
        var tool: Int?
        /// Whether it has had content. Otherwise what its end says counts.
        var hasContent = false
    }

    private let call: Call
    private var hasStarted = false
    private var responseID: String?
    private var items: [Int: Item] = [:]
    private var toolCalls = 0

    init(_ call: Call) {
        self.call = call
    }

    mutating func read(_ event: ResponsesEvent, _ bytes: RawSpan, _ response: inout ResponseSink, keepsText: Bool) {
        let place = event.outputIndex
        switch event.kind {
        case .text, .refusal, .summary, .reasoning, .arguments:
            guard let range = event.delta, range.count > 2 else { return }
            start(nil, &response)
            items[place, default: Item(type: "message")].hasContent = true
            add(event.kind, JSON.string(range, in: bytes), place, &response, keepsText)
        case .customInput: return  // the end of the item has it all, as JSON needs it
        case .summaryBegan: if event.summaryIndex > 0 { response.event(.reasoning(Self.summarySeparator)) }
        case .annotation: event.annotation.flatMap { JSONTree(bytes.extracting($0)) }.map { addCitation($0, &response) }
        case .itemBegan, .itemEnded:
            guard let item = event.item.flatMap({ JSONTree(bytes.extracting($0)) }) else { return }
            start(nil, &response)
            if items[place] == nil { begin(item, at: place, &response) }
            if event.kind == .itemEnded { end(item, at: place, &response, keepsText) }
        case .created: start(event.response.flatMap { JSONTree(bytes.extracting($0)) }, &response)
        case .completed, .incomplete:
            guard let object = event.response.flatMap({ JSONTree(bytes.extracting($0)) }) else { return finish(nil, &response) }
            read(response: object, &response, keepsText: keepsText)
        case .failed, .error, .other: return
        }
    }

    /// Reads what a complete response has beyond the events before it, and its end.
    mutating func read(response object: JSONTree, _ response: inout ResponseSink, keepsText: Bool) {
        start(object, &response)
        if items.isEmpty {
            for (place, item) in (object["output"]?.elements ?? []).enumerated() {
                begin(item, at: place, &response)
                end(item, at: place, &response, keepsText)
            }
        }
        finish(object["incomplete_details"]?["reason"]?.string, &response)
    }

    /// Between the summaries of one item, which are paragraphs.
    private static let summarySeparator = "\n\n"

    private mutating func start(_ object: JSONTree?, _ response: inout ResponseSink) {
        guard !hasStarted else { return }
        hasStarted = true
        responseID = object?["id"]?.string
        response.event(.start(id: responseID, model: object?["model"]?.string))
    }

    /// - Parameter reason: why the response is incomplete; nil if it isn't.
    private func finish(_ reason: String?, _ response: inout ResponseSink) {
        switch reason {
        case nil: response.event(.finish(toolCalls > 0 ? .toolCalls : .stop))
        case "content_filter": response.event(.finish(.contentFilter))
        default: response.event(.finish(.length))
        }
    }

    private func add(
        _ kind: ResponsesEvent.Kind, _ text: String, _ place: Int, _ response: inout ResponseSink, _ keepsText: Bool
    ) {
        switch kind {
        case .text:
            response.event(.text(text))
            if keepsText { response.keep(text: text) }
        case .refusal: response.event(.refusal(text))
        case .summary, .reasoning: response.event(.reasoning(text))
        case .arguments: if let tool = items[place]?.tool { response.event(.toolArguments(index: tool, fragment: text)) }
        default: return
        }
    }

    private func addCitation(_ annotation: JSONTree, _ response: inout ResponseSink) {
        guard let url = annotation["url"]?.string, !url.isEmpty else { return }
        response.event(.citation(ChatCitation(url: url, title: annotation["title"]?.string)))
    }

    // MARK: Items

    private mutating func begin(_ object: JSONTree, at place: Int, _ response: inout ResponseSink) {
        var item = Item(type: object["type"]?.string ?? "")
        if ["function_call", "custom_tool_call", "local_shell_call"].contains(item.type) {
            item.tool = toolCalls
            let id = [object["call_id"], object["id"]].lazy.compactMap { $0?.string }.first { !$0.isEmpty }
            response.event(
                .toolCall(index: toolCalls, id: id ?? call.toolID(toolCalls, of: responseID), name: Self.tool(object).functionName))
            toolCalls += 1
        }
        items[place] = item
    }

    private static func tool(_ object: JSONTree) -> ResponsesTool {
        if object["type"]?.string == "local_shell_call" { return .localShell }
        return ResponsesTool(.function, object["name"]?.string ?? "", namespace: object["namespace"]?.string)
    }

    /// Adds what the end of an item has and its events had not.
    private mutating func end(_ object: JSONTree, at place: Int, _ response: inout ResponseSink, _ keepsText: Bool) {
        guard let item = items[place] else { return }
        switch item.type {
        case "message": if !item.hasContent { addParts(of: object, place, &response, keepsText) }
        case "reasoning": endReasoning(object, item, place, &response, keepsText)
        case "function_call": if !item.hasContent { addArguments(object["arguments"]?.string, item, &response) }
        case "custom_tool_call": addArguments(object["input"]?.string.map(ChatTool.arguments), item, &response)
        case "local_shell_call":
            let action = object["action"]?.members?.filter { !$0.hasKey("type") && !$0.value.isNull } ?? []
            addArguments(String(decoding: JSONTree.object(action).encoded, as: UTF8.self), item, &response)
        default: return
        }
    }

    private func addParts(of object: JSONTree, _ place: Int, _ response: inout ResponseSink, _ keepsText: Bool) {
        for part in object["content"]?.elements ?? [] {
            if let text = part["text"]?.string, !text.isEmpty { add(.text, text, place, &response, keepsText) }
            if let text = part["refusal"]?.string, !text.isEmpty { add(.refusal, text, place, &response, keepsText) }
            for annotation in part["annotations"]?.elements ?? [] { addCitation(annotation, &response) }
        }
    }

    private func endReasoning(
        _ object: JSONTree, _ item: Item, _ place: Int, _ response: inout ResponseSink, _ keepsText: Bool
    ) {
        let summary = object["summary"]?.elements ?? [], parts = summary.isEmpty ? object["content"]?.elements ?? [] : summary
        if !item.hasContent {
            let text = parts.compactMap { $0["text"]?.string }.joined(separator: Self.summarySeparator)
            if !text.isEmpty { add(.summary, text, place, &response, keepsText) }
        }
        // Another router writes a mark in the place of a token that it doesn't have.
        guard let token = object["encrypted_content"]?.string, !token.isEmpty, token != OpaqueToken.none else { return }
        let kind: OpaqueToken.Kind = item.hasContent || !parts.isEmpty ? .signature : .encrypted
        response.event(.reasoningToken(OpaqueToken(token, kind, madeFor: call)))
    }

    private func addArguments(_ arguments: String?, _ item: Item, _ response: inout ResponseSink) {
        guard let tool = item.tool, let arguments, !arguments.isEmpty else { return }
        response.event(.toolArguments(index: tool, fragment: arguments))
    }
}
