import Codecs
public import ProviderKit

/// Folds typed events into one message.
public struct AnthropicMessageWriter: Sendable {
    private var envelope: AnthropicEnvelope
    private var blocks: [AnthropicBlock] = []

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - id: the request's id, for responses whose provider sends no id of this format.
    ///   - model: the name of the model, for providers that send none.
    public init(id: String, model: String) {
        envelope = AnthropicEnvelope(id: id, model: model)
    }

    /// Adds an event.
    public mutating func add(_ event: ChatEvent) {
        envelope.note(event)
        AnthropicBlock.add(event, to: &blocks)
    }

    /// The message. Numbers that `usage` lacks are written as 0.
    public func message(_ usage: Usage?) -> [UInt8] {
        var writer = JSONWriter(capacity: 1024)
        envelope.write(to: &writer, reason: envelope.stopReason, usage: usage ?? Usage()) {
            for block in blocks { block.write(to: &$0) }
        }
        return writer.bytes
    }
}

/// What a message has beside its content.
struct AnthropicEnvelope: Sendable {
    private var id: String
    private var model: String
    private var reason = FinishReason.stop
    private var stopSequence: String?
    private var hasToolCalls = false
    private var isRefusal = false

    init(id: String, model: String) {
        self.id = "msg_\(id)"
        self.model = model
    }

    mutating func note(_ event: ChatEvent) {
        switch event {
        case .start(let id, let model):
            if let id, id.hasPrefix("msg_") { self.id = id }
            self.model = model ?? self.model
        case .toolCall: hasToolCalls = true
        case .refusal: isRefusal = true
        case .finish(let reason, let stopSequence):
            self.reason = reason
            self.stopSequence = stopSequence
        case .text, .logprobs, .reasoning, .reasoningToken, .citation, .toolArguments: break
        }
    }

    var stopReason: StaticString {
        AnthropicStopReason.stopReason(reason, stopSequence: stopSequence, hasToolCalls: hasToolCalls, isRefusal: isRefusal)
    }

    /// Writes a message.
    ///
    /// - Parameter reason: nil if the message has not ended.
    func write(to writer: inout JSONWriter, reason: StaticString?, usage: Usage, content: (inout JSONWriter) -> Void) {
        writer.object {
            $0.member("id", id)
            $0.member("type", "message")
            $0.member("role", "assistant")
            $0.member("model", model)
            $0.key("content")
            $0.array(content)
            writeEnd(reason: reason, to: &$0)
            $0.key("usage")
            usage.writeAnthropic(to: &$0)
        }
    }

    /// Writes the members `stop_reason` and `stop_sequence`.
    func writeEnd(reason: StaticString?, to writer: inout JSONWriter) {
        writer.member("stop_reason", reason.map { "\($0)" })
        writer.member("stop_sequence", reason == nil ? nil : stopSequence)
    }
}

extension Usage {
    /// Writes the usage. Here the tokens of the prompt exclude those that were read from or written to a cache.
    func writeAnthropic(to writer: inout JSONWriter) {
        let read = cachedTokens ?? 0, written = cacheWriteTokens ?? 0
        let cached = read.addingReportingOverflow(written).partialValue
        writer.object {
            $0.member("input_tokens", max(0, (promptTokens ?? 0).subtractingReportingOverflow(cached).partialValue))
            $0.member("cache_creation_input_tokens", written)
            $0.member("cache_read_input_tokens", read)
            if let longCacheWriteTokens {
                $0.key("cache_creation")
                $0.object {
                    $0.member("ephemeral_5m_input_tokens", max(0, written.subtractingReportingOverflow(longCacheWriteTokens).partialValue))
                    $0.member("ephemeral_1h_input_tokens", longCacheWriteTokens)
                }
            }
            $0.member("output_tokens", completionTokens ?? 0)
            if let reasoningTokens {
                $0.key("output_tokens_details")
                $0.object { $0.member("thinking_tokens", reasoningTokens) }
            }
        }
    }
}
