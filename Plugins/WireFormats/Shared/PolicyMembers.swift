import Codecs
import ProviderKit

/// The members of a request's body that the policy sets for a model: `request_defaults`, which are merged under those
/// of the client, and `request_overrides`, which are merged over them.
struct PolicyMembers {
    /// What becomes of a client's member.
    enum Change {
        case keep
        case replace([UInt8])
        case drop
    }

    private struct Member {
        let key: String
        var `default`: [UInt8]?
        /// The last one wins.
        var overrides: [[UInt8]] = []
        var isWritten = false

        /// The value with the overrides merged over it; nil if they remove it, which a null does.
        func overriding(_ value: [UInt8]) -> [UInt8]? {
            if overrides.last == Array("null".utf8) { return nil }
            return overrides.reduce(value) { JSON.merged($0.span.bytes, with: $1.span.bytes, isOtherPreferred: true) }
        }
    }

    private var members: [Member] = []

    init(defaults: [BodyField], overrides: [BodyField]) {
        for field in defaults { members.append(Member(key: field.key, default: field.json)) }
        for field in overrides { override(field) }
    }

    var isEmpty: Bool { members.isEmpty }

    func sets(_ key: String) -> Bool { members.contains { $0.key == key } }

    mutating func override(_ field: BodyField) {
        if let index = members.firstIndex(where: { $0.key == field.key }) {
            members[index].overrides.append(field.json)
        } else {
            members.append(Member(key: field.key, overrides: [field.json]))
        }
    }

    /// What becomes of a member of the client's body; nil if the policy does not set its key.
    mutating func change(of member: JSONMember, in body: RawSpan) -> Change? {
        let key = JSON.string(member.key, in: body)
        guard let index = members.firstIndex(where: { $0.key == key }) else { return nil }
        let own = members[index]
        // A second member with an overridden key is dropped, because most servers would use its value.
        if own.isWritten, !own.overrides.isEmpty { return .drop }
        members[index].isWritten = true
        let mayMerge = member.value.kind == .object && own.default?.first == UInt8(ascii: "{")
        if own.overrides.isEmpty, !mayMerge { return .keep }
        var json = body.extracting(member.value.range).withUnsafeBytes { Array($0) }
        if let value = own.default { json = JSON.merged(json.span.bytes, with: value.span.bytes, isOtherPreferred: false) }
        return own.overriding(json).map { .replace($0) } ?? .drop
    }

    /// The members that the client's body does not have.
    var rest: [BodyField] {
        members.filter { !$0.isWritten }.compactMap { member in
            member.overriding(member.default ?? Array("{}".utf8)).map { BodyField(key: member.key, json: $0) }
        }
    }
}

extension JSONSplice {
    mutating func apply(_ change: PolicyMembers.Change, to member: JSONMember, in body: RawSpan) {
        switch change {
        case .keep: keep(member, in: body)
        case .replace(let json): replace(member, with: json, in: body)
        case .drop: break
        }
    }
}
