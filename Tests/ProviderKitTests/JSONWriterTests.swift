import Codecs
import Engine
import ProviderKit
import Testing

@Suite struct JSONWriterTests {
    @Test("commas and colons are written automatically")
    func separates() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("a")
        writer.integer(-1)
        writer.key("b")
        writer.beginArray()
        writer.beginObject()
        writer.endObject()
        writer.bool(true)
        writer.null()
        writer.beginArray()
        writer.endArray()
        writer.string("x")
        writer.endArray()
        writer.key("c")
        writer.raw(Array(#"{"d":0}"#.utf8))
        writer.key("e")
        reading("[0, 1]") { writer.raw(1..<2, of: $0) }
        writer.endObject()
        #expect(text(writer.bytes) == #"{"a":-1,"b":[{},true,null,[],"x"],"c":{"d":0},"e":0}"#)
    }

    @Test("numbers that are longer than JSON's are strings of digits")
    func quotesNumbers() {
        var writer = JSONWriter(capacity: 16)
        writer.beginArray()
        writer.hexadecimal([0, .max])
        writer.hexadecimal([0x0123_4567_89AB_CDEF])
        writer.quoted(.min)
        writer.quoted(0)
        writer.plain("")
        writer.plain("gen_ai.request.model")
        writer.endArray()
        #expect(
            text(writer.bytes)
                == #"["0000000000000000ffffffffffffffff","0123456789abcdef","-9223372036854775808","0","","gen_ai.request.model"]"#)
    }

    @Test(
        "only the characters that break JSON or a script are escaped",
        arguments: [
            ("", #""""#),
            ("plain é ж 漢 😀 /", #""plain é ж 漢 😀 /""#),
            ("\"\\", #""\"\\""#),
            ("\n\r\t", #""\n\r\t""#),
            ("\0\u{8}\u{b}\u{c}\u{f}\u{10}\u{1f}\u{7f}", #""\u0000\u0008\u000b\u000c\u000f\u0010\u001f"# + "\u{7f}\""),
            ("a\u{2028}b\u{2029}c\u{2027}\u{202a}", #""a\u2028b\u2029c"# + "\u{2027}\u{202a}\""),
            ("a longer text, \"quoted\"\nand broken", #""a longer text, \"quoted\"\nand broken""#),
        ])
    func escapes(_ value: String, _ literal: String) {
        var writer = JSONWriter()
        writer.string(value)
        #expect(text(writer.bytes) == literal)
    }

    @Test("a written string is valid and reads back unchanged", arguments: 0..<10 as Range<UInt64>)
    func stringsReadBack(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let scalars: [Unicode.Scalar] = [
            "\0", "\u{1f}", "\"", "\\", "/", "a", "z", " ", "\u{7f}", "é", "ж", "\u{2028}", "\u{2029}", "\u{ffff}", "漢", "😀", "\u{10ffff}",
            "\u{301}",
        ]
        for _ in 0..<200 {
            var value = String.UnicodeScalarView()
            for _ in 0..<random.below(40) { value.append(random.one(of: scalars)) }
            var writer = JSONWriter()
            writer.string(String(value))
            #expect(jsonError(writer.bytes) == nil)
            let back = reading(writer.bytes) { JSON.decodedBytes(0..<$0.byteCount, in: $0) }
            #expect(back == Array(String(value).utf8))
        }
    }

    @Test(
        "numbers are valid JSON and read back unchanged",
        arguments: [0, -0.0, 1, 0.1, 1e21, 1e-7, .leastNonzeroMagnitude, 1.7976931348623157e308, -123.456, 1e16])
    func writesNumbers(_ value: Double) throws {
        var writer = JSONWriter()
        writer.double(value)
        let read = try jsonValue(writer.bytes)
        #expect(read.range.count == writer.bytes.count)
        #expect(reading(writer.bytes) { JSON.double(read, in: $0) } == value)
    }

    @Test("infinities and NaN are null")
    func neverWritesNaN() {
        var writer = JSONWriter()
        writer.beginArray()
        for value in [Double.nan, .infinity, -.infinity, 0.5] { writer.double(value) }
        writer.integer(.min)
        writer.endArray()
        #expect(text(writer.bytes) == "[null,null,null,0.5,-9223372036854775808]")
    }
}
