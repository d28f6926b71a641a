import Codecs
import ProviderKit

extension JSONTree {
    /// A tagged text of ``OpaqueToken`` as its maker has sent it; nil if the call's provider has not made it.
    static func untagged(_ text: String, for call: Call, in format: WireFormat) -> JSONTree? {
        // What kind of token it is doesn't matter here.
        guard let value = OpaqueToken(tagged: text, .signature, in: format)?.value(for: call, in: format) else { return nil }
        var writer = JSONWriter(capacity: value.utf8.count + 2)
        writer.string(value)
        return JSONTree(writer.bytes.span.bytes)
    }
}
