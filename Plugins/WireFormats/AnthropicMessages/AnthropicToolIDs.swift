import Codecs

/// The ids of the tool calls in a request. This format allows only letters, digits, `_` and `-` in them, and each must
/// be unique in the conversation, so that other formats' ids are changed where they need it. Source: Anthropic's API
/// reference, "Messages"; as its clients have recorded the refusals.
struct AnthropicToolIDs {
    private var used: Set<String> = []
    /// The ids of the calls without a result so far, by the ids in the client's request.
    private var open: [String: [String]] = [:]
    /// The ids of the calls with a result.
    private var answered: [String: String] = [:]

    /// The id of a call.
    mutating func id(ofCall id: String) -> String {
        let allowed = Self.allowed(id)
        var unique = allowed, number = 2
        while !used.insert(unique).inserted {
            unique = "\(allowed)_\(number)"
            number += 1
        }
        open[id, default: []].append(unique)
        return unique
    }

    /// The id of the call that a result belongs to: the first one without a result.
    mutating func id(ofResult id: String) -> String {
        guard let unique = open[id]?.first else { return answered[id] ?? Self.allowed(id) }
        open[id]?.removeFirst()
        answered[id] = unique
        return unique
    }

    private static func allowed(_ id: String) -> String {
        func isAllowed(_ byte: UInt8) -> Bool {
            ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "_") || byte == ASCII.minus
        }
        if !id.isEmpty, id.utf8.allSatisfy(isAllowed) { return id }
        return "call_" + String(decoding: id.utf8.map { isAllowed($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }
}
