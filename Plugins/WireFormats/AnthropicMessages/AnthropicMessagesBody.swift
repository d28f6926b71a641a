public import Codecs
public import ProviderKit

/// Writes the bodies of requests to a server with this format.
public struct AnthropicMessagesBody: Sendable {
    /// Creates a writer.
    public init() {}

    /// The body of a call: the client's, or what its typed request gives, with the provider's name of the model and the
    /// members from the policy. All other bytes of a client's body stay as they are, unless it has thinking that
    /// another provider has made.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    public func sources(for call: Call, body: RawSpan) throws(ProviderError) -> [BodySource] {
        switch call.payload {
        case .members(let members): return spliced(members, call, body)
        case .chat(let request):
            let written = try AnthropicMessages.writeRequest(request, for: call)
            var members = (try? JSON.members(of: written.span.bytes)) ?? []
            if call.operation == .countTokens { members.removeAll { !Self.counted.contains(JSON.string($0.key, in: written.span.bytes)) } }
            return [.bytes(spliced(members, call, written.span.bytes).joined(of: written))]
        case .embeddings: throw .cannotExpress("an embeddings request")
        case .form: throw .cannotExpress("a form")
        }
    }

    /// The repair of a refused request: without the thinking of earlier turns, if the provider finds it stale.
    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        guard error.status == 400, ErrorBody.mentions(Self.staleThinking, in: refusal), hasThinking(call, body) else { return nil }
        return .withoutThinking
    }

    /// The words of refused thinking. Sources: Anthropic's guide "Troubleshooting thinking"; as its clients have
    /// recorded them.
    static let staleThinking = [
        "`signature` in `thinking`", "`data` in `redacted_thinking`", "bound to a different conversation",
        "blocks in the latest assistant message cannot be modified",
    ]

    private func hasThinking(_ call: Call, _ body: RawSpan) -> Bool {
        switch call.payload {
        case .members(let members):
            members.contains { member in
                JSON.isKey(member.key, "messages", in: body)
                    && AnthropicHistory.withoutThinking(body.extracting(member.value.range), call, dropsAll: true) != nil
            }
        case .chat(let request):
            request.messages.contains { $0.parts.contains { if case .reasoning = $0.content { true } else { false } } }
        case .embeddings, .form: false
        }
    }

    private func spliced(_ members: [JSONMember], _ call: Call, _ body: RawSpan) -> [BodySource] {
        let isCount = call.operation == .countTokens
        let policy = PolicyMembers(
            defaults: call.defaults.filter { !isCount || Self.counted.contains($0.key) },
            overrides: call.overrides.filter { !isCount || Self.counted.contains($0.key) })
        let history = history(members, call, body)
        let dropsBudget =
            history?.dropsBudget == true && members.contains { isKept($0, "thinking", policy, body) && Self.hasBudget($0, body) }
        return call.spliced(members, policy, in: body) { member in
            if let history, JSON.isKey(member.key, "messages", in: body) { return .replace(history.messages) }
            guard dropsBudget else { return .keep }
            if JSON.isKey(member.key, "thinking", in: body) { return .drop }
            guard JSON.isKey(member.key, "context_management", in: body) else { return .keep }
            return Self.withoutThinkingEdits(body.extracting(member.value.range)).map { .replace($0) } ?? .drop
        }
    }

    /// The members that change the number of a request's tokens. The others are refused by the counting.
    /// Source: the SDK's `MessageCountTokensParams`.
    private static let counted: Set = ["messages", "output_config", "system", "thinking", "tool_choice", "tools", "cache_control"]

    /// The conversation without the thinking that the provider doesn't understand; nil if there is none.
    private func history(_ members: [JSONMember], _ call: Call, _ body: RawSpan) -> AnthropicHistory? {
        let dropsAll = call.repairs.contains(.withoutThinking)
        // Of several members with a name, servers take the last.
        guard case .members = call.payload, let member = members.last(where: { JSON.isKey($0.key, "messages", in: body) }) else {
            return nil
        }
        let messages = body.extracting(member.value.range)
        guard dropsAll || call.mayHaveTokens && OpaqueToken.mayOccur(in: messages) else { return nil }
        return AnthropicHistory.withoutThinking(messages, call, dropsAll: dropsAll)
    }

    /// Whether a member has this name, and stays as it is under the policy.
    private func isKept(_ member: JSONMember, _ name: StaticString, _ policy: PolicyMembers, _ body: RawSpan) -> Bool {
        JSON.isKey(member.key, name, in: body) && !policy.sets("\(name)")
    }

    /// The value of `context_management` without the edits of thinking, which are refused if the model doesn't think;
    /// nil if nothing is left. Source: Anthropic's guide "Context editing", `clear_thinking_20251015`.
    private static func withoutThinkingEdits(_ management: RawSpan) -> [UInt8]? {
        guard case .object(var members)? = JSONTree(management), let place = members.lastIndex(where: { $0.name == "edits" }),
            let edits = members[place].value.elements
        else { return Array(copying: 0..<management.byteCount, of: management) }
        let left = edits.filter { $0["type"]?.string?.hasPrefix("clear_thinking_") != true }
        if left.isEmpty { members.remove(at: place) } else { members[place].value = .array(left) }
        return members.isEmpty ? nil : JSONTree.object(members).encoded
    }

    /// Whether the value of `thinking` has a budget.
    private static func hasBudget(_ member: JSONMember, _ body: RawSpan) -> Bool {
        JSONTree(body.extracting(member.value.range))?["type"]?.string == "enabled"
    }
}

