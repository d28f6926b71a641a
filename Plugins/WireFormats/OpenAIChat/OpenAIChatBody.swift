public import Codecs
public import ProviderKit

/// Writes the bodies of requests to a server with this format.
public struct OpenAIChatBody: Sendable {
    private let dialect: OpenAIDialect

    /// Creates a writer for a server.
    public init(_ dialect: OpenAIDialect) {
        self.dialect = dialect
    }

    /// The body of a call: the client's, or what its typed request gives, with changes: `model`, the members from the
    /// policy, the request for a stream's usage, and the text to continue. All other bytes of a client's body stay as
    /// they are.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``, and ``FailureClass/unsupported`` if the server can't continue.
    public func sources(for call: Call, body: RawSpan) throws(ProviderError) -> [BodySource] {
        if call.continuation != nil, dialect.continuation == .no {
            throw ProviderError(.unsupported, message: "the provider can't continue a partial response; set 'continues' if its server can")
        }
        switch call.payload {
        case .members(let members): return spliced(members, call, body)
        case .chat(let request):
            let written = try OpenAIChat.writeRequest(request, for: call, dialect)
            let members = (try? JSON.members(of: written.span.bytes)) ?? []
            return [.bytes(spliced(members, call, written.span.bytes).joined(of: written))]
        case .embeddings: throw .cannotExpress("an embeddings request")
        case .form: throw .cannotExpress("a form")
        }
    }

    /// The repair of a refused request: without the request for a stream's usage, if the router has added it; with the
    /// reasoning of earlier turns, if the router has left it out.
    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        if call.isTyped, error.status == 400, ErrorBody.mentions(["reasoning_content"], in: refusal),
            ErrorBody.mentions(["must be passed back", "is missing", "missing field", "required"], in: refusal)
        {
            return .withReasoning
        }
        let names = ["stream_options", "include_usage"]
        guard call.isStream, requestsUsage(of: call), !clientWantsUsage(call, body), error.failure != .providerRejected,
            error.failure != .rateLimited, ErrorBody.mentions(names, in: refusal)
        else { return nil }
        return .withoutStreamUsage
    }

    /// Whether a stream's usage is requested.
    private func requestsUsage(of call: Call) -> Bool {
        call.isStream && dialect.streamUsage && !call.repairs.contains(.withoutStreamUsage)
    }

    private func clientWantsUsage(_ call: Call, _ body: RawSpan) -> Bool {
        guard case .members(let members) = call.payload else { return false }
        return members.contains { JSON.isKey($0.key, "stream_options", in: body) && Self.includesUsage($0.value, body) }
    }

    private static func includesUsage(_ options: JSONValue, _ body: RawSpan) -> Bool {
        guard options.kind == .object, let members = try? JSON.members(of: body.extracting(options.range)) else { return false }
        let inner = body.extracting(options.range)
        return members.contains { JSON.isKey($0.key, "include_usage", in: inner) && $0.value.kind == .true }
    }

    private func spliced(_ members: [JSONMember], _ call: Call, _ body: RawSpan) -> [BodySource] {
        var requestsUsage = requestsUsage(of: call) && !clientWantsUsage(call, body)
        let partial = call.continuation.map(partialMessage)
        var policy = PolicyMembers(defaults: call.defaults, overrides: overrides(of: call))
        if requestsUsage, policy.sets("stream_options") {
            policy.override(BodyField(key: "stream_options", json: Self.usageOption))
            requestsUsage = false
        }
        var splice = JSONSplice()
        var hasModel = false, hasStreamOptions = false, hasMessages = false
        for member in members {
            if JSON.isKey(member.key, "model", in: body) {
                hasModel = true
                splice.replace(member, with: call.encodedModel, in: body)
            } else if !policy.isEmpty, let change = policy.change(of: member, in: body) {
                splice.apply(change, to: member, in: body)
            } else if requestsUsage, JSON.isKey(member.key, "stream_options", in: body) {
                hasStreamOptions = true
                let options = JSON.merged(
                    body.extracting(member.value.range), with: Self.usageOption.span.bytes, isOtherPreferred: true)
                splice.replace(member, with: options, in: body)
            } else if JSON.isKey(member.key, "messages", in: body) {
                hasMessages = true
                let messages = OpenAIReasoningDetail.understood(body.extracting(member.value.range), by: call)
                if let messages {
                    splice.replace(member, with: messages.adding(partial), in: body)
                } else if let partial {
                    splice.extend(member, with: partial, in: body)
                } else {
                    splice.keep(member, in: body)
                }
            } else {
                splice.keep(member, in: body)
            }
        }
        if !hasModel { splice.append(key: "model", json: call.encodedModel) }
        if let partial, !hasMessages { splice.append(key: "messages", json: [UInt8(ascii: "[")] + partial + [UInt8(ascii: "]")]) }
        if requestsUsage, !hasStreamOptions { splice.append(key: "stream_options", json: Self.usageOption) }
        for field in policy.rest { splice.append(key: field.key, json: field.json) }
        return splice.finish(in: body)
    }

    /// Asks for the usage of a stream, so that the cost of every stream is known.
    private static let usageOption = Array(#"{"include_usage":true}"#.utf8)

    /// The assistant's message so far, from which the model continues.
    private func partialMessage(_ text: String) -> [UInt8] {
        var writer = JSONWriter(capacity: text.utf8.count + 64)
        writer.object {
            $0.member("role", "assistant")
            $0.member("content", text)
            if dialect.continuation == .prefix { $0.member("prefix", true) }
        }
        return writer.bytes
    }

    /// The policy's overrides, and the members that a continuation needs. The latter take precedence, because without
    /// them the response would start again.
    private func overrides(of call: Call) -> [BodyField] {
        guard call.continuation != nil, dialect.continuation == .continueFinalMessage else { return call.overrides }
        let required = [
            BodyField(key: "continue_final_message", json: Array("true".utf8)),
            BodyField(key: "add_generation_prompt", json: Array("false".utf8)),
        ]
        return required + call.overrides.filter { field in !required.contains { $0.key == field.key } }
    }
}

extension [UInt8] {
    /// A list with one more element.
    fileprivate func adding(_ element: [UInt8]?) -> [UInt8] {
        guard let element else { return self }
        return dropLast() + (count > 2 ? [ASCII.comma] : []) + element + [ASCII.closeBracket]
    }
}

extension Repair {
    /// DeepSeek refuses a conversation with tool calls that lacks it; others refuse one that has it. Source: DeepSeek's
    /// guide "Thinking Mode", tool calls.
    static let withReasoning = Repair("with 'reasoning_content'", isLasting: true)

    /// Some servers refuse members that they don't know.
    /// Sources: dnakov/anon-kode#53, vybestack/llxprt-code#114, windmill-labs/windmill#10404.
    static let withoutStreamUsage = Repair(
        "without 'stream_options'", isLasting: true,
        advice: "set 'stream_usage: false' on the provider; the tokens of its streams are then estimated")
}
