import Codecs
import ProviderKit

/// A decoder that gives typed events, for clients with another format. It reads what the decoders of passing responses
/// have found, so that both know the same failures and ends.
struct OpenAIEventDecoder: ResponseDecoder {
    private var base: any ResponseDecoder
    private var passed = ResponseSink()
    private var reader: OpenAIEventReader
    private let keepsText: Bool

    init(_ base: any ResponseDecoder, _ call: Call) {
        self.base = base
        keepsText = call.keepsText
        reader = OpenAIEventReader(call)
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        let consumed: Int
        do throws(ProviderError) { consumed = try base.decode(bytes, into: &passed) } catch {
            forward(bytes, to: &response)
            throw error
        }
        forward(bytes, to: &response)
        return consumed
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        do throws(ProviderError) { try base.finish(bytes, into: &passed) } catch {
            forward(bytes, to: &response)
            throw error
        }
        forward(bytes, to: &response)
        end(&response)
    }

    private mutating func forward(_ bytes: RawSpan, to response: inout ResponseSink) {
        for part in passed.parts {
            response.note(part.signals)
            switch part {
            case .chunk(let chunk): read(bytes.extracting(chunk.json), &response)
            case .joined(let json, _): read(json.span.bytes, &response)
            case .buffered(let range, _): read(bytes.extracting(range), &response)
            case .event, .embeddings, .count, .payload: break  // the base gives none
            }
        }
        passed.removeParts()
        if let usage = passed.usage { response.usage(usage) }
        if let name = passed.servedBy { response.served(by: name) }
        if passed.isComplete { end(&response) }
    }

    private mutating func read(_ json: RawSpan, _ response: inout ResponseSink) {
        guard let object = JSONTree(json) else { return }
        add(reader.events(of: object), to: &response)
    }

    private mutating func end(_ response: inout ResponseSink) {
        add(reader.end(), to: &response)
        response.complete()
    }

    private func add(_ events: [ChatEvent], to response: inout ResponseSink) {
        for event in events {
            response.event(event)
            if keepsText, case .text(let text) = event { response.keep(text: text) }
        }
    }
}

/// Reads the events of a response's first choice from its chunks, or from its `chat.completion`.
///
/// Content may follow a finish reason: some servers send one in each chunk. So it becomes an event with the end of the
/// response.
struct OpenAIEventReader {
    private let call: Call
    private var hasStarted = false
    private var responseID: String?
    private var hasFinished = false
    private var hasContent = false
    private var reason: FinishReason?
    private var details = OpenAIReasoningDetails()
    private var places = OpenAIToolCalls()
    /// The tool calls that have begun.
    private var toolCalls: [ToolCall] = []

    private struct ToolCall {
        var id: String?
        var name = ""
        /// The arguments without an event, because the name is missing: some servers send it after the id.
        var held = ""
        /// The index of its events; nil if it has none so far. Some servers send elements that say nothing.
        var index: Int?
    }

    init(_ call: Call) {
        self.call = call
    }

