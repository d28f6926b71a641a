import Codecs
public import ProviderKit

/// Folds typed events into one `chat.completion` object.
public struct OpenAICompletionWriter: Sendable {
    private let created: Int
    private var id: String
    private var model: String
    private var text = ""
    private var reasoningText = ""
    private var reasoning = OpenAIReasoning()
    private var citations: [ChatCitation] = []
    private var refusal = ""
    private var tokens: [ChatToken]?
    private var toolCalls: [(index: Int, call: ChatToolCall)] = []
    private var reason = FinishReason.stop
    /// As ``OpenAIChunkWriter/customTools``, set before ``completion(_:)``.
    public var customTools: Set<String> = []
    /// Whether the response calls tools.
    public var callsTools: Bool { !toolCalls.isEmpty }

    /// Creates a writer, as ``OpenAIChunkWriter/init(id:created:model:)`` does.
    public init(id: String, created: Int, model: String) {
        self.id = "chatcmpl-\(id)"
        self.created = created
        self.model = model
    }

    /// Adds an event.
    public mutating func add(_ event: ChatEvent) {
        switch event {
        case .start(let id, let model):
            self.id = id ?? self.id
            self.model = model ?? self.model
        case .text(let text):
            self.text += text
        case .logprobs(let tokens):
            self.tokens = (self.tokens ?? []) + tokens
        case .reasoning(let text):
            reasoningText += text
            reasoning.add(text)
        case .reasoningToken(let token):
            _ = reasoning.end(token)
        case .citation(let citation):
            citations.append(citation)
        case .refusal(let text):
            refusal += text
        case .toolCall(let index, let id, let name):
            toolCalls.append((index, ChatToolCall(id: id, name: name, arguments: "")))
        case .toolArguments(let index, let fragment):
            guard let position = toolCalls.lastIndex(where: { $0.index == index }) else { return }
            toolCalls[position].call.arguments += fragment
        case .finish(let reason, _):
            self.reason = reason
        }
    }

    /// The `chat.completion` object. It has no usage if `usage` is nil.
    public func completion(_ usage: Usage?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("id", id)
            $0.member("object", "chat.completion")
            $0.member("created", created)
            $0.member("model", model)
            $0.key("choices")
            $0.array {
                $0.object {
                    $0.member("index", 0)
                    $0.key("message")
                    $0.object { writeMessage(&$0) }
                    if let tokens { $0.logprobs(tokens) }
                    $0.member("finish_reason", (reason == .stop && !toolCalls.isEmpty ? .toolCalls : reason).rawValue)
                }
            }
            if let usage {
                $0.key("usage")
                usage.write(to: &$0)
            }
        }
        return writer.bytes
    }

    private func writeMessage(_ writer: inout JSONWriter) {
        writer.member("role", "assistant")
        if text.isEmpty, !toolCalls.isEmpty || !refusal.isEmpty {
            writer.key("content")
            writer.null()
        } else {
            writer.member("content", text)
        }
        if !reasoningText.isEmpty { writer.member("reasoning_content", reasoningText) }
        if !reasoning.ended.isEmpty {
            writer.key("reasoning_details")
            writer.array {
                for (index, (text, token)) in reasoning.ended.enumerated() {
                    OpenAIReasoningDetail.write(text, token.kind, token.tagged, at: index, to: &$0)
                }
            }
        }
        if !citations.isEmpty {
            writer.key("annotations")
            writer.array { for citation in citations { citation.write(to: &$0) } }
        }
        if !refusal.isEmpty { writer.member("refusal", refusal) }
        guard !toolCalls.isEmpty else { return }
        writer.key("tool_calls")
        writer.array {
            for (_, var call) in toolCalls {
                if call.arguments.isEmpty { call.arguments = "{}" }
                if customTools.contains(call.name) { $0.customCall(call) } else { $0.toolCall(call) }
            }
        }
    }
}

extension JSONWriter {
    /// An element of `tool_calls`, of a tool that takes a text.
    fileprivate mutating func customCall(_ call: ChatToolCall) {
        object {
            $0.member("id", call.id)
            $0.member("type", "custom")
            $0.key("custom")
            $0.object {
                $0.member("name", call.name)
                $0.member("input", ChatTool.input(ofArguments: call.arguments))
            }
        }
    }
}
