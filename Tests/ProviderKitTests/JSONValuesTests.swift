import Codecs
import ProviderKit
import Testing

@Suite struct JSONValuesTests {
    @Test(
        "the escapes of a string are decoded, and a lone surrogate is U+FFFD",
        arguments: [
            (#""""#, ""),
            (#""plain text that is longer than a word""#, "plain text that is longer than a word"),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (#""a\u0062c\u00e9\u6f22""#, "abcé漢"),
            (#""\uD83D\uDE00!""#, "😀!"),
            (#""\ud83d""#, "\u{fffd}"),
            (#""\ud83dx""#, "\u{fffd}x"),
            (#""\ud83d\u0041""#, "\u{fffd}A"),
            (#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (#""\u0000""#, "\0"),
            (#""жя\n漢字😀""#, "жя\n漢字😀"),
        ])
    func readsStrings(_ literal: String, _ meaning: String) {
        let bytes = Array(literal.utf8)
        #expect(reading(bytes) { JSON.string(0..<bytes.count, in: $0) } == meaning)
        #expect(reading(bytes) { JSON.decodedBytes(0..<bytes.count, in: $0) } == Array(meaning.utf8))
        #expect(reading(bytes) { JSON.contentLength(0..<bytes.count, in: $0) } == meaning.utf8.count)
    }

    @Test(
        "ranges without a scanned string give any value and do not trap",
        arguments: [#""\"#, #""\u"#, #""\ud83d\u"#, "\"", "x", "", #"\\\"#])
    func survivesOthers(_ literal: String) {
        let bytes = Array(literal.utf8)
        for range in [0..<bytes.count, 0..<100, -5..<2, 50..<60, 1..<1] {
            let text = reading(bytes) { JSON.string(range, in: $0) }
            #expect(reading(bytes) { JSON.contentLength(range, in: $0) } == text.utf8.count)
            #expect(!reading(bytes) { JSON.isKey(range, "model", in: $0) })
            let value = JSONValue(range: range, kind: .number)
            _ = reading(bytes) { JSON.integer(value, in: $0) }
            #expect(reading(bytes) { JSON.double(value, in: $0) } == nil)
        }
    }

    @Test(
        "a key is compared after its escapes are decoded",
        arguments: [
            (#""model""#, true),
            (#""mod\u0065l""#, true),
            (#""\u006d\u006f\u0064\u0065\u006C""#, true),
            (#""Model""#, false),
            (#""mode""#, false),
            (#""models""#, false),
            (#""mode\u006cs""#, false),
            (#""mode\u006""#, false),
            (#""mod\\el""#, false),
            (#""\nodel""#, false),
            (#""""#, false),
            (#""modèl""#, false),
        ])
    func comparesKeys(_ key: String, _ isModel: Bool) {
        let bytes = Array(key.utf8)
        #expect(reading(bytes) { JSON.isKey(0..<bytes.count, "model", in: $0) } == isModel)
        #expect(reading(bytes) { JSON.isString(JSONValue(range: 0..<bytes.count, kind: .string), "model", in: $0) } == isModel)
        #expect(!reading(bytes) { JSON.isString(JSONValue(range: 0..<bytes.count, kind: .array), "model", in: $0) })
    }

    @Test("names with characters that JSON escapes are compared after decoding too")
    func comparesOddNames() {
        func isKey(_ literal: String, _ name: StaticString) -> Bool {
            reading(literal) { JSON.isKey(0..<literal.utf8.count, name, in: $0) }
        }
        #expect(isKey(#""a\\b""#, "a\\b"))
        #expect(!isKey(#""a\nb""#, "a\\nb"))
        #expect(isKey(#""\ud83d\ude00""#, "😀"))
        #expect(isKey(#""😀""#, "😀"))
        #expect(isKey(#""x""#, "x"))
        #expect(isKey(#""""#, ""))
    }

    @Test(
        "a whole number is exact in any notation, and anything else is nil",
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("1000", 1000), ("1e3", 1000), ("1E+3", 1000), ("1.0", 1), ("1.000", 1),
            ("12.50e1", 125), ("120e-1", 12), ("-1.5e1", -15),
            ("0.001e3", 1), ("0e99999999999999999999", 0), ("0.0000", 0), ("100e-2", 1), ("9007199254740993", 9_007_199_254_740_993),
            ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min), ("9.223372036854775807e18", Int.max),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("1e19", nil), ("1e999999999999999999999", nil),
            ("1e-999999999999999999999", nil),
            ("1.5", nil), ("1e-1", nil), ("0.1", nil), ("123456789012345678901234567890", nil), ("18446744073709551616", nil),
            ("18446744073709551617", nil),
        ] as [(String, Int?)])
    func readsIntegers(_ literal: String, _ expected: Int?) throws {
        let bytes = Array(literal.utf8)
        let value = try jsonValue(bytes)
        #expect(reading(bytes) { JSON.integer(value, in: $0) } == expected)
        let inside = Array("[1,\(literal),-2]".utf8)
        let shifted = JSONValue(range: 3..<(3 + bytes.count), kind: .number)
        #expect(reading(inside) { JSON.integer(shifted, in: $0) } == expected)
    }

    @Test("any number of zeros and the exponent may cancel out")
    func cancelsZeros() throws {
        let zeros = String(repeating: "0", count: 10_000)
        for (literal, expected) in [("1\(zeros)e-10000", 1), ("0.\(zeros)25e10002", 25), ("4.\(zeros)", 4), ("1\(zeros)", nil)]
            as [(String, Int?)]
        {
            let bytes = Array(literal.utf8)
            let value = try jsonValue(bytes)
            #expect(reading(bytes) { JSON.integer(value, in: $0) } == expected)
        }
    }

    @Test("a number is rounded as Swift rounds it, and nil outside the range of a Double")
    func readsDoubles() throws {
        for literal in [
            "0", "-0", "1", "0.1", "1e3", "0.30000000000000004", "1.7976931348623157e308", "5e-324", "1e-400",
            "123456789012345678901234567890",
        ] {
            let bytes = Array(literal.utf8)
            let value = try jsonValue(bytes)
            #expect(reading(bytes) { JSON.double(value, in: $0) } == Double(literal))
        }
        for literal in ["1e309", "-1e999", "\"1\"", "true"] {
            let bytes = Array(literal.utf8)
            let value = try jsonValue(bytes)
            #expect(reading(bytes) { JSON.double(value, in: $0) } == nil)
            #expect(reading(bytes) { JSON.integer(value, in: $0) } == nil)
        }
    }
}
