public import Codecs
public import ProviderKit

/// Writes the bodies of requests to a server with this format.
public struct GeminiBody: Sendable {
    private let signatures: GeminiSignatures
    private let isVertex: Bool

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - signatures: those that ``Gemini/decoder(for:head:signatures:)`` keeps.
    ///   - isVertex: whether the server is Vertex AI, whose requests to count tokens contain no other request.
    public init(signatures: GeminiSignatures, isVertex: Bool = false) {
        self.signatures = signatures
        self.isVertex = isVertex
    }

    /// The body of a call: the client's, or what its typed request gives, with the members from the policy. All other
    /// bytes of a client's body stay as they are, apart from names of the model, and from signatures that another
    /// provider has made. The path names the model.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    public func sources(for call: Call, body: RawSpan) throws(ProviderError) -> [BodySource] {
        switch call.payload {
        case .members(let members):
            return rewritten(members, call, body).map { sources(of: $0, call) } ?? spliced(members, call, body)
        case .chat(let request):
            let written = try Gemini.writeRequest(request, for: call, signatures)
            if call.operation == .countTokens { return [.bytes(isVertex ? written : Self.counted(written, call))] }
            return sources(of: written, call)
        case .embeddings(let request): return sources(of: try GeminiEmbeddings.writeRequest(request, model: call.model), call)
        case .form: throw .cannotExpress("a form")
        }
    }

    /// A body of our own with the members from the policy.
    private func sources(of written: [UInt8], _ call: Call) -> [BodySource] {
        let members = (try? JSON.members(of: written.span.bytes)) ?? []
        return [.bytes(spliced(members, call, written.span.bytes).joined(of: written))]
    }

    /// The repair of a refused request: with other signatures, if the provider finds one missing or stale.
    public func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        error.status == 400 && call.operation == .chat && ErrorBody.mentions(Self.staleSignatures, in: refusal) ? .withoutSignatures : nil
    }

    /// The words of refused signatures, as clients have recorded them.
    private static let staleSignatures = [
        "missing a `thought_signature`", "missing a thought_signature", "thought signature", "thought_signature is not valid",
    ]

    /// A request to count the tokens of a typed request. Source: the Gemini API reference, "Counting tokens".
    private static func counted(_ request: [UInt8], _ call: Call) -> [UInt8] {
        var writer = JSONWriter(capacity: request.count + 128)
        writer.object { writer in
            writer.key("generateContentRequest")
            writer.object { writer in
                writer.member("model", Gemini.modelPrefix + call.model)
                for member in JSONTree(request.span.bytes)?.members ?? [] { member.write(to: &writer) }
            }
        }
        return writer.bytes
    }

    /// The client's body where single members can't be spliced; nil for almost all.
    private func rewritten(_ members: [JSONMember], _ call: Call, _ body: RawSpan) -> [UInt8]? {
        let inner = members.last { member in
            let names: [StaticString] = ["generateContentRequest", "generate_content_request"]
            return names.contains { JSON.isKey(member.key, $0, in: body) }
        }
        // Vertex AI takes the request whose tokens are counted without anything around it.
        guard isVertex, call.operation == .countTokens, let inner else { return Self.withoutSnakeCase(members, call, body) }
        return body.extracting(inner.value.range).withUnsafeBytes { Array($0) }
    }

    /// The body with members in camel case, if the policy sets members and the client writes them in snake case:
    /// servers refuse a member that is there in both spellings.
    private static func withoutSnakeCase(_ members: [JSONMember], _ call: Call, _ body: RawSpan) -> [UInt8]? {
        guard !call.defaults.isEmpty || !call.overrides.isEmpty else { return nil }
        let names = [
            "system_instruction": "systemInstruction", "generation_config": "generationConfig", "safety_settings": "safetySettings",
            "tool_config": "toolConfig", "cached_content": "cachedContent",
        ]
        var hasSnakeCase = false
        var writer = JSONWriter(capacity: body.byteCount + 16)
        writer.object { writer in
            for member in members {
                let name = JSON.string(member.key, in: body)
                if names[name] != nil { hasSnakeCase = true }
                writer.key(escaping: names[name] ?? name)
                writer.raw(member.value.range, of: body)
            }
        }
        return hasSnakeCase ? writer.bytes : nil
    }

    private func spliced(_ members: [JSONMember], _ call: Call, _ body: RawSpan) -> [BodySource] {
        // Requests to count tokens have no members that a policy sets, and those for several vectors have them in each
        // of their requests.
        let isPlain = call.operation == .countTokens || members.contains { JSON.isKey($0.key, "requests", in: body) }
        var policy = PolicyMembers(defaults: isPlain ? [] : call.defaults, overrides: isPlain ? [] : call.overrides)
        var splice = JSONSplice()
        for member in members {
            if JSON.isKey(member.key, "model", in: body) {
                continue
            } else if let value = changed(member, call, body) {
                splice.replace(member, with: value, in: body)
            } else if !policy.isEmpty, let change = policy.change(of: member, in: body) {
                splice.apply(change, to: member, in: body)
            } else {
                splice.keep(member, in: body)
            }
        }
        for field in policy.rest { splice.append(key: field.key, json: field.json) }
        return splice.finish(in: body)
    }

    /// The value of a member that can't go upstream as it is; nil for all others.
    private func changed(_ member: JSONMember, _ call: Call, _ body: RawSpan) -> [UInt8]? {
        let value = body.extracting(member.value.range)
        if call.operation == .embeddings {
            guard JSON.isKey(member.key, "requests", in: body) else { return nil }
            return JSONTree(value)?.elements.map { JSONTree.array($0.map { Self.embedding($0, call) }).encoded }
        }
        if JSON.isKey(member.key, "contents", in: body) {
            let isUnsigned = call.repairs.contains(.withoutSignatures)
            guard isUnsigned || call.mayHaveTokens && GeminiSignature.mayOccur(in: value), let tree = JSONTree(value) else { return nil }
            return GeminiHistory.signed(tree, call, isUnsigned: isUnsigned)?.encoded
        }
        if JSON.isKey(member.key, "generateContentRequest", in: body) || JSON.isKey(member.key, "generate_content_request", in: body) {
            return JSONTree(value).map { $0.replacing("model", by: .text(Gemini.modelPrefix + call.model)).encoded }
        }
        return nil
    }

    /// A request for one vector among several, with the model's name and the members from the policy.
    private static func embedding(_ request: JSONTree, _ call: Call) -> JSONTree {
        let json = request.replacing("model", by: .text(Gemini.modelPrefix + call.model)).encoded
        guard !call.defaults.isEmpty || !call.overrides.isEmpty, let members = try? JSON.members(of: json.span.bytes) else {
            return JSONTree(json.span.bytes) ?? request
        }
        var policy = PolicyMembers(defaults: call.defaults, overrides: call.overrides), splice = JSONSplice()
        for member in members {
            if let change = policy.change(of: member, in: json.span.bytes) {
                splice.apply(change, to: member, in: json.span.bytes)
            } else {
                splice.keep(member, in: json.span.bytes)
            }
        }
        for field in policy.rest { splice.append(key: field.key, json: field.json) }
        return JSONTree(splice.finish(in: json.span.bytes).joined(of: json).span.bytes) ?? request
    }
}

