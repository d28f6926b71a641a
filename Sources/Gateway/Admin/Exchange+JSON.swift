import Codecs
import ProviderKit

extension Exchange {
    /// Responds with 200 and an object whose members `members` writes.
    func respond(_ members: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.object(members)
        respond(200, writer.bytes)
    }
}

extension Exchange.Reply {
    /// An object whose members `members` writes.
    static func json(_ members: (inout JSONWriter) -> Void) -> Self {
        var writer = JSONWriter()
        writer.object(members)
        return Self(status: 200, body: writer.bytes)
    }
}
