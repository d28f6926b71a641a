import Codecs

/// The ids of the tool calls in a request, for a format that allows only some bytes in them, and wants each to be
/// unique in the conversation: other formats' ids are changed where they need it.
struct UniqueToolIDs {
    /// What ids may have besides letters and digits.
    private let marks: StaticString
    private let maxLength: Int
    private var used: Set<String> = []
    /// By an id that several calls have: the number behind that of the last one.
    private var copies: [String: Int] = [:]
    /// The ids of the calls without a result so far, by the ids in the client's request.
    private var open: [String: [String]] = [:]
    /// The ids of the calls with a result.
    private var answered: [String: String] = [:]

    init(marks: StaticString, maxLength: Int) {
        self.marks = marks
        self.maxLength = maxLength
    }

    /// The id of a call.
    mutating func id(ofCall id: String) -> String {
        let allowed = allowed(id)
        var unique = allowed, number = copies[allowed] ?? 1
        while !used.insert(unique).inserted {
            number += 1
            let ending = "_\(number)"
            unique = allowed.prefix(maxLength - ending.count) + ending
        }
        copies[allowed] = number
        open[id, default: []].append(unique)
        return unique
    }

    /// The id of the call that a result belongs to: the first one without a result.
    mutating func id(ofResult id: String) -> String {
        guard let unique = open[id]?.first else { return answered[id] ?? allowed(id) }
        open[id]?.removeFirst()
        answered[id] = unique
        return unique
    }

    private func allowed(_ id: String) -> String {
        if !id.isEmpty, id.utf8.allSatisfy(isAllowed) { return String(id.prefix(maxLength)) }
        let bytes = "call_".utf8 + id.utf8.map { isAllowed($0) ? $0 : UInt8(ascii: "_") }
        return String(decoding: bytes.prefix(maxLength), as: UTF8.self)
    }

    private func isAllowed(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || marks.withUTF8Buffer { $0.contains(byte) }
    }
}
