import Codecs
public import ProviderKit

/// Writes typed events as a stream of Messages events.
///
/// Blocks follow one another: each ends before the next begins. The first tool call is written as it comes. Other
/// formats may send more of its arguments between the parts of what follows it, so from then on everything else waits
/// until the response ends.
public struct AnthropicEventWriter: Sendable {
    private enum OpenBlock: Equatable {
        case text, thinking
        /// A text with a source. What follows it is another block.
        case citedText
        case tool(Int)
        /// A block of another kind that has passed through.
        case other
    }

    private let inputTokens: Int
    private var envelope: AnthropicEnvelope
    private var hasStarted = false
    private var open: OpenBlock?
    /// The index of the next block.
    private var index = 0
    /// The blocks that wait.
    private var waiting: [AnthropicBlock] = []
    /// No stream has so many blocks. A larger number of an upstream must not overflow.
    private static let maxIndex = 1 << 20
    /// Whether the open tool call has had arguments.
    private var hasArguments = false
    /// Whether the latest part of the stream was typed, so that the writer ends it.
    private var isTyped = false

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - id: the request's id, for responses whose provider sends no id of this format.
    ///   - model: the name of the model, for providers that send none.
    ///   - inputTokens: the estimated tokens of the prompt. The real number is known at the end.
    public init(id: String, model: String, inputTokens: Int) {
        envelope = AnthropicEnvelope(id: id, model: model)
        self.inputTokens = inputTokens
    }

    /// The event's part of the stream: events with their blank lines, or nothing. The end of the response is written by
    /// ``end(_:)``, because its usage is known later.
    ///
    /// A response that another model continues may begin again; only the first `start` counts.
    public mutating func frames(_ event: ChatEvent) -> [UInt8] {
        var frames: [UInt8] = []
        isTyped = true
        if case .start = event, hasStarted { return frames }
        envelope.note(event)
        if !hasStarted { start(&frames) }
        if case .finish = event {
            close(&frames)
            for block in waiting { write(block, &frames) }
            waiting = []
        } else if case .tool(let open)? = open {
            if case .toolArguments(open, let fragment) = event {
                // Without a delta, the input is an empty object.
                if !hasArguments, !fragment.isEmpty, ChatToolCall.areNone(fragment) { return frames }
                if !fragment.isEmpty { hasArguments = true }
                delta("input_json_delta", "partial_json", fragment, &frames)
            } else {
                AnthropicBlock.add(event, to: &waiting)
            }
        } else {
            write(event, &frames)
        }
        return frames
    }

    /// Follows an event that passes through, so that typed events may continue the stream after it.
    public mutating func follow(_ event: RawSpan) {
        guard let event = JSONTree(event) else { return }
        isTyped = false
        switch event["type"]?.string {
        case "message_start": hasStarted = true
        case "content_block_start":
            index = event["index"]?.integer.map { min(max($0, 0), Self.maxIndex) } ?? index
            switch event["content_block"]?["type"]?.string {
            case "text": open = .text
            case "thinking": open = .thinking
            default: open = .other
            }
        case "content_block_stop":
            open = nil
            index += 1
        default: break
        }
    }

    /// The last part of the stream, after ``frames(_:)`` of all events; empty if the stream's own end has passed
    /// through. Numbers that `usage` lacks are written as 0.
    ///
    /// - Parameter usage: nil if it is unknown.
    public mutating func end(_ usage: Usage?) -> [UInt8] {
        var frames: [UInt8] = []
        if hasStarted, !isTyped { return frames }
        if !hasStarted { start(&frames) }
        append("message_delta", to: &frames) { [envelope, inputTokens] in
            $0.key("delta")
            $0.object { envelope.writeEnd(reason: envelope.stopReason, to: &$0) }
            $0.key("usage")
            (usage ?? Usage(promptTokens: inputTokens)).writeAnthropic(to: &$0)
        }
        append("message_stop", to: &frames) { _ in }
        return frames
    }

    private mutating func start(_ frames: inout [UInt8]) {
        hasStarted = true
        append("message_start", to: &frames) {
            $0.key("message")
            envelope.write(to: &$0, reason: nil, usage: Usage(promptTokens: inputTokens)) { _ in }
        }
    }

