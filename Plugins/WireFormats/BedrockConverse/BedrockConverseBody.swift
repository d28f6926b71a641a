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
        for member in (try? JSON.members(of: body)) ?? [] {
            if let change = policy.change(of: member, in: body) {
                splice.apply(change, to: member, in: body)
            } else {
                splice.keep(member, in: body)
            }
        }
        for field in policy.rest { splice.append(key: field.key, json: field.json) }
        return [.bytes(splice.finish(in: body).joined(of: written))]
    }

    /// The repair of a refused request: without the reasoning of earlier turns, if the provider finds it stale.
    public func repair(of call: Call, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        guard error.status == 400, case .chat(let request) = call.payload,
            request.messages.contains(where: { $0.parts.contains { if case .reasoning = $0.content { true } else { false } } }),
            ErrorBody.mentions(AnthropicMessagesBody.staleThinking, in: refusal)
        else { return nil }
        return .withoutThinking
    }
}
