import Codecs
public import ProviderKit

extension OpenAIProvider {
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        if call.continuation != nil, options.continuation == .no {
            throw ProviderError(.unsupported, message: "the provider can't continue a partial response; set 'continues' if its server can")
        }
        return UpstreamRequest(
            target: chatTarget, fields: call.headers.isEmpty ? fields : fields + call.headers, body: chatBody(call, body))
    }

    /// Whether the router adds the request for a stream's usage.
    private func requestsUsage(of call: Call) -> Bool {
        call.isStream && !call.wantsUsage && options.streamUsage && !call.repairs.contains(.withoutStreamUsage)
    }

    public func repair(of call: Call, refusedWith error: ProviderError, body: RawSpan) -> Repair? {
        let names = ["stream_options", "include_usage"]
        guard requestsUsage(of: call), error.failure != .providerRejected, error.failure != .rateLimited,
            ErrorBody.mentions(names, in: body)
        else { return nil }
        return .withoutStreamUsage
    }

    /// The client's body with changes: `model`, the members from the policy, the request for a stream's usage, and the
    /// text to continue. All other bytes stay as they are.
    private func chatBody(_ call: Call, _ body: RawSpan) -> [BodySource] {
        var requestsUsage = requestsUsage(of: call)
        let partial = call.continuation.map(partialMessage)
        var policy = PolicyMembers(defaults: call.defaults, overrides: overrides(of: call))
        if requestsUsage, policy.sets("stream_options") {
            policy.override(BodyField(key: "stream_options", json: Self.usageOption))
            requestsUsage = false
        }
        var splice = JSONSplice()
        var hasModel = false, hasStreamOptions = false, hasMessages = false
        for member in call.members {
            if JSON.isKey(member.key, "model", in: body) {
                hasModel = true
                splice.replace(member, with: modelName(call), in: body)
            } else if !policy.isEmpty, let change = policy.change(of: member, in: body) {
                switch change {
                case .keep: splice.keep(member, in: body)
                case .replace(let json): splice.replace(member, with: json, in: body)
                case .drop: break
                }
            } else if requestsUsage, JSON.isKey(member.key, "stream_options", in: body) {
                hasStreamOptions = true
                let options = JSON.merged(
                    body.extracting(member.value.range), with: Self.usageOption.span.bytes, isOtherPreferred: true)
                splice.replace(member, with: options, in: body)
            } else if let partial, JSON.isKey(member.key, "messages", in: body) {
                hasMessages = true
                splice.extend(member, with: partial, in: body)
            } else {
                splice.keep(member, in: body)
            }
        }
        if !hasModel { splice.append(key: "model", json: modelName(call)) }
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
            if options.continuation == .prefix { $0.member("prefix", true) }
        }
        return writer.bytes
    }

    /// The policy's overrides, and the members that a continuation needs. The latter take precedence, because without
    /// them the response would start again.
    private func overrides(of call: Call) -> [BodyField] {
        guard call.continuation != nil, options.continuation == .continueFinalMessage else { return call.overrides }
        let required = [
            BodyField(key: "continue_final_message", json: Array("true".utf8)),
            BodyField(key: "add_generation_prompt", json: Array("false".utf8)),
        ]
        return required + call.overrides.filter { field in !required.contains { $0.key == field.key } }
    }

    private func modelName(_ call: Call) -> [UInt8] {
        var writer = JSONWriter(capacity: call.model.utf8.count + 2)
        writer.string(call.model)
        return writer.bytes
    }
}

extension Repair {
    /// Some servers refuse members that they don't know.
    /// Sources: dnakov/anon-kode#53, vybestack/llxprt-code#114, windmill-labs/windmill#10404.
    static let withoutStreamUsage = Repair(
        "without 'stream_options'", isLasting: true,
        advice: "set 'stream_usage: false' on the provider; the tokens of its streams are then estimated")
}
