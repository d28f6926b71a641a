import Codecs
public import ProviderKit

/// Writes typed events as `chat.completion.chunk` objects.
public struct OpenAIChunkWriter: Sendable {
    private let id: String
    private let created: Int
    private var responseID: String?
    private var model: String
    private var hasRole = false
    private var hasToolCalls = false
    /// The indices of the tool calls that have no arguments so far.
    private var callsWithoutArguments: [Int] = []
    /// The arguments of the calls of custom tools, by their indices. The text in them is known at their end.
    private var customCalls: [(index: Int, arguments: String)] = []
    /// The names of the request's tools that take a text, as ``OpenAIChat/customTools(of:)`` finds them. They must be
    /// set before the first call of a tool.
    public var customTools: Set<String> = []
    private var reasoning = OpenAIReasoning()
    /// The tokens of the next text; nil if it has none.
    private var tokens: [ChatToken]?

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - id: the request's id, for responses whose provider sends no id.
    ///   - created: in seconds since 1970.
    ///   - model: the name of the model, for providers that send none.
    public init(id: String, created: Int, model: String) {
        self.id = id
        self.created = created
        self.model = model
    }

    /// The event's chunk; nil for `start`, which has none.
    public mutating func chunk(_ event: ChatEvent) -> [UInt8]? {
        switch event {
        case .start(let id, let model):
            responseID = id
            self.model = model ?? self.model
            return nil
        case .text(let text):
            return delta(tokens: tokens.take()) { $0.member("content", text) }
        case .logprobs(let tokens):
            self.tokens = tokens
            return nil
        case .reasoning(let text):
            reasoning.add(text)
            return delta { $0.member("reasoning_content", text) }
        case .reasoningToken(let token):
            let (text, index) = reasoning.end(token)
            return delta { writer in
                writer.key("reasoning_details")
                writer.array { OpenAIReasoningDetail.write(text, token.kind, token.tagged, at: index, to: &$0) }
            }
        case .citation(let citation):
            return delta { writer in
                writer.key("annotations")
                writer.array { citation.write(to: &$0) }
            }
        case .refusal(let text):
            return delta { $0.member("refusal", text) }
        case .toolCall(let index, let id, let name):
            hasToolCalls = true
            let isCustom = customTools.contains(name)
            if isCustom { customCalls.append((index, "")) } else { callsWithoutArguments.append(index) }
            return delta { writer in
                writer.key("tool_calls")
                writer.array {
                    $0.object {
                        $0.member("index", index)
                        $0.member("id", id)
                        $0.member("type", isCustom ? "custom" : "function")
                        $0.key(isCustom ? "custom" : "function")
                        $0.object {
                            $0.member("name", name)
                            $0.member(isCustom ? "input" : "arguments", "")
                        }
                    }
                }
            }
        case .toolArguments(let index, let fragment):
            if let place = customCalls.firstIndex(where: { $0.index == index }) {
                customCalls[place].arguments += fragment
                return nil
            }
            if !fragment.isEmpty { callsWithoutArguments.removeAll { $0 == index } }
            return delta { writer in
                writer.key("tool_calls")
                writer.array { $0.toolDelta(index, "function", "arguments", fragment) }
            }
        case .finish(let reason, _):
            let empty = callsWithoutArguments, custom = customCalls
            (callsWithoutArguments, customCalls) = ([], [])
            // Some providers finish a response with tool calls by `stop`, but clients rely on `tool_calls`.
            return delta(reason: reason == .stop && hasToolCalls ? .toolCalls : reason) { writer in
                guard !empty.isEmpty || !custom.isEmpty else { return }
                writer.key("tool_calls")
                writer.array {
                    // Clients read the arguments as JSON.
                    for index in empty { $0.toolDelta(index, "function", "arguments", "{}") }
                    for call in custom { $0.toolDelta(call.index, "custom", "input", ChatTool.input(ofArguments: call.arguments)) }
                }
            }
        }
    }

