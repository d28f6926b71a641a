import Codecs
import ProviderKit

/// The text of `thoughtSignature`, which is base64. So a tagged token, which is none, is encoded once more.
enum GeminiSignature {
    /// What the API accepts in the place of a signature, for calls that Gemini hasn't made.
    /// Source: the guide "Thought signatures", "FAQs".
    static let sentinel = "skip_thought_signature_validator"

    /// What an encoded tag begins with: the first ten bytes of ``OpaqueToken/mark``, and a part of the next one.
    static let encodedMark: StaticString = "bGxtLXJvdXRlcj"

    /// Reads a signature; nil if there is none.
    static func token(_ text: String, _ kind: OpaqueToken.Kind) -> OpaqueToken? {
        if text == sentinel { return nil }
        return OpaqueToken(tagged: decoded(text) ?? text, kind, in: Gemini.format)
    }

    /// The text for a client.
    static func encoded(_ token: OpaqueToken) -> String {
        let text = token.tagged
        return text.hasPrefix(OpaqueToken.mark) ? Base64.encoded(Array(text.utf8)) : text
    }

    /// The tagged token; nil for any other text. The SDKs write the alphabet for URLs.
    static func decoded(_ text: String) -> String? {
        guard text.hasPrefix("\(encodedMark)") else { return nil }
        let standard = text.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        return Base64.decoded(standard).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
