import Codecs
import ProviderKit

extension ChatToolCall {
    /// The arguments as the object that some formats require, on one line. Models may write anything else.
    var argumentsObject: [UInt8] {
        if let json = givenObject { return json }
        var writer = JSONWriter(capacity: arguments.utf8.count + 16)
        writer.object { if !Self.areNone(arguments) { $0.member("arguments", arguments) } }
        return writer.bytes
    }

    /// Whether the arguments are an object, or there are none.
    var hasObject: Bool { Self.areNone(arguments) || givenObject != nil }

    /// Whether a call has no arguments. Models may write this as `null`.
    static func areNone(_ arguments: String) -> Bool {
        let text = arguments.trimmingPrefix(while: \.isWhitespace)
        return text.isEmpty || text.hasPrefix("null") && text.dropFirst(4).allSatisfy(\.isWhitespace)
    }

    private var givenObject: [UInt8]? {
        let json = Array(arguments.utf8)
        return (try? JSON.members(of: json.span.bytes)) == nil ? nil : JSON.onOneLine(json)
    }
}
