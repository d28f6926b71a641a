import Codecs
import ProviderKit

/// The changes that the messages of a request need for its server.
struct OpenAIHistory {
    private let call: Call
    /// Whether every turn of the assistant needs reasoning.
    private let fillsReasoning: Bool
    private let hasTokens: Bool

    /// The changed value of `messages`; nil if nothing changes, as in most requests, which must not cost anything.
    static func changed(_ messages: RawSpan, for call: Call, fillsReasoning: Bool) -> [UInt8]? {
        let hasTokens = call.mayHaveTokens && OpaqueToken.mayOccur(in: messages)
        guard hasTokens || fillsReasoning || !call.repairs.isEmpty else { return nil }
        return OpenAIHistory(call: call, fillsReasoning: fillsReasoning, hasTokens: hasTokens).changed(messages)
    }

    private func changed(_ messages: RawSpan) -> [UInt8]? {
        let hasSystemRole = call.repairs.contains(.withSystemRole)
        let hasRepair = call.repairs.contains(.withoutTokens) || call.repairs.contains(.withPlaceholders)
        guard hasTokens || fillsReasoning || hasSystemRole || hasRepair, case .array(let turns)? = JSONTree(messages) else { return nil }
        let changed = turns.map { turn -> JSONTree in
            guard case .object(var members) = OpenAITokens.repaired(turn, by: call.repairs) else { return turn }
            if hasTokens { dropForeignTokens(from: &members) }
            if fillsReasoning { fillReasoning(of: &members) }
            if hasSystemRole, let place = members.lastIndex(where: { $0.name == "role" }), members[place].value.string == "developer" {
                members[place].value = .string(Array("system".utf8))
            }
            return .object(members)
        }
        return changed == turns ? nil : JSONTree.array(changed).encoded
    }

    /// Drops the tokens that another provider has made.
    private func dropForeignTokens(from members: inout [JSONTree.Member]) {
        guard let place = members.lastIndex(where: { $0.name == "reasoning_details" }), let details = members[place].value.elements else {
            return
        }
        let kept = details.flatMap { OpenAIReasoningDetail.understood($0, by: call) }
        if kept.isEmpty, !details.isEmpty { members.remove(at: place) } else { members[place].value = .array(kept) }
    }

    /// Adds the shortest reasoning that is accepted to a turn of the assistant without any.
    /// Sources: DeepSeek's guide "Thinking Mode"; litellm, `deepseek/chat/transformation.py`.
    private func fillReasoning(of members: inout [JSONTree.Member]) {
        guard members.last(where: { $0.name == "role" })?.value.string == "assistant" else { return }
        let place = members.lastIndex { $0.name == "reasoning_content" }
        if let place, members[place].value.string?.isEmpty == false { return }
        if let place { members.remove(at: place) }
        members.append(JSONTree.Member(key: Array("reasoning_content".utf8), value: .string(Array(" ".utf8))))
    }
}
