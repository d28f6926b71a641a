import Codecs
import Engine
import NIOCore
import ProviderKit

extension Exchange {
    /// What the conditions and the sticky memory of the policy's routes read of the request; nil if no route has any.
    func traits(of request: borrowing RequestOutline) -> RequestTraits? {
        guard snapshot.readsTraits else { return nil }
        return RequestTraits(
            fields: server.head.fields, face: face.name, key: keyName, isStream: request.isStream,
            body: form == nil ? server.body : ByteBuffer(),
            members: request.members)
    }
}

extension RequestOutline {
    /// The members of the body that go upstream; none for a form.
    var members: [JSONMember] {
        if case .members(let members) = payload { members } else { [] }
    }
}
