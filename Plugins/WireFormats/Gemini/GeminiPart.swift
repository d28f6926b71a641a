import Codecs
import ProviderKit

/// A part of the model's content.
enum GeminiPart {
    case text(String, isThought: Bool, signature: String?)
    case call(ChatToolCall, signature: String?)

    /// The part as JSON.
    var encoded: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            switch self {
            case .text(let text, let isThought, let signature):
                $0.member("text", text)
                if isThought { $0.member("thought", true) }
                Self.write(signature, to: &$0)
            case .call(let call, let signature):
                $0.key("functionCall")
                $0.object {
                    $0.member("id", call.id)
                    $0.member("name", call.name)
                    $0.key("args")
                    $0.raw(call.argumentsObject)
                }
                Self.write(signature, to: &$0)
            }
        }
        return writer.bytes
    }

    private static func write(_ signature: String?, to writer: inout JSONWriter) {
        if let signature { writer.member("thoughtSignature", signature) }
    }
}