    /// The chunk that `include_usage` requests: it has the usage and no choices.
    public func usageChunk(_ usage: Usage) -> [UInt8] {
        chunk {
            $0.key("choices")
            $0.array { _ in }
            $0.key("usage")
            usage.write(to: &$0)
        }
    }

    private mutating func delta(reason: FinishReason? = nil, tokens: [ChatToken]? = nil, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        let isFirst = !hasRole
        hasRole = true
        return chunk { writer in
            writer.key("choices")
            writer.array {
                $0.object { choice in
                    choice.member("index", 0)
                    choice.key("delta")
                    choice.object {
                        if isFirst { $0.member("role", "assistant") }
                        members(&$0)
                    }
                    if let tokens { choice.logprobs(tokens) }
                    choice.member("finish_reason", reason?.rawValue)
                }
            }
        }
    }

    private func chunk(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("id", responseID ?? "chatcmpl-\(id)")
            $0.member("object", "chat.completion.chunk")
            $0.member("created", created)
            $0.member("model", model)
            members(&$0)
        }
        return writer.bytes
    }
}

extension JSONWriter {
    /// The member `logprobs` of a choice.
    mutating func logprobs(_ tokens: [ChatToken]) {
        key("logprobs")
        object {
            $0.key("content")
            $0.tokens(tokens)
            $0.key("refusal")
            $0.null()
        }
    }

    /// More of a tool call.
    fileprivate mutating func toolDelta(_ index: Int, _ type: StaticString, _ member: StaticString, _ text: String) {
        object {
            $0.member("index", index)
            $0.key(type)
            $0.object { $0.member(member, text) }
        }
    }
}

/// The reasoning of a response, as far as ``OpenAIReasoningDetail`` needs it.
struct OpenAIReasoning: Sendable {
    /// The text since the last token.
    private var text = ""
    private(set) var ended: [(text: String, token: OpaqueToken)] = []

    mutating func add(_ more: String) { text += more }

    /// The text that belongs to a token, and the token's index.
    mutating func end(_ token: OpaqueToken) -> (text: String, index: Int) {
        // An encrypted token is reasoning of its own.
        let own = token.kind == .signature ? text : ""
        if token.kind == .signature { text = "" }
        ended.append((own, token))
        return (own, ended.count - 1)
    }
}

extension ChatCitation {
    /// Reads an element of `annotations`; nil if it cites no page.
    init?(annotation: JSONTree) {
        guard let citation = annotation["url_citation"], let url = citation["url"]?.string, !url.isEmpty else { return nil }
        let start = citation["start_index"]?.integer ?? 0, end = citation["end_index"]?.integer ?? 0
        let title = citation["title"]?.string ?? ""
        self.init(url: url, title: title.isEmpty ? nil : title, range: start >= 0 && start < end ? start..<end : nil)
    }

    /// Writes an element of `annotations`.
    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", "url_citation")
            $0.key("url_citation")
            $0.object {
                // OpenAI's schema requires all four.
                $0.member("url", url)
                $0.member("title", title ?? "")
                $0.member("start_index", range?.lowerBound ?? 0)
                $0.member("end_index", range?.upperBound ?? 0)
            }
        }
    }
}

extension Usage {
    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("prompt_tokens", promptTokens ?? 0)
            $0.member("completion_tokens", completionTokens ?? 0)
            $0.member("total_tokens", (promptTokens ?? 0).addingReportingOverflow(completionTokens ?? 0).partialValue)
            if cachedTokens != nil || cacheWriteTokens != nil {
                $0.key("prompt_tokens_details")
                $0.object {
                    $0.member("cached_tokens", cachedTokens ?? 0)
                    if let cacheWriteTokens { $0.member("cache_write_tokens", cacheWriteTokens) }
                }
            }
            if let reasoningTokens {
                $0.key("completion_tokens_details")
                $0.object { $0.member("reasoning_tokens", reasoningTokens) }
            }
        }
    }
}
