public import ProviderKit

extension OpenAIProvider {
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(target: chatTarget, fields: fields, body: chatBody(call, body))
    }

    /// The caller's body, byte for byte, but for `model`, the policy's own fields, and the wish for usage in a stream.
    private func chatBody(_ call: Call, _ body: RawSpan) -> [BodyPiece] {
        let asksForUsage = call.isStream && !call.wantsUsage && options.streamUsage
        var splice = JSONSplice()
        var defaults = call.defaults
        var written: Set<String> = []
        var hasModel = false, hasStreamOptions = false
        for member in call.members {
            if !defaults.isEmpty { defaults.removeAll { isKey(member, $0.key, body) } }
            if JSON.isKey(member.key, "model", in: body) {
                hasModel = true
                splice.replace(member, with: modelName(call), in: body)
            } else if let override = call.overrides.first(where: { isKey(member, $0.key, body) }) {
                // Once: of a second member of the same key, most readers would take the caller's value.
                if written.insert(override.key).inserted { splice.replace(member, with: override.json, in: body) }
            } else if asksForUsage, JSON.isKey(member.key, "stream_options", in: body) {
                hasStreamOptions = true
                splice.replace(member, with: withUsage(member.value, body), in: body)
            } else {
                splice.keep(member, in: body)
            }
        }
        if !hasModel { splice.append(key: "model", json: modelName(call)) }
        if asksForUsage, !hasStreamOptions { splice.append(key: "stream_options", json: Array(#"{"include_usage":true}"#.utf8)) }
        for field in defaults { splice.append(key: field.key, json: field.json) }
        for field in call.overrides where !written.contains(field.key) { splice.append(key: field.key, json: field.json) }
        return splice.finish(in: body)
    }

    private func modelName(_ call: Call) -> [UInt8] {
        var writer = JSONWriter(capacity: call.model.utf8.count + 2)
        writer.string(call.model)
        return writer.bytes
    }

    private func isKey(_ member: JSONMember, _ name: String, _ body: RawSpan) -> Bool {
        JSON.string(member.key, in: body) == name
    }

    /// The caller's `stream_options` with `include_usage` on, so that every stream's cost is known.
    private func withUsage(_ given: JSONValue, _ body: RawSpan) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        if given.kind == .object, let members = try? JSON.members(of: body.extracting(given.range)) {
            let inner = body.extracting(given.range)
            for member in members where !JSON.isKey(member.key, "include_usage", in: inner) {
                writer.key(escaping: JSON.string(member.key, in: inner))
                writer.raw(member.value.range, of: inner)
            }
        }
        writer.member("include_usage", true)
        writer.endObject()
        return writer.bytes
    }
}
