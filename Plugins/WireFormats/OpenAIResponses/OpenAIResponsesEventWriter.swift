import Codecs
public import ProviderKit

/// Writes typed events as a stream of this format's events. It also ends a stream that has passed through so far.
public struct OpenAIResponsesEventWriter: Sendable {
    private var envelope: ResponsesEnvelope
    private var output: ResponsesOutput
    private var hasStarted = false
    /// The number of the next event.
    private var sequence = 0

    /// Creates a writer, as ``OpenAIResponsesWriter/init(id:created:model:_:)`` does.
    public init(id: String, created: Int, model: String, _ settings: OpenAIResponsesSettings) {
        let id = ResponsesID(id)
        envelope = ResponsesEnvelope(id: id, created: created, model: model, settings)
        output = ResponsesOutput(id, settings.tools)
    }

    /// The event's part of the stream: events with their blank lines, or nothing. The end of the response is written by
    /// ``end(_:member:)``, because its usage is known later.
    ///
    /// A response that another model continues may begin again; only the first `start` counts.
    public mutating func frames(_ event: ChatEvent) -> [UInt8] {
        var frames: [UInt8] = []
        if case .start = event, hasStarted { return frames }
        envelope.note(event)
        start(&frames)
        let isEnd = if case .finish = event { true } else { false }
        for change in isEnd ? output.end(isComplete: envelope.isComplete) : output.add(event) { write(change, &frames) }
        return frames
    }

    /// The last event of the stream, after ``frames(_:)`` of all events. Numbers that `usage` lacks are written as 0.
    ///
    /// - Parameters:
    ///   - usage: nil if it is unknown.
    ///   - member: another member of the response, a key and a value encoded as JSON; empty for none.
    public mutating func end(_ usage: Usage?, member: [UInt8] = []) -> [UInt8] {
        var frames: [UInt8] = []
        start(&frames)
        append(envelope.isComplete ? "response.completed" : "response.incomplete", &frames) { [envelope, output] in
            $0.key("response")
            $0.object {
                envelope.write(envelope.endStatus, output.items, usage ?? Usage(), to: &$0)
                if !member.isEmpty { $0.raw(member) }
            }
        }
        return frames
    }

    /// The last event of a stream that has failed.
    ///
    /// - Parameters:
    ///   - code: such as `server_error`.
    ///   - member: as for ``end(_:member:)``.
    public mutating func failure(code: String, message: String, member: [UInt8] = []) -> [UInt8] {
        var frames: [UInt8] = []
        start(&frames)
        append("response.failed", &frames) { [envelope, output] in
            $0.key("response")
            $0.object {
                envelope.write(.failed, output.items, nil, failure: (code, message), to: &$0)
                if !member.isEmpty { $0.raw(member) }
            }
        }
        return frames
    }

    /// Takes over a stream that has passed through so far.
    ///
    /// - Parameters:
    ///   - id: the response's, as ``OpenAIResponses/responseID(ofEvent:)`` finds it; nil if it has none.
    ///   - events: the number of events.
    public mutating func follow(id: String?, events: Int) {
        hasStarted = true
        sequence = events
        if let id { envelope.note(id: id) }
    }

    // MARK: Events

    private mutating func start(_ frames: inout [UInt8]) {
        guard !hasStarted else { return }
        hasStarted = true
        for type: StaticString in ["response.created", "response.in_progress"] {
            append(type, &frames) { [envelope] in
                $0.key("response")
                $0.object { envelope.write(.inProgress, [], nil, to: &$0) }
            }
        }
    }

