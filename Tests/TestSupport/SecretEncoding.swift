/// A way to write a text, and what a part of the text becomes in it.
package struct SecretEncoding: Sendable, CustomStringConvertible {
    package var name: String
    package var encode: @Sendable ([UInt8]) -> [UInt8]
    /// Everything that shows the part, wherever it begins.
    package var fragments: @Sendable ([UInt8]) -> [[UInt8]]

    package var description: String { name }

    init(_ name: String, perByte: @escaping @Sendable (UInt8, Int) -> String) {
        self.name = name
        let encode: @Sendable ([UInt8]) -> [UInt8] = { $0.enumerated().flatMap { Array(perByte($1, $0).utf8) } }
        self.encode = encode
        fragments = { part in (0..<2).map { shift in part.enumerated().flatMap { Array(perByte($1, $0 + shift).utf8) } } }
    }

    /// - Parameter alphabet: the 64 digits.
    init(_ name: String, base64 alphabet: String, padding: Bool) {
        let digits = Array(alphabet.utf8)
        self.name = name
        encode = { base64($0, digits, padding: padding) }
        fragments = { part in
            (0..<3).map { shift in
                let text = base64(Array(repeating: 0, count: shift) + part, digits, padding: false)
                // The first and the last digit may depend on the bytes beside the part.
                return Array(text.dropFirst([0, 2, 3][shift]).dropLast((shift + part.count) % 3 == 0 ? 0 : 1))
            }
        }
    }

    package func within(_ outer: SecretEncoding) -> SecretEncoding {
        var both = self
        both.name = "\(outer.name)(\(name))"
        both.encode = { [encode] in outer.encode(encode($0)) }
        both.fragments = { [fragments] in fragments($0).flatMap(outer.fragments) }
        return both
    }
}

private func base64(_ bytes: [UInt8], _ digits: [UInt8], padding: Bool) -> [UInt8] {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let bits = (group + Array(repeating: 0, count: 3 - group.count)).reduce(0) { $0 << 8 | Int($1) }
        for position in 0...group.count { text.append(digits[bits >> (18 - 6 * position) & 63]) }
        if padding { text += Array(repeating: UInt8(ascii: "="), count: 3 - group.count) }
    }
    return text
}

private func hex(_ byte: UInt8, _ digits: Int = 2, upper: Bool = false) -> String {
    let text = String(byte, radix: 16, uppercase: upper)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}

private func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
    default: false
    }
}

extension SecretEncoding {
    package static let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    package static let all: [SecretEncoding] = [
        SecretEncoding("plain") { byte, _ in String(UnicodeScalar(byte)) },
        SecretEncoding("base64", base64: letters + "+/", padding: true),
        SecretEncoding("base64url", base64: letters + "-_", padding: false),
        SecretEncoding("hex") { byte, _ in hex(byte) }, SecretEncoding("HEX") { byte, _ in hex(byte, upper: true) },
        SecretEncoding("hex:pairs") { byte, _ in hex(byte) + ":" }, SecretEncoding("0x") { byte, _ in "0x\(hex(byte)), " },
        SecretEncoding("\\x") { byte, _ in "\\x\(hex(byte))" }, SecretEncoding("%") { byte, _ in "%\(hex(byte))" },
        SecretEncoding("URL") { byte, _ in isUnreserved(byte) ? String(UnicodeScalar(byte)) : "%\(hex(byte, upper: true))" },
        SecretEncoding("&#;") { byte, _ in "&#\(byte);" }, SecretEncoding("&#0;") { byte, _ in "&#000\(byte);" },
        SecretEncoding("&#x;") { byte, _ in "&#x\(hex(byte));" }, SecretEncoding("&#X0;") { byte, _ in "&#X\(hex(byte, 4, upper: true));" },
        SecretEncoding("\\u") { byte, _ in "\\u\(hex(byte, 4))" }, SecretEncoding("\\U") { byte, _ in "\\u\(hex(byte, 4, upper: true))" },
        SecretEncoding("some \\u") { byte, index in index % 2 == 0 ? "\\u\(hex(byte, 4))" : String(UnicodeScalar(byte)) },
        SecretEncoding("some &#;") { byte, index in index % 2 == 0 ? "&#\(byte);" : String(UnicodeScalar(byte)) },
        SecretEncoding("some %") { byte, index in index % 2 == 0 ? "%\(hex(byte))" : String(UnicodeScalar(byte)) },
    ]
}

extension [UInt8] {
    /// Whether the bytes contain `part`, which isn't empty.
    package func holds(_ part: [UInt8]) -> Bool {
        guard part.count <= count else { return false }
        return (0...(count - part.count)).contains { self[$0] == part[0] && self[$0..<($0 + part.count)].elementsEqual(part) }
    }
}
