import Codecs
import ProviderKit
import Testing

@Suite struct JSONGrammarTests {
    @Test("a text that RFC 8259 allows is accepted", arguments: accepted)
    func accepts(_ text: String) {
        #expect(jsonError(Array(text.utf8)) == nil)
    }

    @Test("a text that RFC 8259 does not allow is refused", arguments: refused)
    func refuses(_ text: String) {
        #expect(jsonError(Array(text.utf8)) != nil)
    }

    @Test("bytes that are not UTF-8 are refused at the first wrong byte", arguments: illFormed)
    func refusesIllFormed(_ bytes: [UInt8]) {
        let text = Array("[\"ab".utf8) + bytes + Array("cdefghijk\"]".utf8)
        #expect(jsonError(text) == JSONError(offset: 4, expected: "valid UTF-8"))
        #expect(jsonError(Array("\"".utf8) + bytes) == JSONError(offset: 1, expected: "valid UTF-8"))
    }

    @Test("the first and the last scalar of each UTF-8 length are accepted")
    func acceptsBoundaries() {
        for scalar: Unicode.Scalar in [
            "\u{20}", "\u{7f}", "\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}", "\u{10ffff}",
        ] {
            for filling in 0..<10 {
                #expect(jsonError(Array("\"\(String(repeating: "x", count: filling))\(scalar)\"".utf8)) == nil)
            }
        }
    }

    @Test("other encodings are refused")
    func refusesOtherEncodings() {
        let sixteen = Array("[1]".utf16)
        #expect(jsonError(sixteen.flatMap { [UInt8($0), 0] }) != nil)
        #expect(jsonError(sixteen.flatMap { [0, UInt8($0)] }) != nil)
        #expect(jsonError([0xef, 0xbb, 0xbf] + Array("{}".utf8)) == JSONError(offset: 0, expected: "a value"))
        #expect(jsonError([0xff, 0xfe] + sixteen.flatMap { [UInt8($0), 0] }) != nil)
    }

    @Test("an error has the offset, and what was expected there", arguments: errors)
    func reportsExpectation(_ text: String, _ offset: Int, _ expected: String) {
        #expect(jsonError(Array(text.utf8)) == JSONError(offset: offset, expected: expected))
    }

    @Test("nesting is limited to 128 levels, even for 100,000 brackets")
    func limitsDepth() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            func nested(_ depth: Int) -> [UInt8] {
                Array((String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)).utf8)
            }
            #expect(jsonError(nested(128)) == nil)
            let tooDeep = JSONError(offset: 128 * open.utf8.count, expected: "at most 128 levels of nesting")
            #expect(jsonError(nested(129)) == tooDeep)
            #expect(jsonError(Array(String(repeating: open, count: 100_000).utf8)) == tooDeep)
        }
    }

    @Test("every truncated text is refused")
    func refusesCutTexts() {
        let text = Array(#"{"a":[1.5e+3,-0,true,false,null,{}],"b\u00e9\n":"жя😀 and more than eight bytes","c":[[],{"d":""}]}"#.utf8)
        #expect(jsonError(text) == nil)
        for end in 0..<text.count {
            #expect(jsonError(Array(text[..<end])) != nil, "cut at \(end)")
        }
    }

    @Test("line and column count from 1, and a column is a character")
    func reportsPosition() throws {
        let bytes = Array("{\n \"é\": 1,\n  x}".utf8)
        let error = try #require(jsonError(bytes))
        let position = reading(bytes) { error.position(in: $0) }
        #expect(position == (3, 3))
        #expect(reading(bytes) { JSONError(offset: 6, expected: "").position(in: $0) } == (2, 4))
        #expect(reading(bytes) { JSONError(offset: 99, expected: "").position(in: $0) } == (3, 5))
        #expect(reading(bytes) { JSONError(offset: -1, expected: "").position(in: $0) } == (1, 1))
    }
}

