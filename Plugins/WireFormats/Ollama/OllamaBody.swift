public import Codecs
public import ProviderKit

/// Writes the bodies of requests to a server with Ollama's formats.
public struct OllamaBody: Sendable {
    /// Creates a writer.
    public init() {}

    /// The body of a call: the client's, or what its typed request gives, with the provider's name of the model, the
    /// members from the policy, and those that keep the server from cutting the prompt. All other bytes of a client's
    /// body stay as they are.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    public func sources(for call: Call, body: RawSpan) throws(ProviderError) -> [BodySource] {
        switch call.payload {
        case .members(let members): return spliced(members, call, body)
        case .chat(let request): return sources(written: try OllamaChat.writeRequest(request, for: call), call)
        case .embeddings(let request): return sources(written: try OllamaEmbed.writeRequest(request), call)
        case .form: throw .cannotExpress("a form")
        }
    }

    private func sources(written: [UInt8], _ call: Call) -> [BodySource] {
        let members = (try? JSON.members(of: written.span.bytes)) ?? []
        return [.bytes(spliced(members, call, written.span.bytes).joined(of: written))]
    }

    /// The repair of a refused request: without `think`, if it is typed and the model doesn't think. Clients of other
    /// formats ask every model to reason.
    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        guard case .chat(let request) = call.payload, request.reasoning != nil, error.status == 400,
            ErrorBody.mentions(Self.refusedThink, in: refusal)
        else { return nil }
        return .withoutThink
    }

    /// Source: ollama/ollama, server/routes.go and api/types.go.
    private static let refusedThink = ["does not support thinking", "think value", "invalid think"]

    private func spliced(_ members: [JSONMember], _ call: Call, _ body: RawSpan) -> [BodySource] {
        let policy = PolicyMembers(defaults: Self.defaults(of: call), overrides: Self.overrides(of: call))
        return call.spliced(members, policy, in: body) { member in
            call.repairs.contains(.withoutThink) && JSON.isKey(member.key, "think", in: body) ? .drop : .keep
        }
    }

    /// Without these members the server cuts a prompt or an input that is too long, silently, so that no other model
    /// could take it. Source: ollama/ollama, docs/api.md, `truncate` and `shift`.
    private static func defaults(of call: Call) -> [BodyField] {
        let own =
            call.format == OllamaEmbed.legacy && !call.isTyped ? [] : call.operation == .embeddings ? ["truncate"] : ["truncate", "shift"]
        return call.defaults
            + own.filter { key in !call.defaults.contains { $0.key == key } }.map { BodyField(key: $0, json: Array("false".utf8)) }
    }

    /// The server's own window is small, and one of another size loads the model anew, so each request has the window
    /// that the policy promises. Source: ollama/ollama, docs/faq.md, "How can I specify the context window size?".
    private static func overrides(of call: Call) -> [BodyField] {
        guard let context = call.context else { return call.overrides }
        return [BodyField(key: "options", json: Array(#"{"num_ctx":\#(context)}"#.utf8))] + call.overrides
    }
}

extension Repair {
    /// A model without thinking refuses to be told how much it shall think.
    static let withoutThink = Repair("without 'think'", isLasting: false)
}