    private mutating func write(_ event: ChatEvent, _ frames: inout [UInt8]) {
        switch event {
        case .text(let text), .refusal(let text):
            if text.isEmpty { return }
            if open != .text { begin(.text, "text", &frames) { $0.member("text", "") } }
            delta("text_delta", "text", text, &frames)
        case .reasoning(let text):
            if text.isEmpty { return }
            beginThinking(&frames)
            delta("thinking_delta", "thinking", text, &frames)
        case .reasoningToken(let token):
            guard token.kind == .signature else {
                close(&frames)
                return write(AnthropicBlock.redactedThinking(token.tagged), &frames)
            }
            beginThinking(&frames)
            delta("signature_delta", "signature", token.tagged, &frames)
            stop(&frames)
        case .citation(let citation):
            guard open == .text || open == .citedText else { return }
            open = .citedText
            append("content_block_delta", to: &frames) {
                $0.member("index", index)
                $0.key("delta")
                $0.object {
                    $0.member("type", "citations_delta")
                    $0.key("citation")
                    citation.writeAnthropic(to: &$0)
                }
            }
        case .toolCall(let tool, let id, let name):
            hasArguments = false
            begin(.tool(tool), "tool_use", &frames) {
                $0.member("id", id)
                $0.member("name", name)
                $0.key("input")
                $0.object { _ in }
            }
        case .start, .logprobs, .toolArguments, .finish: return
        }
    }

    /// Writes a block that is complete.
    private mutating func write(_ block: AnthropicBlock, _ frames: inout [UInt8]) {
        switch block {
        case .text(let text, let citations):
            write(ChatEvent.text(text), &frames)
            for citation in citations { write(ChatEvent.citation(citation), &frames) }
        case .thinking(let text, let signature):
            beginThinking(&frames)
            if !text.isEmpty { delta("thinking_delta", "thinking", text, &frames) }
            delta("signature_delta", "signature", signature ?? OpaqueToken.none, &frames)
            return stop(&frames)
        case .redactedThinking(let data): begin(nil, "redacted_thinking", &frames) { $0.member("data", data) }
        case .toolUse(let tool, let call):
            write(ChatEvent.toolCall(index: tool, id: call.id, name: call.name), &frames)
            delta("input_json_delta", "partial_json", String(decoding: call.argumentsObject, as: UTF8.self), &frames)
        }
        stop(&frames)
    }

    private mutating func beginThinking(_ frames: inout [UInt8]) {
        guard open != .thinking else { return }
        begin(.thinking, "thinking", &frames) {
            $0.member("thinking", "")
            $0.member("signature", "")
        }
    }

    /// Begins a block, after the end of the open one.
    private mutating func begin(_ block: OpenBlock?, _ type: String, _ frames: inout [UInt8], _ members: (inout JSONWriter) -> Void) {
        close(&frames)
        open = block
        append("content_block_start", to: &frames) {
            $0.member("index", index)
            $0.key("content_block")
            $0.object {
                $0.member("type", type)
                members(&$0)
            }
        }
    }

    private func delta(_ type: String, _ name: StaticString, _ text: String, _ frames: inout [UInt8]) {
        append("content_block_delta", to: &frames) {
            $0.member("index", index)
            $0.key("delta")
            $0.object {
                $0.member("type", type)
                $0.member(name, text)
            }
        }
    }

    /// Ends the open block, if there is one. Thinking must have a signature.
    private mutating func close(_ frames: inout [UInt8]) {
        guard let open else { return }
        if open == .thinking { delta("signature_delta", "signature", OpaqueToken.none, &frames) }
        stop(&frames)
    }

    private mutating func stop(_ frames: inout [UInt8]) {
        append("content_block_stop", to: &frames) { $0.member("index", index) }
        open = nil
        index += 1
    }

    private func append(_ type: StaticString, to frames: inout [UInt8], _ members: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.object {
            $0.member("type", "\(type)")
            members(&$0)
        }
        frames += AnthropicMessages.frame(type, writer.bytes)
    }
}
