import Codecs
import ProviderKit

/// A block of a message's content.
enum AnthropicBlock {
    case text(String, citations: [ChatCitation])
    case thinking(String, signature: String?)
    case redactedThinking(String)
    /// The index is the one of ``ChatEvent/toolCall(index:id:name:)``.
    case toolUse(index: Int, ChatToolCall)

    /// Adds an event to the blocks of a response. Events that are no content are ignored.
    static func add(_ event: ChatEvent, to blocks: inout [AnthropicBlock]) {
        switch event {
        case .text(let text), .refusal(let text):
            if text.isEmpty { return }
            // A text with a source is a block of its own.
            if case .text(let before, citations: [])? = blocks.last {
                blocks[blocks.count - 1] = .text(before + text, citations: [])
            } else {
                blocks.append(.text(text, citations: []))
            }
        case .citation(let citation):
            guard case .text(let text, let citations)? = blocks.last else { return }
            blocks[blocks.count - 1] = .text(text, citations: citations + [citation])
        case .reasoning(let text):
            if text.isEmpty { return }
            if case .thinking(let before, nil)? = blocks.last {
                blocks[blocks.count - 1] = .thinking(before + text, signature: nil)
            } else {
                blocks.append(.thinking(text, signature: nil))
            }
        case .reasoningToken(let token):
            if token.kind == .encrypted { return blocks.append(.redactedThinking(token.tagged)) }
            if case .thinking(let text, nil)? = blocks.last {
                blocks[blocks.count - 1] = .thinking(text, signature: token.tagged)
            } else {
                blocks.append(.thinking("", signature: token.tagged))
            }
        case .toolCall(let index, let id, let name):
            blocks.append(.toolUse(index: index, ChatToolCall(id: id, name: name, arguments: "")))
        case .toolArguments(let index, let fragment):
            guard let place = blocks.lastIndex(where: { $0.toolIndex == index }), case .toolUse(_, var call) = blocks[place] else { return }
            blocks[place] = .redactedThinking("")  // a unique reference, so that the arguments grow in place
            call.arguments += fragment
            blocks[place] = .toolUse(index: index, call)
        case .start, .logprobs, .finish: return
        }
    }

    private var toolIndex: Int? { if case .toolUse(let index, _) = self { index } else { nil } }

    /// Writes the complete block.
    func write(to writer: inout JSONWriter) {
        writer.object {
            switch self {
            case .text(let text, let citations):
                $0.member("type", "text")
                $0.member("text", text)
                guard !citations.isEmpty else { return }
                $0.key("citations")
                $0.array { for citation in citations { citation.writeAnthropic(to: &$0) } }
            case .thinking(let text, let signature):
                $0.member("type", "thinking")
                $0.member("thinking", text)
                $0.member("signature", signature ?? OpaqueToken.none)
            case .redactedThinking(let data):
                $0.member("type", "redacted_thinking")
                $0.member("data", data)
            case .toolUse(_, let call):
                $0.member("type", "tool_use")
                $0.member("id", call.id)
                $0.member("name", call.name)
                $0.key("input")
                $0.raw(call.argumentsObject)
            }
        }
    }
}

extension ChatCitation {
    /// Writes a citation of a page. Its index is only Anthropic's to give; the mark in its place shows that there is
    /// none. Source: the SDK's `CitationsWebSearchResultLocation`.
    func writeAnthropic(to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", "web_search_result_location")
            $0.member("url", url)
            $0.member("title", title)
            $0.member("encrypted_index", OpaqueToken.none)
            $0.member("cited_text", "")
        }
    }
}
