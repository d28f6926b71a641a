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
                        #expect(
                            Octet.firstNonText(text.span, from: start) == nonText,
                            "\(octet) at \(place) of \(length) x \(filler), from \(start)")
                        #expect(
                            Octet.firstNonToken(text.span, from: start) == nonToken,
                            "\(octet) at \(place) of \(length) x \(filler), from \(start)")
                    }
                }
            }
        }
    }
}
