import Testing

@testable import HTTPWire

@Suite("classes of octets, eight at a time")
struct OctetTests {
    /// Puts each octet at several places of texts up to three words long, between letters, hyphens, tabs and obs-text.
    @Test("the search by words finds the same octet as a search by single octets")
    func sameAsOneByOne() {
        for filler in [UInt8(ascii: "a"), UInt8(ascii: "Z"), UInt8(ascii: "-"), 0x09, 0xFF] {
            for octet in UInt8.min...UInt8.max {
                for (length, place) in [(1, 0), (7, 3), (8, 0), (8, 7), (9, 8), (16, 9), (23, 15), (24, 23)] {
                    var text = [UInt8](repeating: filler, count: length)
                    text[place] = octet
                    for start in [0, 1, place] where start < length {
                        let nonText = text[start...].firstIndex { !Octet.isText($0) } ?? length
                        let nonToken = text[start...].firstIndex { !Octet.isToken($0) } ?? length
                        let nonTarget = text[start...].firstIndex { !Octet.isTarget($0) } ?? length
                        #expect(
                            Octet.firstNonText(text.span, from: start) == nonText,
                            "\(octet) at \(place) of \(length) x \(filler), from \(start)")
                        #expect(
                            Octet.firstNonToken(text.span, from: start) == nonToken,
                            "\(octet) at \(place) of \(length) x \(filler), from \(start)")
                        #expect(
                            Octet.firstNonTarget(text.span, from: start) == nonTarget,
                            "\(octet) at \(place) of \(length) x \(filler), from \(start)")
                    }
                }
            }
        }
    }

    @Test(
        "a name is compared without regard to case, at any length",
        arguments: ["a", "te", "x-a", "host", "expect", "x-router", "x-request-id", "x-amzn-requestid-1"])
    func names(_ name: String) {
        func equals(_ text: [UInt8]) -> Bool {
            let bytes = Array(" ".utf8) + text + Array(":".utf8), range = 1..<(1 + text.count)
            switch name {
            case "a": return bytes.span.equals("a", in: range)
            case "te": return bytes.span.equals("te", in: range)
            case "x-a": return bytes.span.equals("x-a", in: range)
            case "host": return bytes.span.equals("host", in: range)
            case "expect": return bytes.span.equals("expect", in: range)
            case "x-router": return bytes.span.equals("x-router", in: range)
            case "x-request-id": return bytes.span.equals("x-request-id", in: range)
            default: return bytes.span.equals("x-amzn-requestid-1", in: range)
            }
        }
        let lower = Array(name.utf8)
        #expect(equals(lower) && equals(Array(name.uppercased().utf8)))
        #expect(!equals(Array(lower.dropLast())) && !equals(lower + lower))
        for place in lower.indices {
            for octet in UInt8.min...UInt8.max {
                var text = lower
                text[place] = octet
                let isSame = octet == lower[place] || (0x41...0x5A).contains(octet) && octet | 0x20 == lower[place]
                #expect(equals(text) == isSame, "\(octet) at \(place)")
            }
        }
    }
}
