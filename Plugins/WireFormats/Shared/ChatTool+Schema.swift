import Codecs
import ProviderKit

extension ChatTool {
    /// The schema of the arguments, whose type is `object`, as several formats require.
    var objectSchema: [UInt8] {
        let object = Array(#"{"type":"object"}"#.utf8)
        guard let parameters, let tree = JSONTree(parameters.span.bytes), tree.members != nil else { return object }
        return tree["type"] == nil ? JSON.merged(object.span.bytes, with: parameters.span.bytes, isOtherPreferred: true) : parameters
    }
}
