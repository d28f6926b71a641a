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

extension ChatToolCall {
    /// The arguments as an object, as several formats require. Models may write anything else.
    var argumentsObject: [UInt8] {
        let json = Array(arguments.utf8)
        if (try? JSON.members(of: json.span.bytes)) != nil { return json }
        var writer = JSONWriter(capacity: json.count + 16)
        writer.object { if !arguments.allSatisfy(\.isWhitespace) { $0.member("arguments", arguments) } }
        return writer.bytes
    }
}
