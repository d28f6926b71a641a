import Codecs
import Engine
import ProviderKit

/// What a chat says, as attributes of a span: the client's messages, the instructions and tools of the application, and
/// the response. Each attribute is bounded, and shows no secret of the policy. Only a policy with `content` has them.
///
/// Source: OpenTelemetry's semantic conventions for generative AI, `gen-ai-input-messages.json`,
/// `gen-ai-output-messages.json`, `gen-ai-system-instructions.json` and `gen-ai-tool-definitions.json`.
struct ContentAttributes {
    /// Of the texts of one attribute.
    static let maxBytes = 64 << 10

    let mask: (String) -> String

    /// - Parameter identity: says why the response ended, in the provider's words; nil if it isn't known.
    func write(_ content: ChatContent, _ identity: ResponseIdentity?, to list: inout JSONWriter) {
        let request = content.request
        let instructions = request.messages.filter { $0.role == .system }.flatMap(\.parts)
        let messages = request.messages.filter { $0.role != .system }
        if !instructions.isEmpty {
            list.jsonAttribute("gen_ai.system_instructions") { writer in
                writer.array { list in for part in fitting(instructions, of: \.textBytes) { write(part, to: &list) } }
            }
        }
        list.jsonAttribute("gen_ai.input.messages") { writer in
            writer.array { list in
                // The end of a long conversation says more than its beginning.
                for message in fitting(messages.reversed(), of: { $0.parts.reduce(0) { $0 + $1.textBytes } }).reversed() {
                    write(message, to: &list)
                }
            }
        }
        if !request.tools.isEmpty {
            list.jsonAttribute("gen_ai.tool.definitions") { writer in
                writer.array { list in for tool in fitting(request.tools, of: \.textBytes) { write(tool, to: &list) } }
            }
        }
        if !content.response.isEmpty {
            list.jsonAttribute("gen_ai.output.messages") { writer in
                writer.array { Response(content.response).write(identity, to: &$0, mask) }
            }
        }
    }

    /// The first elements, until one exceeds the bound. The first one is cut instead.
    private func fitting<Element>(_ elements: [Element], of size: (Element) -> Int) -> [Element] {
        var sum = 0, fitting: [Element] = []
        for element in elements {
            sum += size(element)
            guard fitting.isEmpty || sum <= Self.maxBytes else { break }
            fitting.append(element)
        }
        return fitting
    }

    private func write(_ message: ChatMessage, to list: inout JSONWriter) {
        list.object {
            $0.member("role", message.role.rawValue)
            if let name = message.name { $0.member("name", mask(name)) }
            $0.key("parts")
            $0.array { list in for part in message.parts { write(part, to: &list) } }
        }
    }

    private func write(_ part: ChatPart, to list: inout JSONWriter) {
        list.object { object in
            switch part.content {
            case .text(let text), .refusal(let text):
                object.member("type", "text")
                object.member("content", mask(text))
            case .reasoning(let reasoning):
                object.member("type", "reasoning")
                object.member("content", mask(reasoning.text))
            case .media(let media): write(media, to: &object)
            case .toolCall(let call):
                object.member("type", "tool_call")
                object.member("id", mask(call.id))
                object.member("name", mask(call.name))
                object.member("arguments", mask(call.arguments))
            case .toolResult(let result):
                object.member("type", "tool_call_response")
                object.member("id", mask(result.callID))
                object.member("response", mask(result.text))
            }
        }
    }

    /// Without bytes, which are long and no text.
    private func write(_ media: ChatMedia, to object: inout JSONWriter) {
        let modality = media.kind.rawValue
        switch media.source {
        case .url(let url):
            object.member("type", "uri")
            object.member("modality", modality)
            object.member("uri", mask(url))
        case .id(let id):
            object.member("type", "file")
            object.member("modality", modality)
            object.member("file_id", mask(id))
        case .base64(_, let type):
            object.member("type", "blob")
            object.member("modality", modality)
            if let type { object.member("mime_type", mask(type)) }
            object.member("content", "")
        }
    }

    private func write(_ tool: ChatTool, to list: inout JSONWriter) {
        list.object {
            $0.member("type", "function")
            $0.member("name", mask(tool.name))
            if let description = tool.description { $0.member("description", mask(description)) }
            if let parameters = tool.parameters {
                // A schema without its secrets is still JSON, and one that is cut isn't.
                let masked = mask(String(decoding: parameters, as: UTF8.self)).utf8
                if let schema = JSONTree(Array(masked).span.bytes) {
                    $0.key("parameters")
                    schema.write(to: &$0)
                }
            }
        }
    }

    /// A response, put together from its events.
    private struct Response {
        var reasoning = ""
        var text = ""
        var calls: [(id: String, name: String, arguments: String)] = []
        var reason: FinishReason?

        init(_ events: [ChatEvent]) {
            for event in events {
                switch event {
                case .text(let more), .refusal(let more): text += more
                case .reasoning(let more): reasoning += more
                case .toolCall(_, let id, let name): calls.append((id, name, ""))
                case .toolArguments(let index, let more): if calls.indices.contains(index) { calls[index].arguments += more }
                case .finish(let reason, _): self.reason = reason
                case .start, .logprobs, .reasoningToken, .citation: break
                }
            }
        }

        func write(_ identity: ResponseIdentity?, to list: inout JSONWriter, _ mask: (String) -> String) {
            list.object {
                $0.member("role", ChatMessage.Role.assistant.rawValue)
                $0.key("parts")
                $0.array { list in
                    if !reasoning.isEmpty {
                        list.object {
                            $0.member("type", "reasoning")
                            $0.member("content", mask(reasoning))
                        }
                    }
                    if !text.isEmpty {
                        list.object {
                            $0.member("type", "text")
                            $0.member("content", mask(text))
                        }
                    }
                    for call in calls {
                        list.object {
                            $0.member("type", "tool_call")
                            $0.member("id", mask(call.id))
                            $0.member("name", mask(call.name))
                            $0.member("arguments", mask(call.arguments))
                        }
                    }
                }
                // A response that has been cut off has none of the provider's.
                $0.member("finish_reason", (identity?.finishReasons.first ?? reason?.rawValue).map(mask) ?? "error")
            }
        }
    }
}

extension ChatPart {
    /// Of its texts, without media.
    fileprivate var textBytes: Int {
        switch content {
        case .text(let text), .refusal(let text): text.utf8.count
        case .reasoning(let reasoning): reasoning.text.utf8.count
        case .media: 0
        case .toolCall(let call): call.name.utf8.count + call.arguments.utf8.count
        case .toolResult(let result): result.text.utf8.count
        }
    }
}

extension ChatToolResult {
    fileprivate var text: String { ChatMessage(.tool, parts).text }
}

extension ChatTool {
    fileprivate var textBytes: Int { name.utf8.count + (description?.utf8.count ?? 0) + (parameters?.count ?? 0) }
}
