import Engine

/// A generator of random JSON texts, and of random damage to them.
struct JSONGenerator {
    var random: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    mutating func value(depth: Int = 0) -> String {
        switch random.below(depth > 4 ? 6 : 9) {
        case 0: random.one(of: ["true", "false", "null"])
        case 1, 2: number()
        case 3, 4, 5: string()
        case 6: array(depth: depth + 1)
        default: object(depth: depth + 1)
        }
    }

    mutating func object(depth: Int = 0) -> String {
        let members = (0..<random.below(6)).map { _ in space() + string() + space() + ":" + space() + value(depth: depth) + space() }
        return "{" + (members.isEmpty ? space() : members.joined(separator: ",")) + "}"
    }

    mutating func array(depth: Int) -> String {
        let elements = (0..<random.below(6)).map { _ in space() + value(depth: depth) + space() }
        return "[" + (elements.isEmpty ? space() : elements.joined(separator: ",")) + "]"
    }

    mutating func number() -> String {
        let whole = random.one(of: ["0", "-0", "7", "-12", "1234567890"])
        return whole + random.one(of: ["", "", ".5", ".000", ".125"]) + random.one(of: ["", "", "e3", "E+2", "e-7"])
    }

    mutating func string() -> String {
        let parts = [
            "", "a", "model", "eight by", "a plain stretch of more than eight bytes", "\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\u00e9",
            "\\ud83d\\ude00",
            "é", "жя", "漢字", "😀", "\u{7f}", "{[,:]}",
        ]
        return "\"" + (0..<random.below(4)).map { _ in random.one(of: parts) }.joined() + "\""
    }

    mutating func space() -> String {
        random.one(of: ["", "", "", " ", "\n", "\r\n  ", "\t"])
    }

    /// The bytes after one to three changes: a byte is removed, inserted, replaced or doubled, the rest is cut off, or
    /// a range is repeated elsewhere.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        let meaningful =
            Array("{}[]:,\"\\0123456789.eE+-truefalsn /u \n\r\t".utf8) + [
                0x00, 0x1f, 0x7f, 0x80, 0xbf, 0xc0, 0xc3, 0xe0, 0xed, 0xf0, 0xf4, 0xff,
            ]
        var bytes = bytes
        for _ in 0...random.below(3) where !bytes.isEmpty {
            let place = random.below(bytes.count)
            switch random.below(6) {
            case 0: bytes.remove(at: place)
            case 1: bytes.insert(random.one(of: meaningful), at: place)
            case 2: bytes[place] = random.one(of: meaningful)
            case 3: bytes.insert(bytes[place], at: place)
            case 4: bytes.removeSubrange(place...)
            default:
                let copied = bytes[place..<min(bytes.count, place + 1 + random.below(8))]
                bytes.insert(contentsOf: copied, at: random.below(bytes.count))
            }
        }
        return bytes
    }
}
