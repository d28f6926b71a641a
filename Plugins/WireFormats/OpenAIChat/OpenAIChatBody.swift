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
        case .members(let members):
            if let limit = tokenLimit(of: call), members.contains(where: { JSON.isKey($0.key, limit.from, in: body) }) {
                return [.bytes(rewritten(renaming(limit, in: members, body), call))]
            }
            return spliced(members, call, body)
        case .chat(let request): return [.bytes(rewritten(try OpenAIChat.writeRequest(request, for: call, dialect), call))]
        case .embeddings: throw .cannotExpress("an embeddings request")
        case .form: throw .cannotExpress("a form")
        }
    }

    /// The repair of a refused request: without refused tokens of earlier turns; without the request for a stream's
    /// usage, if the router has added it; with the reasoning of earlier turns, if it lacks it; with the other name of
    /// the token limit, or of the system's role.
    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        if error.status == 400 || error.status == 422 {
            if let repair = OpenAITokens.repair(of: call, body: body, refusedWith: error, refusal: refusal) { return repair }
            if ErrorBody.mentions(["reasoning_content"], in: refusal),
                ErrorBody.mentions(
                    ["must be passed back", "is missing", "missing field", "missing `reasoning_content`", "required"], in: refusal)
            {
                return .withReasoning
            }
            if let repair = repairOfTokenLimit(call, refusal) { return repair }
            // vLLM: "Unexpected message role."
            let namesRole = ErrorBody.mentions(["developer"], in: refusal) && ErrorBody.mentions(["role", "variant"], in: refusal)
            if !call.isTyped, namesRole || ErrorBody.mentions(["unexpected message role"], in: refusal),
                ErrorBody.mentions(["\"developer\""], in: body)
            {
                return .withSystemRole
            }
        }
        let names = ["stream_options", "include_usage"]
        guard call.isStream, requestsUsage(of: call), !clientWantsUsage(call, body), error.failure != .providerRejected,
            error.failure != .rateLimited, ErrorBody.mentions(names, in: refusal)
        else { return nil }
        return .withoutStreamUsage
    }

    /// The repair of a request whose token limit has a name that the model doesn't know.
    ///
    /// OpenAI: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'
    /// instead." Azure's older versions: "Unrecognized request argument supplied: max_completion_tokens".
    private func repairOfTokenLimit(_ call: Call, _ refusal: RawSpan) -> Repair? {
        let isNewName = ErrorBody.mentions(["use 'max_completion_tokens'", "use `max_completion_tokens`"], in: refusal)
        if isNewName { return .withNewTokenLimit(isLasting: dialect.hasOneTokenLimit) }
        guard ErrorBody.mentions(["max_completion_tokens"], in: refusal),
            ErrorBody.mentions(["unrecognized", "unknown", "not permitted", "not allowed", "unsupported", "extra inputs"], in: refusal)
        else { return nil }
        return .withOldTokenLimit
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

    /// The body that a body of the router's own becomes.
    private func rewritten(_ body: [UInt8], _ call: Call) -> [UInt8] {
        var body = body
        if let limit = tokenLimit(of: call), let members = try? JSON.members(of: body.span.bytes) {
            body = renaming(limit, in: members, body.span.bytes)
        }
        return spliced((try? JSON.members(of: body.span.bytes)) ?? [], call, body.span.bytes).joined(of: body)
    }

    /// The body with the other name of the token limit. If it has both, the one with the other name counts.
    private func renaming(_ limit: (from: StaticString, to: StaticString), in members: [JSONMember], _ body: RawSpan) -> [UInt8] {
        let hasBoth = members.contains { JSON.isKey($0.key, limit.to, in: body) }
        var writer = JSONWriter(capacity: body.byteCount + 32)
        writer.object { writer in
            for member in members {
                let isLimit = JSON.isKey(member.key, limit.from, in: body)
                if isLimit, hasBoth { continue }
                if isLimit { writer.key(limit.to) } else { writer.key(escaping: JSON.string(member.key, in: body)) }
                writer.raw(Array(copying: member.value.range, of: body))
            }
        }
        return writer.bytes
    }

    private func spliced(_ members: [JSONMember], _ call: Call, _ body: RawSpan) -> [BodySource] {
        var requestsUsage = requestsUsage(of: call) && !clientWantsUsage(call, body)
        let fillsReasoning = fillsReasoning(of: members, call, body)
        let partial = call.continuation.map { partialMessage($0, fillsReasoning: fillsReasoning) }
        let limit = tokenLimit(of: call)
        var policy = PolicyMembers(
            defaults: limit == nil ? call.defaults : call.defaults.map { $0.renamed(limit) },
            overrides: limit == nil ? overrides(of: call) : overrides(of: call).map { $0.renamed(limit) })
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
                if let messages = OpenAIHistory.changed(body.extracting(member.value.range), for: call, fillsReasoning: fillsReasoning) {
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
        if let order = order(of: call), !members.contains(where: { JSON.isKey($0.key, "provider", in: body) }) {
            splice.append(key: "provider", json: order)
        }
        return splice.finish(in: body)
    }

    /// The value of `provider` that asks first for the server that has the conversation in its cache; nil if none is
    /// known, or the policy has a value of its own.
    private func order(of call: Call) -> [UInt8]? {
        guard dialect.hasHosts, let host = call.lastHost, !(call.defaults + call.overrides).contains(where: { $0.key == "provider" })
        else { return nil }
        var writer = JSONWriter(capacity: 64)
        writer.object {
            $0.key("order")
            $0.array { $0.string(host) }
        }
        return writer.bytes
    }

    /// The names of the token limit that a repair changes; nil if none does.
    private func tokenLimit(of call: Call) -> (from: StaticString, to: StaticString)? {
        for repair in call.repairs.reversed() {
            if repair.name == Repair.newTokenLimit { return ("max_tokens", "max_completion_tokens") }
            if repair == .withOldTokenLimit { return ("max_completion_tokens", "max_tokens") }
        }
        return nil
    }

    /// Whether every turn of the assistant must have reasoning: a repair says so, or the server does and the model
    /// thinks, by its name or by the request.
    private func fillsReasoning(of members: [JSONMember], _ call: Call, _ body: RawSpan) -> Bool {
        if call.repairs.contains(.withReasoning) { return true }
        guard dialect.needsReasoning else { return false }
        let overridden = call.overrides.last { $0.key == "thinking" }.map { $0.json.span.bytes.hasEnabledType }
        let requested = members.last { JSON.isKey($0.key, "thinking", in: body) }.map { body.extracting($0.value.range).hasEnabledType }
        let preset = call.defaults.last { $0.key == "thinking" }.map { $0.json.span.bytes.hasEnabledType }
        return overridden ?? requested ?? preset ?? call.model.lowercased().contains("reasoner")
    }

    /// Asks for the usage of a stream, so that the cost of every stream is known.
    private static let usageOption = Array(#"{"include_usage":true}"#.utf8)

    /// The assistant's message so far, from which the model continues.
    private func partialMessage(_ text: String, fillsReasoning: Bool) -> [UInt8] {
        var writer = JSONWriter(capacity: text.utf8.count + 64)
        writer.object {
            $0.member("role", "assistant")
            $0.member("content", text)
            if dialect.continuation == .prefix { $0.member("prefix", true) }
            if fillsReasoning { $0.member("reasoning_content", " ") }
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

extension RawSpan {
    /// Whether it is an object with `"type": "enabled"`.
    fileprivate var hasEnabledType: Bool { JSONTree(self)?["type"]?.string == "enabled" }
}

extension BodyField {
    /// The field with the other name of a token limit.
    fileprivate func renamed(_ limit: (from: StaticString, to: StaticString)?) -> BodyField {
        guard let limit, key == limit.from.description else { return self }
        return BodyField(key: limit.to.description, json: json)
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

    static let newTokenLimit = "with 'max_completion_tokens' instead of 'max_tokens'"

    /// OpenAI's reasoning models refuse `max_tokens`. Source: OpenAI's API reference, "Chat Completions".
    ///
    /// - Parameter isLasting: whether all models of the server know the other name.
    static func withNewTokenLimit(isLasting: Bool) -> Repair { Repair(newTokenLimit, isLasting: isLasting) }

    /// Older servers don't know `max_completion_tokens`.
    static let withOldTokenLimit = Repair("with 'max_tokens' instead of 'max_completion_tokens'", isLasting: true)

    /// Servers that know OpenAI's older roles only. To models without the new role, it means the same. Sources:
    /// DeepSeek ("unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool`"); OpenAI's API
    /// reference, "Chat Completions", developer message.
    static let withSystemRole = Repair("with the role 'system' instead of 'developer'", isLasting: true)
}