private let accepted = [
    "0", "-0", "1", "-1", "10", "1.0", "0.5", "-0.0", "1e5", "1E5", "1e+5", "1e-5", "0e0", "0E+1", "1.25e-3",
    "123456789012345678901234567890", "1e9999", "-1e-9999",
    "true", "false", "null", "\"\"", "\"a\"", "\"1234567\"", "\"12345678\"", "\"123456789\"", "\"é\"", "\"ж\"", "\"漢\"", "\"😀\"",
    "\"\u{7f}\"", "\"\u{2028}\"", "\"/\"",
    #""\"\\\/\b\f\n\r\t""#, #""\u0041""#, #""\u00E9\u00e9""#, #""\u0000""#, #""\uD83D\uDE00""#, #""\ud83d""#, #""\ude00""#, #""\ud83dA""#,
    #""\ud83d\n""#, #""\ude00\ud83d""#,
    "[]", "[ ]", "[1]", "[1,2]", " [ 1 , 2 ] ", "[[]]", "[[],[]]", "[null]", "[\"a\",{}]", "[\n]", "[1\r\n,\t2]",
    "{}", "{ }", "{\"a\":1}", " { \"a\" : 1 , \"b\" : [ ] } ", "{\"\":0}", "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":{}}}",
    "{\"a\":[{},{\"b\":[]}]}", "\n1\t",
    "{\"a\u{e9}\":\"b\"}", #"{"a\"b":1}"#, "[-0,-1.5,2E-2]", "[true,false,null]",
]

private let refused = [
    "", " ", "\n", "tru", "trues", "True", "nul", "nil", "fals", "falsey", "NaN", "Infinity", "-Infinity", "undefined", "'a'", "a",
    "-", "+1", "01", "-01", "00", "1.", ".5", "-.5", "1.e5", "1e", "1e+", "1e-", "1e5.5", "0x10", "1_000", "1 2", "--1", "1-", "0e+-1",
    "1,", "１",
    "\"", "\"a", "\"\\\"", "\"\\", "\"\\a\"", "\"\\'\"", "\"\\x41\"", "\"\\u\"", "\"\\u12\"", "\"\\u123g\"", "\"\\U0041\"", "\"\t\"",
    "\"\n\"", "\"a\u{0}b\"", "\"\u{1f}\"",
    "\"1234567\u{1}\"", "\"12345678\n9\"", "\"a\" \"b\"", "\"a\"b",
    "[", "]", "[1", "[1,", "[,", "[,1]", "[1,]", "[1,,2]", "[1 2]", "[1;2]", "[1}", "[1:2]", "[]]", "[[]", "[\"a]", "[a]", "[\u{a0}]",
    "[\u{c}]", "[1]#", "[1]//x", "/**/1",
    "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\"}", "{\"a\",1}", "{\"a\" 1}", "{:1}", "{1:1}", "{a:1}", "{'a':1}",
    "{\"a\":1,}", "{,}", "{,\"a\":1}",
    "{\"a\":1 \"b\":2}", "{\"a\":1]", "{\"a\"::1}", "{\"a\":1}}", "{\"a\":1}{", "{null:1}", "{[]:1}", "{\"a\":}", "{\"a\":tru}",
    "{\"a\":1,,\"b\":2}", "\u{feff}{}", "{}\u{0}",
]

private let illFormed: [[UInt8]] = [
    [0x80], [0xbf], [0xc0, 0x80], [0xc0, 0xaf], [0xc1, 0xbf], [0xc2], [0xc3, 0x28], [0xc3, 0xc3],
    [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf], [0xe1, 0x80], [0xe1, 0x28, 0x80], [0xe1, 0x80, 0xc0], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf],
    [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x8f, 0xbf, 0xbf], [0xf0, 0x90, 0x80], [0xf1, 0x80, 0x80, 0x28], [0xf4, 0x90, 0x80, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xf8, 0x88, 0x80, 0x80, 0x80], [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80], [0xfe], [0xff],
]

private let errors: [(String, Int, String)] = [
    ("", 0, "a value"),
    ("  x", 2, "a value"),
    ("[1,]", 3, "a value"),
    ("[1 2]", 3, "',' or ']'"),
    ("{\"a\":1 \"b\"}", 7, "',' or '}'"),
    ("[{\"a\":1]", 7, "',' or '}'"),
    ("{\"a\" 1}", 5, "':'"),
    ("{\"a\":1,}", 7, "a key in quotes"),
    ("{a:1}", 1, "a key in quotes"),
    ("{} x", 3, "the end of the text"),
    ("-x", 1, "a digit"),
    ("[1.]", 3, "a digit"),
    ("[1e+]", 4, "a digit"),
    ("[tru]", 1, "a value"),
    ("\"abc", 4, "'\"'"),
    ("\"a\nb\"", 2, "a control character to be escaped"),
    ("\"\\q\"", 2, "one of '\"\\/bfnrtu' after '\\'"),
    ("\"\\u12x4\"", 5, "a hexadecimal digit"),
]
