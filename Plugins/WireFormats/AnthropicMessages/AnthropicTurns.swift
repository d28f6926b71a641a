import Codecs
import ProviderKit

/// A conversation in this format: the system prompt, and turns of the user and of the assistant.
///
/// Messages of the same role in a row become one turn, and the results of tools begin the user's. Blocks keep their
/// order and are never merged, so that what the provider has cached stays valid.
struct AnthropicTurns {
    private enum Role: String {
        case user, assistant, system
    }

    private struct Turn {
        var role: Role
        var blocks: [[UInt8]] = []
        /// The number of the results of tools, with which the blocks begin.
        var results = 0
        var hasToolUse = false
        var hasThinking = false
    }

    /// The blocks of the system prompt.
    private(set) var system: [[UInt8]] = []
    private var turns: [Turn] = []
    /// The blocks of system messages among the others, until a place that the format allows.
    private var waiting: [[UInt8]] = []
    /// Source: Anthropic's API reference, "Messages"; as its clients have recorded the refusals.
    private var toolIDs = UniqueToolIDs(marks: "_-", maxLength: .max)
    private let model: AnthropicModel
    private let call: Call

    init(_ messages: [ChatMessage], _ model: AnthropicModel, _ call: Call) throws(ProviderError) {
        self.model = model
        self.call = call
        let leading = messages.prefix { $0.role == .system }
        for message in leading { system += try blocks(of: message.parts) }
        for message in messages.dropFirst(leading.count) { try add(message) }
        flush()
        // A request without turns is refused.
        if turns.isEmpty {
            append(system, to: .user)
            system = []
        }
        if turns.isEmpty { throw .cannotExpress("a conversation without content") }
        if turns.last?.role == .assistant, !model.acceptsPrefill { throw .cannotExpress("a last message of the assistant with this model") }
    }

    /// Whether the assistant's last turn calls tools without thinking.
    var lacksThinking: Bool {
        guard let last = turns.last(where: { $0.role == .assistant }) else { return false }
        return last.hasToolUse && !last.hasThinking
    }

    /// Writes the value of `messages`.
    func write(to writer: inout JSONWriter) {
        writer.array {
            for turn in turns {
                $0.object {
                    $0.member("role", turn.role.rawValue)
                    $0.key("content")
                    $0.array { for block in turn.blocks { $0.raw(block) } }
                }
            }
        }
    }

    private mutating func add(_ message: ChatMessage) throws(ProviderError) {
        let blocks = try blocks(of: message.parts)
        switch message.role {
        case .system where model.acceptsSystemMessages: waiting += blocks
        case .system: append(blocks.map(Self.marked), to: .user)
        case .user: append(blocks, to: .user)
        case .tool: append(results: blocks)
        case .assistant:
            guard !blocks.isEmpty else { return }
            flush()
            append(blocks, to: .assistant)
            for part in message.parts {
                if case .toolCall = part.content { turns[turns.count - 1].hasToolUse = true }
                if case .reasoning(let reasoning) = part.content, token(of: reasoning) != nil { turns[turns.count - 1].hasThinking = true }
            }
        }
    }

    private mutating func append(_ blocks: [[UInt8]], to role: Role) {
        guard !blocks.isEmpty else { return }
        if turns.last?.role != role { turns.append(Turn(role: role)) }
        turns[turns.count - 1].blocks += blocks
    }

    /// Adds results of tools to the user's turn, which must begin with them. Source: Anthropic's guide "Handle tool
    /// calls".
    private mutating func append(results: [[UInt8]]) {
        guard !results.isEmpty else { return }
        if turns.last?.role != .user { turns.append(Turn(role: .user)) }
        let last = turns.count - 1
        turns[last].blocks.insert(contentsOf: results, at: turns[last].results)
        turns[last].results += results.count
    }

    /// Writes the waiting system messages, as one, behind the user's turn. There they must stand before a turn of the
    /// assistant or at the end. Source: Anthropic's guide "Mid-conversation system messages".
    private mutating func flush() {
        append(
            waiting.isEmpty || turns.last?.role == .user ? waiting : waiting.map(Self.marked),
            to: turns.last?.role == .user ? .system : .user)
        waiting = []
    }

    /// A system message's block for a user's turn, where the model can't have it elsewhere.
    private static func marked(_ block: [UInt8]) -> [UInt8] {
        guard let tree = JSONTree(block.span.bytes), let text = tree["text"]?.string else { return block }
        return AnthropicMessage.text(.systemMarked(text), tree["cache_control"]?.encoded)
    }

    // MARK: Blocks

    private mutating func blocks(of parts: [ChatPart]) throws(ProviderError) -> [[UInt8]] {
        var blocks: [[UInt8]] = []
        for part in parts {
            switch part.content {
            // A text without words is refused.
            case .text(let text), .refusal(let text):
                if !text.allSatisfy(\.isWhitespace) { blocks.append(AnthropicMessage.text(text, part.cacheControl)) }
            case .media(let media): blocks.append(try AnthropicMessage.media(media, part.cacheControl))
            case .toolCall(let toolCall):
                blocks.append(AnthropicMessage.toolUse(toolCall, id: toolIDs.id(ofCall: toolCall.id), part.cacheControl))
            case .toolResult(let result):
                let content = try self.blocks(of: result.parts)
                blocks.append(AnthropicMessage.toolResult(result, id: toolIDs.id(ofResult: result.callID), content, part.cacheControl))
            case .reasoning(let reasoning):
                if let token = token(of: reasoning) { blocks.append(AnthropicMessage.thinking(reasoning, token)) }
            }
        }
        return blocks
    }

    /// The token of reasoning that this provider has made; nil for all other reasoning, which it doesn't accept.
    private func token(of reasoning: ChatReasoningText) -> String? {
        if call.repairs.contains(.withoutThinking) { return nil }
        return reasoning.token?.value(for: call, in: AnthropicMessages.format)
    }
}