/// The messages of a client's body without the thinking that a provider doesn't understand.
struct AnthropicHistory {
    /// The value of `messages`.
    private(set) var messages: [UInt8] = []
    /// Whether the assistant's last turn now calls tools without thinking, so that a budget for thinking is refused.
    private(set) var dropsBudget = false

    /// The changed messages; nil if nothing changes.
    ///
    /// - Parameter dropsAll: whether to drop all thinking, and not only what another provider has made.
    static func withoutThinking(_ messages: RawSpan, _ call: Call, dropsAll: Bool) -> AnthropicHistory? {
        guard case .array(let turns)? = JSONTree(messages) else { return nil }
        var history = AnthropicHistory(), isChanged = false
        var kept: [JSONTree] = []
        for turn in turns {
            guard case .object(var members) = turn, let place = members.lastIndex(where: { $0.name == "content" }),
                let blocks = members[place].value.elements
            else {
                kept.append(turn)
                continue
            }
            let left = blocks.compactMap { dropsAll && $0.isThinking ? nil : $0.understood(by: call) }
            guard left != blocks else {
                kept.append(turn)
                continue
            }
            isChanged = true
            members[place].value = .array(left)
            // A turn without content is refused.
            if !left.isEmpty { kept.append(.object(members)) }
        }
        guard isChanged else { return nil }
        history.messages = JSONTree.array(kept).encoded
        let last = kept.last { $0["role"]?.string == "assistant" }?["content"]?.elements ?? []
        history.dropsBudget = last.contains { $0["type"]?.string == "tool_use" } && !last.contains(where: \.isThinking)
        return history
    }
}

extension JSONTree {
    fileprivate var isThinking: Bool {
        let type = self["type"]?.string
        return type == "thinking" || type == "redacted_thinking"
    }

    /// The block as the call's provider has made it; nil if another one has made it.
    fileprivate func understood(by call: Call) -> JSONTree? {
        guard isThinking else { return withoutForeignCitations }
        guard case .object(var members) = self,
            let place = members.lastIndex(where: { ["signature", "data"].contains($0.name) }),
            let text = members[place].value.string, text.hasPrefix(OpaqueToken.mark)
        else { return self }
        guard let string = JSONTree.untagged(text, for: call, in: AnthropicMessages.format) else { return nil }
        members[place].value = string
        return .object(members)
    }
}

extension JSONTree {
    /// The block without the citations that come from another format.
    fileprivate var withoutForeignCitations: JSONTree {
        guard case .object(var members) = self, let place = members.lastIndex(where: { $0.name == "citations" }),
            let citations = members[place].value.elements
        else { return self }
        let kept = citations.filter { $0["encrypted_index"]?.string != OpaqueToken.none }
        if kept.count == citations.count { return self }
        if kept.isEmpty { members.remove(at: place) } else { members[place].value = .array(kept) }
        return .object(members)
    }
}

extension Repair {
    /// Anthropic signs thinking, and refuses it if the conversation before it has changed.
    static let withoutThinking = Repair("without the thinking of earlier turns", isLasting: false)
}
