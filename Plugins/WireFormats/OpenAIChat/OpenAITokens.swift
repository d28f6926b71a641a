import Codecs
import ProviderKit

/// The tokens of earlier responses that servers with this format make, and may refuse: encrypted reasoning and its
/// signatures in `reasoning_details`, and Google's signatures of tool calls in their `extra_content`.
///
/// Sources: OpenRouter's guide "Reasoning Tokens"; Google's guide "Thought signatures", OpenAI compatibility.
enum OpenAITokens {
    /// What the values of Google's signatures begin with, so that they go back to where they came from.
    private static let signatureMark = "thought_signature:"
    /// Google takes this in the place of a signature that is lost. Source: Google's guide "Thought signatures", FAQ.
    private static let placeholder = "skip_thought_signature_validator"

    /// The words of refused tokens. Sources: OpenAI's error codes, as recorded by its clients; Anthropic's and Google's
    /// wordings, which gateways pass on.
    private static let staleTokens = [
        "invalid_encrypted_content", "encrypted content", "`signature` in `thinking`", "`data` in `redacted_thinking`",
        "bound to a different conversation", "invalid signature",
    ]
    private static let staleSignatures = ["thought_signature", "thought signature", "thoughtsignature"]

    // MARK: The tokens of typed messages

    /// Google's signature of a tool call in a response, as a token of its own; nil if the call has none.
    static func signature(ofCall delta: JSONTree, _ call: Call) -> OpaqueToken? {
        guard let text = delta["extra_content"]?["google"]?["thought_signature"]?.string, !text.isEmpty else { return nil }
        return OpaqueToken(signatureMark + text, .signature, madeFor: call)
    }

    /// The token of reasoning that the call's provider has made, and has not refused; nil for a signature of a tool
    /// call.
    static func token(of reasoning: ChatReasoningText, _ call: Call) -> String? {
        guard !call.repairs.contains(.withoutTokens), let value = reasoning.token?.value(for: call, in: OpenAIChat.format),
            !value.hasPrefix(signatureMark)
        else { return nil }
        return value
    }

    /// The tool calls of a message, with the signature that stands before each.
    static func toolCalls(of message: ChatMessage, _ call: Call) -> [(call: ChatToolCall, signature: String?)] {
        var calls: [(call: ChatToolCall, signature: String?)] = []
        var signature = call.repairs.contains(.withPlaceholders) ? placeholder : nil
        for part in message.parts {
            switch part.content {
            case .reasoning(let reasoning):
                let value = reasoning.token?.value(for: call, in: OpenAIChat.format)
                if let value, value.hasPrefix(signatureMark), !call.repairs.contains(.withPlaceholders) {
                    signature = String(value.dropFirst(signatureMark.count))
                }
            case .toolCall(let toolCall):
                calls.append((toolCall, signature))
                signature = nil
            case .text, .media, .toolResult, .refusal: break
            }
        }
        return calls
    }

    // MARK: Repairs

    /// The repair of a request whose tokens are refused; nil if it has none, or the refusal is about something else.
    ///
    /// - Parameter body: the client's body, whose members the payload may refer to.
    static func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        guard error.status == 400 || error.status == 422 else { return nil }
        if ErrorBody.mentions(staleSignatures, in: refusal) { return changes(call, body, .withPlaceholders) ? .withPlaceholders : nil }
        return areStale(error, refusal) && changes(call, body, .withoutTokens) ? .withoutTokens : nil
    }

    /// Whether a refusal means that the tokens of earlier turns are stale.
    static func areStale(_ error: ProviderError, _ refusal: RawSpan) -> Bool {
        (error.status == 400 || error.status == 422) && ErrorBody.mentions(staleTokens, in: refusal)
    }

    /// Whether a repair would change the request.
    private static func changes(_ call: Call, _ body: RawSpan, _ repair: Repair) -> Bool {
        switch call.payload {
        case .members(let members):
            members.contains { member in
                guard JSON.isKey(member.key, "messages", in: body) else { return false }
                let turns = JSONTree(body.extracting(member.value.range))?.elements ?? []
                return turns.contains { repaired($0, by: [repair]) != $0 }
            }
        case .chat(let request):
            request.messages.contains { message in
                message.parts.contains { part in
                    switch part.content {
                    case .toolCall: repair == .withPlaceholders
                    case .reasoning(let reasoning): repair == .withoutTokens && token(of: reasoning, call) != nil
                    case .text, .media, .toolResult, .refusal: false
                    }
                }
            }
        case .embeddings, .form: false
        }
    }

    /// A message of a request that passes through, after the repairs.
    static func repaired(_ turn: JSONTree, by repairs: [Repair]) -> JSONTree {
        guard case .object(var members) = turn else { return turn }
        if repairs.contains(.withoutTokens), let place = members.lastIndex(where: { $0.name == "reasoning_details" }),
            let details = members[place].value.elements
        {
            let kept = details.filter { OpenAIReasoningDetail.token($0) == nil }
            if kept.isEmpty { members.remove(at: place) } else { members[place].value = .array(kept) }
        }
        if repairs.contains(.withPlaceholders), let place = members.lastIndex(where: { $0.name == "tool_calls" }),
            var calls = members[place].value.elements, case .object(let first)? = calls.first
        {
            var writer = JSONWriter()
            writer.signature(placeholder)
            let extra = (JSONTree(writer.bytes.span.bytes)?.members ?? [])
            calls[0] = .object(first.filter { $0.name != "extra_content" } + extra)
            members[place].value = .array(calls)
        }
        return .object(members)
    }
}

extension JSONWriter {
    /// Writes an object that has nothing but Google's signature.
    fileprivate mutating func signature(_ text: String) { object { $0.thoughtSignature(text) } }

    /// Writes the member of a tool call that has Google's signature.
    mutating func thoughtSignature(_ text: String) {
        key("extra_content")
        object {
            $0.key("google")
            $0.object { $0.member("thought_signature", text) }
        }
    }
}

extension Repair {
    /// OpenAI encrypts reasoning for one account and one model.
    static let withoutTokens = Repair("without the tokens of earlier turns", isLasting: false)
    /// Google signs the first tool call of each turn, and refuses one without a signature.
    static let withPlaceholders = Repair("with placeholders for the signatures of tool calls", isLasting: false)
}
