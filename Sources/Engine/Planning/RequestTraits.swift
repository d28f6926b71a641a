package import Codecs
package import HTTPWire
package import NIOCore
import ProviderKit
package import RoutingPolicy

/// What the conditions and the sticky memory of routes read of a request. Only made for a policy that has one of these.
package final class RequestTraits: Sendable {
    private let fields: HTTPFields
    private let face: FaceName
    private let key: String?
    private let isStream: Bool
    private let body: ByteBuffer
    private let members: [JSONMember]

    /// - Parameters:
    ///   - key: the name of the request's key; nil if the policy has no keys.
    ///   - body: the request's body; empty for a form.
    ///   - members: the members of the body.
    package init(
        fields: HTTPFields, face: FaceName, key: String?, isStream: Bool, body: ByteBuffer = ByteBuffer(), members: [JSONMember] = []
    ) {
        self.fields = fields
        self.face = face
        self.key = key
        self.isStream = isStream
        self.body = body
        self.members = members
    }

    /// Whether everything that the condition names holds.
    func meets(_ condition: RouteCondition, _ operation: ProviderKit.Operation) -> Bool {
        if let isStream = condition.isStream, isStream != self.isStream { return false }
        if !condition.faces.isEmpty, !condition.faces.contains(face) { return false }
        if !condition.operations.isEmpty, !condition.operations.contains(operation) { return false }
        if !condition.keys.isEmpty, !(key.map(condition.keys.contains) ?? false) { return false }
        return condition.headers.allSatisfy { header in fields.value(header.name).map(header.matches) ?? false }
    }

    /// The request's conversation on a route; nil if the request has nothing that identifies one.
    func conversation(on route: String, _ sticky: Sticky) -> Conversation? {
        for identity in sticky.identities {
            var hasher = ConversationHash()
            hasher.combine(route)
            hasher.combine(key ?? "")
            hasher.combine(identity.word)
            if add(identity, to: &hasher) { return Conversation(id: hasher.finalize(), identity: identity, ttl: sticky.ttl) }
        }
        return nil
    }

    /// Returns false if the request does not have it.
    private func add(_ identity: Sticky.Identity, to hasher: inout ConversationHash) -> Bool {
        switch identity {
        case .session: Self.sessionFields.contains { add(field: "\($0)", to: &hasher) }
        case .header(let name): add(field: name, to: &hasher)
        case .promptCacheKey: add(text: "prompt_cache_key", to: &hasher)
        case .user: add(text: "user", to: &hasher) || add(text: "user_id", of: "metadata", to: &hasher)
        case .prefix: addPrefix(to: &hasher)
        }
    }

    /// What the client names its session, as its header fields have it; nil if it names none.
    package static func session(in fields: HTTPFields) -> String? {
        for name in sessionFields where fields.contains(name) {
            if let value = fields.value("\(name)"), !value.isEmpty { return value }
        }
        return nil
    }

    /// The header fields with which clients name their session.
    /// Sources: Claude Code's guide "LLM gateways"; the requests of `openai/codex`, `codex-rs/codex-api`; Fireworks'
    /// guide "Prompt caching" (`x-session-affinity`).
    private static let sessionFields: [StaticString] = ["x-claude-code-session-id", "session_id", "conversation_id", "x-session-affinity"]

    private func add(field name: String, to hasher: inout ConversationHash) -> Bool {
        guard let value = fields.value(name), !value.isEmpty else { return false }
        hasher.combine(value)
        return true
    }

    private func addPrefix(to hasher: inout ConversationHash) -> Bool {
        let body = body
        return ConversationPrefix.add(members, of: body.readableBytesSpan, to: &hasher)
    }

    /// - Parameter object: the member of the body that has the text as a member; nil: the body itself.
    private func add(text name: StaticString, of object: StaticString? = nil, to hasher: inout ConversationHash) -> Bool {
        let body = body, bytes = body.readableBytesSpan
        var value = Self.value(object ?? name, members, bytes)
        if object != nil {
            guard let object = value, object.kind == .object else { return false }
            value = Self.value(name, Self.members(of: object, in: bytes), bytes)
        }
        guard let value, value.kind == .string, value.range.count > 2 else { return false }
        hasher.combine(bytes: bytes, value.range)
        return true
    }

    private static func value(_ name: StaticString, _ members: [JSONMember], _ bytes: RawSpan) -> JSONValue? {
        members.first { JSON.isKey($0.key, name, in: bytes) }?.value
    }

    private static func members(of object: JSONValue, in bytes: RawSpan) -> [JSONMember] {
        var cursor = JSONCursor(at: object.range.lowerBound), members: [JSONMember] = []
        do throws(JSONError) {
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) { members.append(JSONMember(key: key, value: try cursor.skipValue(bytes))) }
        } catch {
            return []
        }
        return members
    }
}

/// A conversation on a route with `sticky`.
///
/// An object, so that the plans and calls of all other routes store only a reference.
package final class Conversation: Sendable, Equatable {
    /// A hash over the route, the key and what identifies the conversation; the same in all routers.
    let id: UInt128
    let identity: Sticky.Identity
    /// How long its model is remembered after a request.
    let ttl: Duration

    init(id: UInt128, identity: Sticky.Identity, ttl: Duration) {
        self.id = id
        self.identity = identity
        self.ttl = ttl
    }

    package static func == (first: Conversation, second: Conversation) -> Bool {
        (first.id, first.ttl) == (second.id, second.ttl) && first.identity == second.identity
    }
}
