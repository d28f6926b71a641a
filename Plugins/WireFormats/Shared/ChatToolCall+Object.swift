import Codecs
import ProviderKit

extension ChatToolCall {
    /// The arguments as the object that some formats require. Models may write anything else.
    var argumentsObject: [UInt8] {
        let json = Array(arguments.utf8)
        if (try? JSON.members(of: json.span.bytes)) != nil { return json }
        var writer = JSONWriter(capacity: json.count + 16)
        writer.object { if !arguments.allSatisfy(\.isWhitespace) { $0.member("arguments", arguments) } }
        return writer.bytes
    }
}

extension String {
    /// The text of a system message, for a user's turn where a model can't have it elsewhere.
    static func systemMarked(_ text: String) -> String { "<system>\n\(text)\n</system>" }
}
