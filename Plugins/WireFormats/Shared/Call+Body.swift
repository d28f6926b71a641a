import Codecs
import ProviderKit

extension Call {
    /// The model's name as JSON.
    var encodedModel: [UInt8] {
        var writer = JSONWriter(capacity: model.utf8.count + 2)
        writer.string(model)
        return writer.bytes
    }

    /// A body with the provider's name of the model and the members from the policy. All other members stay as they
    /// are, unless the format changes them.
    ///
    /// - Parameter change: what becomes of a member that the policy doesn't set.
    func spliced(
        _ members: [JSONMember], _ policy: consuming PolicyMembers, in body: RawSpan,
        change: (JSONMember) -> PolicyMembers.Change = { _ in .keep }
    ) -> [BodySource] {
        var splice = JSONSplice(), hasModel = false
        for member in members {
            if JSON.isKey(member.key, "model", in: body) {
                hasModel = true
                splice.replace(member, with: encodedModel, in: body)
            } else if !policy.isEmpty, let change = policy.change(of: member, in: body) {
                splice.apply(change, to: member, in: body)
            } else {
                splice.apply(change(member), to: member, in: body)
            }
        }
        if !hasModel { splice.append(key: "model", json: encodedModel) }
        for field in policy.rest { splice.append(key: field.key, json: field.json) }
        return splice.finish(in: body)
    }
}

extension [BodySource] {
    /// The sources as one piece, where the client's ranges are ranges of `body`.
    func joined(of body: [UInt8]) -> [UInt8] {
        reduce(into: []) { joined, source in
            switch source {
            case .bytes(let bytes): joined += bytes
            case .client(let range): joined += body[range]
            }
        }
    }
}
