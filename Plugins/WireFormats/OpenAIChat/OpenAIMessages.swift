import Codecs
import ProviderKit

/// Writes the messages of a request.
struct OpenAIMessages {
    private let call: Call
    private let dialect: OpenAIDialect

    init(_ call: Call, _ dialect: OpenAIDialect) {
        self.call = call
        self.dialect = dialect
    }

    private var keepsReasoning: Bool { dialect.reasoning != .no || call.repairs.contains(.withReasoning) }

    /// Writes the value of `messages`.
    ///
    /// Each result of a tool is a message, which can only have texts here. Its images follow in the user's next
    /// message.
    func write(_ messages: [ChatMessage], to writer: inout JSONWriter) throws(ProviderError) {
        var media: [ChatPart] = []
        writer.beginArray()
        for var message in messages {
            if message.role == .tool {
                media += try writeResults(message.parts, to: &writer)
                continue
            }
            if message.role == .user {
                message.parts = media + message.parts
            } else if !media.isEmpty {
                try write(ChatMessage(.user, media), to: &writer)
            }
            media = []
            try write(message, to: &writer)
        }
        if !media.isEmpty { try write(ChatMessage(.user, media), to: &writer) }
        writer.endArray()
    }

    /// Writes the results of tools, and returns their media.
    private func writeResults(_ parts: [ChatPart], to writer: inout JSONWriter) throws(ProviderError) -> [ChatPart] {
        var media: [ChatPart] = []
        for part in parts {
            guard case .toolResult(var result) = part.content else { throw .cannotExpress("a tool's message without a result") }
            media += result.parts.filter(\.isMedia)
            result.parts.removeAll(where: \.isMedia)
            let parts = result.markedParts
            let isText =
                result.isError || parts.allSatisfy { $0.text != nil && ($0.cacheControl == nil || !dialect.hasCacheControl) }
            let content = isText ? [] : try OpenAIMessage.contents(of: parts, dialect)
            writer.object {
                $0.member("role", "tool")
                $0.member("tool_call_id", result.callID)
                $0.key("content")
                if isText { $0.string(parts.joinedText) } else { $0.content(content) }
            }
        }
        return media
    }

    private func write(_ message: ChatMessage, to writer: inout JSONWriter) throws(ProviderError) {
        let contents = try OpenAIMessage.contents(of: message.parts, dialect)
        // A turn that was only reasoning has nothing to say without it.
        let isSilent = contents.isEmpty && message.toolCalls.isEmpty && message.refusal == nil
        if isSilent, !message.reasoning.isEmpty, !keepsReasoning, tokens(of: message.reasoning).isEmpty { return }
        writer.object { writer in
            writer.member("role", message.role.rawValue)
            if let name = message.name { writer.member("name", name) }
            write(message.reasoning, to: &writer)
            writer.key("content")
            if contents.isEmpty, message.role == .assistant { writer.null() } else { writer.content(contents) }
            if let refusal = message.refusal { writer.member("refusal", refusal) }
            let calls = OpenAITokens.toolCalls(of: message, call)
            guard !calls.isEmpty else { return }
            writer.key("tool_calls")
            writer.array {
                for (var call, signature) in calls {
                    call.name = OpenAIToolName.sent(call.name)
                    $0.toolCall(call, signature: signature)
                }
            }
        }
    }

    /// The reasoning of an earlier turn with a token that this provider has made, and its token.
    private func tokens(of reasoning: [ChatReasoningText]) -> [(ChatReasoningText, String)] {
        reasoning.compactMap { reasoning in OpenAITokens.token(of: reasoning, call).map { (reasoning, $0) } }
    }

    /// Writes the reasoning of an earlier turn, which servers refuse that don't know it. A server that has made a token
    /// knows it.
    private func write(_ reasoning: [ChatReasoningText], to writer: inout JSONWriter) {
        let text = keepsReasoning ? reasoning.map(\.text).joined() : ""
        if !text.isEmpty {
            if dialect.reasoning == .plain { writer.member("reasoning", text) } else { writer.member("reasoning_content", text) }
        }
        let details = tokens(of: reasoning)
        guard !details.isEmpty else { return }
        writer.key("reasoning_details")
        writer.array {
            for (index, (reasoning, value)) in details.enumerated() {
                OpenAIReasoningDetail.write(reasoning.text, reasoning.token?.kind ?? .signature, value, at: index, to: &$0)
            }
        }
    }
}

extension ChatPart {
    fileprivate var isMedia: Bool { if case .media = content { true } else { false } }
}

extension ChatMessage {
    fileprivate var toolCalls: [ChatToolCall] {
        parts.compactMap { if case .toolCall(let call) = $0.content { call } else { nil } }
    }

    fileprivate var reasoning: [ChatReasoningText] {
        parts.compactMap { if case .reasoning(let reasoning) = $0.content { reasoning } else { nil } }
    }

    /// The refusals as one, each on lines of its own; nil if there are none.
    fileprivate var refusal: String? {
        let texts = parts.compactMap { if case .refusal(let text) = $0.content { text } else { nil } }
        return texts.isEmpty ? nil : texts.joined(separator: "\n")
    }
}
