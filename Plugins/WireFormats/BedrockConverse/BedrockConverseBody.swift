public import Codecs
public import ProviderKit

/// Writes the bodies of requests in this format. The model is not a part of them: it stands in the path.
public struct BedrockConverseBody: Sendable {
    /// Creates a writer.
    public init() {}

    /// The body of a call: what its typed request gives, with the members from the policy.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    public func sources(for call: Call) throws(ProviderError) -> [BodySource] {
        guard case .chat(let request) = call.payload else { throw .cannotExpress("a request in another format") }
        let written = try BedrockConverse.writeRequest(request, for: call)
        let body = written.span.bytes
        var policy = PolicyMembers(defaults: call.defaults, overrides: call.overrides)
        var splice = JSONSplice()
        let isCount = call.operation == .countTokens
        func isCounted(_ key: String) -> Bool { !isCount || Self.counted.contains(key) }
        for member in (try? JSON.members(of: body)) ?? [] where isCounted(JSON.string(member.key, in: body)) {
            if let change = policy.change(of: member, in: body) {
                splice.apply(change, to: member, in: body)
            } else {
                splice.keep(member, in: body)
            }
        }
        for field in policy.rest where isCounted(field.key) { splice.append(key: field.key, json: field.json) }
        let sent = splice.finish(in: body).joined(of: written)
        return [.bytes(isCount ? Array(#"{"input":{"converse":"#.utf8) + sent + Array("}}".utf8) : sent)]
    }

    /// The members of a request whose tokens can be counted. Source: Amazon Bedrock's API reference,
    /// `ConverseTokensRequest`.
    private static let counted: Set = ["messages", "system", "toolConfig", "additionalModelRequestFields"]

    /// The repair of a refused request: without the reasoning of earlier turns, if the provider finds it stale.
    public func repair(of call: Call, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        guard error.status == 400, case .chat(let request) = call.payload,
            request.messages.contains(where: { $0.parts.contains { if case .reasoning = $0.content { true } else { false } } }),
            ErrorBody.mentions(AnthropicMessagesBody.staleThinking, in: refusal)
        else { return nil }
        return .withoutThinking
    }
}