    mutating func events(of object: JSONTree) -> [ChatEvent] {
        var events: [ChatEvent] = []
        let choices = object["choices"]?.elements ?? []
        if !hasStarted {
            // Azure's first chunk tells of its content filter only: its `id` and its `model` are empty.
            // Source: as recorded of Azure by its clients.
            let id = object["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
            let model = object["model"]?.string.flatMap { $0.isEmpty ? nil : $0 }
            hasStarted = id != nil || model != nil || !choices.isEmpty
            responseID = id
            if hasStarted { events.append(.start(id: id, model: model)) }
        }
        for choice in choices where choice["index"]?.integer ?? 0 == 0 {
            let before = events.count
            if let delta = choice["delta"] ?? choice["message"] { read(delta, &events) }
            if events.count > before { hasContent = true }
            reason = choice["finish_reason"]?.string.flatMap(Self.reason) ?? reason
        }
        return events
    }

    /// The events that the end of the response adds. A response with neither content nor a finish reason gets none, so
    /// that it is a failure.
    mutating func end() -> [ChatEvent] {
        guard !hasFinished else { return [] }
        hasFinished = true
        var events: [ChatEvent] = []
        endReasoning(&events)
        for place in toolCalls.indices where toolCalls[place].index == nil && !toolCalls[place].held.isEmpty {
            addEvents(of: place, &events)
        }
        guard hasContent || reason != nil || !events.isEmpty else { return [] }
        // Some servers finish a response with tool calls by `stop`, or by nothing.
        let end = reason ?? .stop
        events.append(.finish(end == .stop && toolCalls.contains { $0.index != nil } ? .toolCalls : end))
        return events
    }

    private mutating func read(_ delta: JSONTree, _ events: inout [ChatEvent]) {
        // DeepSeek's and vLLM's name, and OpenRouter's.
        let reasoning = ["reasoning_content", "reasoning"].lazy.compactMap { delta[$0]?.string }.first { !$0.isEmpty }
        if let reasoning { events.append(.reasoning(reasoning)) }
        details.add(delta["reasoning_details"]?.elements ?? [])
        for part in delta["content"]?.elements ?? [] {
            if let text = Self.thinking(part), !text.isEmpty { events.append(.reasoning(text)) }
        }
        if let text = Self.text(delta["content"]), !text.isEmpty {
            endReasoning(&events)
            events.append(.text(text))
        }
        events += (delta["annotations"]?.elements ?? []).compactMap { ChatCitation(annotation: $0).map { .citation($0) } }
        if let text = delta["refusal"]?.string, !text.isEmpty { events.append(.refusal(text)) }
        if !(delta["tool_calls"]?.elements ?? []).isEmpty { endReasoning(&events) }
        for tool in delta["tool_calls"]?.elements ?? [] {
            if let token = OpenAITokens.signature(ofCall: tool, call) { events.append(.reasoningToken(token)) }
            read(tool["function"], id: tool["id"]?.string, at: places.place(of: tool), &events)
        }
        // Legacy responses have one call, without an id.
        if let function = delta["function_call"], !function.isNull { read(function, id: nil, at: 0, &events) }
    }

    private mutating func endReasoning(_ events: inout [ChatEvent]) {
        if let token = details.takeToken(madeFor: call) { events.append(.reasoningToken(token)) }
    }

    private mutating func read(_ function: JSONTree?, id: String?, at place: Int, _ events: inout [ChatEvent]) {
        if place >= toolCalls.count { toolCalls.append(ToolCall()) }
        if toolCalls[place].id == nil, id?.isEmpty == false { toolCalls[place].id = id }
        if toolCalls[place].name.isEmpty { toolCalls[place].name = function?["name"]?.string ?? "" }
        toolCalls[place].held += Self.arguments(function?["arguments"])
        if !toolCalls[place].name.isEmpty { addEvents(of: place, &events) }
    }

    private mutating func addEvents(of place: Int, _ events: inout [ChatEvent]) {
        let call = toolCalls[place], index = call.index ?? toolCalls.count { $0.index != nil }
        if call.index == nil {
            let name = OpenAIToolName.original(call.name, self.call)
            events.append(.toolCall(index: index, id: call.id ?? self.call.toolID(index, of: responseID), name: name))
        }
        if !call.held.isEmpty { events.append(.toolArguments(index: index, fragment: call.held)) }
        (toolCalls[place].index, toolCalls[place].held) = (index, "")
    }

    /// The text of arguments. Some servers send the object itself.
    private static func arguments(_ value: JSONTree?) -> String {
        guard let value, !value.isNull else { return "" }
        return value.string ?? String(decoding: value.encoded, as: UTF8.self)
    }

    /// A text, or the texts of a list of parts, as Mistral's reasoning models send them.
    private static func text(_ content: JSONTree?) -> String? {
        if let text = content?.string { return text }
        return content?.elements?.compactMap { $0["text"]?.string }.joined()
    }

    /// The text of a part that is reasoning: `{"type": "thinking", "thinking": [{"type": "text", "text": …}]}`. nil
    /// for any other part. Source: Mistral's API reference, `ThinkChunk`.
    private static func thinking(_ part: JSONTree) -> String? {
        guard part["type"]?.string == "thinking" else { return nil }
        return text(part["thinking"])
    }

    /// The finish reason that a text means; nil for none.
    private static func reason(_ text: String) -> FinishReason? {
        FinishReasonMeaning.finishReason(text) ?? (FinishReasonMeaning(text) == .unknown ? .stop : nil)
    }
}