/// The contents of a client's body with signatures that the call's provider understands.
enum GeminiHistory {
    /// The changed contents; nil if nothing changes.
    ///
    /// - Parameter isUnsigned: whether to drop all signatures. The first call of each content then gets the sentinel.
    static func signed(_ contents: JSONTree, _ call: Call, isUnsigned: Bool) -> JSONTree? {
        guard let elements = contents.elements else { return nil }
        let changed = elements.map { content -> JSONTree in
            guard let parts = content["parts"]?.elements else { return content }
            var hasCall = false
            let changed = parts.map { part -> JSONTree in
                let isFirstCall = !hasCall && part[proto: "functionCall"] != nil
                if isFirstCall { hasCall = true }
                return signed(part, call, isUnsigned: isUnsigned, needsSignature: isFirstCall)
            }
            return changed == parts ? content : content.replacing("parts", by: .array(changed))
        }
        return changed == elements ? nil : .array(changed)
    }

    private static func signed(_ part: JSONTree, _ call: Call, isUnsigned: Bool, needsSignature: Bool) -> JSONTree {
        guard let text = part[proto: "thoughtSignature"]?.string else {
            return isUnsigned && needsSignature ? part.replacing("thoughtSignature", by: .text(GeminiSignature.sentinel)) : part
        }
        let tagged = GeminiSignature.decoded(text)
        if tagged == nil, !isUnsigned { return part }
        let own =
            isUnsigned
            ? nil : tagged.flatMap { OpaqueToken(tagged: $0, .signature, in: Gemini.format)?.value(for: call, in: Gemini.format) }
        if let own { return part.replacing("thoughtSignature", by: .text(own)) }
        return needsSignature
            ? part.replacing("thoughtSignature", by: .text(GeminiSignature.sentinel))
            : part.removing("thoughtSignature", "thought_signature")
    }
}

extension JSONTree {
    /// The object with another value for a member, which is added if it is missing. Anything else stays as it is.
    fileprivate func replacing(_ name: String, by value: JSONTree) -> JSONTree {
        guard case .object(var members) = removing(name, name == "thoughtSignature" ? "thought_signature" : name) else { return self }
        let place = self.members?.firstIndex { $0.name == name } ?? members.count
        members.insert(Member(key: Array(name.utf8), value: value), at: min(place, members.count))
        return .object(members)
    }

    fileprivate func removing(_ names: String...) -> JSONTree {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { !names.contains($0.name) })
    }
}

extension GeminiSignature {
    /// Whether a tagged token may occur in JSON.
    static func mayOccur(in json: RawSpan) -> Bool {
        let length = encodedMark.utf8CodeUnitCount
        var start = 0
        while let quote = json.firstIndex(of: ASCII.quote, in: start..<json.byteCount) {
            start = quote + 1
            if json.byteCount - start >= length, json.equals(start..<start + length, encodedMark) { return true }
        }
        return false
    }
}

extension Repair {
    /// Gemini signs function calls, and refuses those without a signature, and signatures of another model.
    static let withoutSignatures = Repair("without the signatures of earlier turns", isLasting: false)
}
