import Codecs
import ProviderKit

/// The names of tools, of which this format allows 64 characters, and Anthropic's 128. A longer one is sent shortened,
/// and a call of it is read back under its own name. Sources: OpenAI's API reference, "Chat Completions", `tools`;
/// Anthropic's API reference, "Messages", `tools`.
enum OpenAIToolName {
    private static let maxBytes = 64

    /// The name as it is sent. The end of a long one becomes a hash of all of it (FNV-1a with 32 bits).
    static func sent(_ name: String) -> String {
        guard name.utf8.count > maxBytes else { return name }
        let hash = name.utf8.reduce(UInt32(0x811C_9DC5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        let mark = Hex.encoded((0..<4).map { UInt8(truncatingIfNeeded: hash >> UInt32(24 - 8 * $0)) })
        return String(decoding: name.utf8.prefix(maxBytes - mark.utf8.count - 1), as: UTF8.self) + "_" + mark
    }

    /// The name of the tool that a response calls.
    static func original(_ name: String, _ call: Call) -> String {
        guard name.utf8.count == maxBytes, case .chat(let request) = call.payload else { return name }
        return request.tools.first { sent($0.name) == name }?.name ?? name
    }
}