    private mutating func write(_ change: ResponsesOutput.Change, _ frames: inout [UInt8]) {
        switch change {
        case .itemBegan(let place): append("response.output_item.added", place, &frames) { $0.item($1.begun) }
        case .itemEnded(let place):
            writeArguments(of: place, &frames)
            append("response.output_item.done", place, &frames) { $0.item($1) }
        case .partBegan(let place, let part):
            append(kind(place, part).began, place, part, &frames) { writer, part in
                writer.key("part")
                part.write(to: &writer, isEmpty: true)
            }
        case .partGrew(let place, let part, let text, let tokens):
            append(kind(place, part).grew, place, part, &frames) { writer, part in
                writer.member("delta", text)
                if part.kind == .text { writer.logprobs(tokens, hasBytes: false) }
            }
        case .annotated(let place, let part, let annotation):
            append("response.output_text.annotation.added", place, part, &frames) { writer, part in
                writer.member("annotation_index", annotation)
                writer.key("annotation")
                part.citations[annotation].writeResponses(to: &writer)
            }
        case .argumentsGrew(let place, let text):
            append("response.function_call_arguments.delta", place, &frames) { writer, item in
                writer.member("item_id", item.id)
                writer.member("delta", text)
            }
        case .partEnded(let place, let part):
            let kind = kind(place, part)
            append(kind.textEnded, place, part, &frames) { writer, part in
                if part.kind == .refusal { writer.member("refusal", part.text) } else { writer.member("text", part.text) }
                if part.kind == .text { writer.logprobs(part.tokens, hasBytes: false) }
            }
            append(kind.ended, place, part, &frames) { writer, part in
                writer.key("part")
                part.write(to: &writer)
            }
        }
    }

    /// Writes the complete arguments of a call, before its end.
    private mutating func writeArguments(of place: Int, _ frames: inout [UInt8]) {
        guard case .call(let tool) = output.items[place].kind else { return }
        switch tool.kind {
        case .function:
            append("response.function_call_arguments.done", place, &frames) { writer, item in
                writer.member("item_id", item.id)
                writer.member("name", tool.name)
                writer.member("arguments", item.completeArguments)
            }
        case .custom:
            let input = ChatTool.input(ofArguments: output.items[place].arguments)
            append("response.custom_tool_call_input.delta", place, &frames) { writer, item in
                writer.member("item_id", item.id)
                writer.member("delta", input)
            }
            append("response.custom_tool_call_input.done", place, &frames) { writer, item in
                writer.member("item_id", item.id)
                writer.member("input", input)
            }
        case .localShell: return  // it has no events of its own
        }
    }

    private func kind(_ place: Int, _ part: Int) -> ResponsesItem.Part.Kind { output.items[place].parts[part].kind }

    private mutating func append(
        _ type: StaticString, _ place: Int, _ part: Int, _ frames: inout [UInt8],
        _ members: (inout JSONWriter, ResponsesItem.Part) -> Void
    ) {
        let item = output.items[place]
        append(type, &frames) {
            $0.member("item_id", item.id)
            $0.member("output_index", place)
            if item.kind == .reasoning { $0.member("summary_index", part) } else { $0.member("content_index", part) }
            members(&$0, item.parts[part])
        }
    }

    private mutating func append(
        _ type: StaticString, _ place: Int, _ frames: inout [UInt8], _ members: (inout JSONWriter, ResponsesItem) -> Void
    ) {
        let item = output.items[place]
        append(type, &frames) {
            $0.member("output_index", place)
            members(&$0, item)
        }
    }

    private mutating func append(_ type: StaticString, _ frames: inout [UInt8], _ members: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.object {
            $0.member("type", "\(type)")
            $0.member("sequence_number", sequence)
            members(&$0)
        }
        sequence += 1
        frames += "event: \(type)\ndata: ".utf8
        writer.withBytes { frames += $0 }
        frames += "\n\n".utf8
    }
}

extension ResponsesItem.Part.Kind {
    /// The types of the events of a part.
    fileprivate var began: StaticString { self == .summary ? "response.reasoning_summary_part.added" : "response.content_part.added" }

    fileprivate var grew: StaticString {
        switch self {
        case .text: "response.output_text.delta"
        case .refusal: "response.refusal.delta"
        case .summary: "response.reasoning_summary_text.delta"
        }
    }

    fileprivate var textEnded: StaticString {
        switch self {
        case .text: "response.output_text.done"
        case .refusal: "response.refusal.done"
        case .summary: "response.reasoning_summary_text.done"
        }
    }

    fileprivate var ended: StaticString { self == .summary ? "response.reasoning_summary_part.done" : "response.content_part.done" }
}

extension JSONWriter {
    fileprivate mutating func item(_ item: ResponsesItem) {
        key("item")
        item.write(to: &self)
    }

    fileprivate mutating func logprobs(_ tokens: [ChatToken], hasBytes: Bool) {
        key("logprobs")
        self.tokens(tokens, hasBytes: hasBytes)
    }
}
