import Codecs
public import ProviderKit

/// Folds typed events into one object.
public struct OllamaMessageWriter: Sendable {
    private let isGenerate: Bool
    private var model: String
    private var text = ""
    private var thinking = ""
    private var toolCalls: [(index: Int, call: ChatToolCall)] = []
    private var reason = FinishReason.stop
    /// The tokens of the texts that are not written yet; nil if there are none.
    private var tokens: [ChatToken]?

    /// Creates a writer, as ``OllamaLineWriter/init(_:model:)`` does.
    public init(_ format: WireFormat, model: String) {
        isGenerate = format == OllamaChat.generate
        self.model = model
    }

    /// Adds an event. This format has neither sources nor the tokens of reasoning.
    public mutating func add(_ event: ChatEvent) {
        switch event {
        case .start(_, let model): self.model = model ?? self.model
        case .text(let text), .refusal(let text): self.text += text
        case .logprobs(let tokens): self.tokens = (self.tokens ?? []) + tokens
        case .reasoning(let text): thinking += text
        case .toolCall(let index, let id, let name): toolCalls.append((index, ChatToolCall(id: id, name: name, arguments: "")))
        case .toolArguments(let index, let fragment):
            guard let place = toolCalls.lastIndex(where: { $0.index == index }) else { return }
            toolCalls[place].call.arguments += fragment
        case .finish(let reason, _): self.reason = reason
        case .reasoningToken, .citation: break
        }
    }

    /// Why the response has ended.
    public var finishReason: FinishReason { reason }

    /// The object.
    ///
    /// - Parameter time: when it is written, in milliseconds since 1970.
    /// - Throws: ``FailureClass/upstreamError`` if the arguments of a tool call are no JSON object.
    public func object(_ usage: Usage?, _ durations: OllamaDurations, at time: Int) throws(ProviderError) -> [UInt8] {
        let calls = try encodedToolCalls()
        return Array(line(at: time, text: text, thinking: thinking, toolCalls: calls, tokens: tokens, end: (usage, durations)).dropLast())
    }

    /// Takes the tokens of the next text.
    mutating func takeTokens() -> [ChatToken]? { tokens.take() }

    /// The elements of `tool_calls`. Their arguments are objects here, and texts in other formats.
    func encodedToolCalls() throws(ProviderError) -> [UInt8] {
        guard !toolCalls.isEmpty else { return [] }
        for (_, call) in toolCalls where !call.hasObject {
            throw ProviderError(
                .upstreamError, message: "the model has called the tool '\(call.name.prefix(64))' with arguments that are no JSON object",
                code: ProviderError.unreadableCode)
        }
        var writer = JSONWriter()
        writer.array {
            for (position, (_, call)) in toolCalls.enumerated() {
                $0.ollamaToolCall(call, index: position, arguments: call.argumentsObject)
            }
        }
        return writer.bytes
    }

    /// One line, with its end.
    ///
    /// - Parameters:
    ///   - toolCalls: the list, encoded; empty if there is none.
    ///   - tokens: those of the text; nil if there are none.
    ///   - end: nil if the response goes on, or has only a reason for its end.
    ///   - doneReason: nil: the response's own.
    func line(
        at time: Int, text: String = "", thinking: String = "", toolCalls: [UInt8] = [], tokens: [ChatToken]? = nil,
        end: (Usage?, OllamaDurations)? = nil, doneReason: String? = nil
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 192 + text.utf8.count + thinking.utf8.count + toolCalls.count)
        func writeContent(_ writer: inout JSONWriter) {
            if !thinking.isEmpty { writer.member("thinking", thinking) }
            guard !toolCalls.isEmpty else { return }
            writer.key("tool_calls")
            writer.raw(toolCalls)
        }
        writer.object {
            $0.member("model", model)
            $0.member("created_at", WireDate.rfc3339(time / 1000, milliseconds: time % 1000))
            if isGenerate {
                $0.member("response", text)
                writeContent(&$0)
            } else {
                $0.key("message")
                $0.object {
                    $0.member("role", "assistant")
                    $0.member("content", text)
                    writeContent(&$0)
                }
            }
            if let tokens {
                $0.key("logprobs")
                $0.tokens(tokens)
            }
            $0.member("done", end != nil || doneReason != nil)
            if end != nil || doneReason != nil { $0.member("done_reason", doneReason ?? (reason == .length ? "length" : "stop")) }
            if let (usage, durations) = end { writeNumbers(usage, durations, &$0) }
        }
        return writer.bytes + [ASCII.lineFeed]
    }

    /// Numbers that are unknown are left out, as Ollama does.
    private func writeNumbers(_ usage: Usage?, _ durations: OllamaDurations, _ writer: inout JSONWriter) {
        writer.member("total_duration", durations.total)
        writer.member("load_duration", 0)
        if let tokens = usage?.promptTokens { writer.member("prompt_eval_count", tokens) }
        writer.member("prompt_eval_duration", durations.prompt)
        if let tokens = usage?.completionTokens { writer.member("eval_count", tokens) }
        writer.member("eval_duration", max(0, durations.total - durations.prompt))
    }
}

/// How long the parts of a response have taken, in nanoseconds.
public struct OllamaDurations: Sendable, Equatable {
    /// From the request to the end.
    public var total: Int
    /// Until the first byte of the response.
    public var prompt: Int

    /// Creates durations.
    public init(total: Int, prompt: Int) {
        self.total = total
        self.prompt = prompt
    }
}
