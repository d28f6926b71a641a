public import Codecs
public import ProviderKit

/// Writes the bodies of requests to a server with this format.
public struct OpenAIResponsesBody: Sendable {
    /// Creates a writer.
    public init() {}

    /// The body of a call: the client's, or what its typed request gives, with the provider's name of the model and the
    /// members from the policy. All other bytes of a client's body stay as they are, unless it has reasoning that
    /// another provider has made.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``, and ``FailureClass/unsupported`` for a continuation.
    public func sources(for call: Call, body: RawSpan) throws(ProviderError) -> [BodySource] {
        if call.continuation != nil { throw .cannotExpress("the continuation of a partial response") }
        switch call.payload {
        case .members(let members): return spliced(members, call, body)
        case .chat(let request):
            let written = try OpenAIResponses.writeRequest(request, for: call)
            var members = (try? JSON.members(of: written.span.bytes)) ?? []
            if call.operation == .countTokens, let known = Self.members(of: call) {
                members.removeAll { !known.union(["input"]).contains(JSON.string($0.key, in: written.span.bytes)) }
            }
            return [.bytes(spliced(members, call, written.span.bytes).joined(of: written))]
        case .embeddings: throw .cannotExpress("an embeddings request")
        case .form: throw .cannotExpress("a form")
        }
    }

    /// The repair of a refused request: without the reasoning of earlier turns, if the server can't decrypt it.
    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        guard OpenAITokens.areStale(error, refusal) else { return nil }
        let hasTokens =
            switch call.payload {
            case .members(let members):
                members.contains { member in
                    guard JSON.isKey(member.key, "input", in: body) else { return false }
                    let items = JSONTree(body.extracting(member.value.range))?.elements ?? []
                    return items.contains { Self.understood($0, by: call)?.isEncryptedReasoning == true }
                }
            case .chat(let request): request.messages.contains { $0.parts.contains { $0.token(for: call) != nil } }
            case .embeddings, .form: false
            }
        return hasTokens ? .withoutTokens : nil
    }

    private func spliced(_ members: [JSONMember], _ call: Call, _ body: RawSpan) -> [BodySource] {
        let known = Self.members(of: call)
        func isKnown(_ field: BodyField) -> Bool { known?.contains(field.key) != false }
        let policy = PolicyMembers(defaults: call.defaults.filter(isKnown), overrides: call.overrides.filter(isKnown))
        return call.spliced(members, policy, in: body) { member in
            guard call.mayHaveTokens || call.repairs.contains(.withoutTokens), JSON.isKey(member.key, "input", in: body) else {
                return .keep
            }
            return Self.understood(body.extracting(member.value.range), by: call).map { .replace($0) } ?? .keep
        }
    }

    /// The members of the policy that a request may have; nil: all. Counting and compaction refuse the others.
    /// Source: the SDK's `InputTokenCountParams` and `ResponseCompactParams`.
    private static func members(of call: Call) -> Set<String>? {
        if call.operation == .countTokens { return ["instructions", "reasoning", "text", "tool_choice", "tools", "truncation"] }
        return call.upstreamFormat == OpenAIResponses.compaction ? ["instructions", "prompt_cache_key"] : nil
    }

    /// The value of `input` without the reasoning that another provider has made, and, after a repair, without that of
    /// this one; nil if there is none.
    private static func understood(_ input: RawSpan, by call: Call) -> [UInt8]? {
        let dropsAll = call.repairs.contains(.withoutTokens)
        guard dropsAll || OpaqueToken.mayOccur(in: input), case .array(let items)? = JSONTree(input) else { return nil }
        let left = items.compactMap { item in
            understood(item, by: call).flatMap { item in dropsAll ? item.withoutEncryptedReasoning : item }
        }
        return left == items ? nil : JSONTree.array(left).encoded
    }

    /// An item as the call's provider has made it; nil if another one has made it. The id was the router's.
    private static func understood(_ item: JSONTree, by call: Call) -> JSONTree? {
        guard item["type"]?.string == "reasoning", case .object(var members) = item,
            let place = members.lastIndex(where: { $0.name == "encrypted_content" }),
            let text = members[place].value.string, text.hasPrefix(OpaqueToken.mark)
        else { return item }
        guard let value = JSONTree.untagged(text, for: call, in: OpenAIResponses.format) else { return nil }
        members[place].value = value
        return .object(members.filter { $0.name != "id" })
    }
}

extension JSONTree {
    fileprivate var isEncryptedReasoning: Bool { self["type"]?.string == "reasoning" && self["encrypted_content"]?.string != nil }

    /// The item, for a conversation without encrypted reasoning; nil if it is such reasoning itself.
    ///
    /// OpenAI knows by the ids of messages and calls that reasoning stood before them, and refuses them without it:
    /// "Item 'fc_…' of type 'function_call' was provided without its required 'reasoning' item". In a request, these
    /// ids are optional. Sources: the error, as recorded by OpenAI's clients; the SDK's `EasyInputMessageParam`,
    /// `ResponseFunctionToolCallParam` and `ResponseCustomToolCallParam`.
    fileprivate var withoutEncryptedReasoning: JSONTree? {
        if isEncryptedReasoning { return nil }
        guard case .object(let members) = self, ["message", "function_call", "custom_tool_call"].contains(self["type"]?.string) else {
            return self
        }
        return .object(members.filter { $0.name != "id" })
    }
}
