import Codecs
import ProviderKit
import Testing

@Suite struct NDJSONDecoderTests {
    @Test(
        "the lines don't depend on where the stream is cut",
        arguments: [
            ("{}\n", ["{}"]),
            ("{\"a\":1}\n{\"b\":2}\n", ["{\"a\":1}", "{\"b\":2}"]),
            ("1\r\n2\r\n", ["1", "2"]),
            ("\n\n1\n\r\n \t\n2\n\n", ["1", "2"]),
            (" 1 \n", [" 1 "]),
            ("1\r\r\n", ["1\r"]),
            ("1\r2\n", ["1\r2"]),
            ("\u{feff}1\n2\n", ["1", "2"]),
            ("1\n\u{feff}2\n", ["1", "\u{feff}2"]),
            ("\"жя😀\"\n", ["\"жя😀\""]),
            ("1\n2", ["1"]),
            ("", []),
            ("not json\n", ["not json"]),
            (
                "{\"message\":{\"content\":\"The\"},\"done\":false}\n{\"done\":true}\n",
                [#"{"message":{"content":"The"},"done":false}"#, #"{"done":true}"#]
            ),
            (String(repeating: "\n", count: 20) + "0\n", ["0"]),
        ])
    func cutAnywhere(_ stream: String, _ lines: [String]) throws {
        for chunks in cuts(of: Array(stream.utf8), seed: 3) {
            var reader = Reader()
            for chunk in chunks { try reader.feed(chunk) }
            #expect(reader.lines == lines)
        }
    }

    @Test(
        "a last line without a line end counts if it is complete JSON",
        arguments: [
            ("1\n{\"done\":true}", "{\"done\":true}"), ("{}\r", "{}"), ("{} ", "{} "), ("{}", "{}"), ("1\n", nil), ("1\n \r", nil),
            ("", nil), ("\u{feff}[]", "[]"),
        ] as [(String, String?)])
    func finishes(_ stream: String, _ last: String?) throws {
        for chunks in cuts(of: Array(stream.utf8), seed: 4) {
            var reader = Reader()
            for chunk in chunks { try reader.feed(chunk) }
            reader.lines = []
            try reader.finish()
            #expect(reader.lines == [last].compactMap(\.self))
            #expect(reader.pending.isEmpty)
        }
    }

    @Test("a last line that is cut off is an error with its place")
    func refusesCutOffLine() throws {
        var reader = Reader()
        try reader.feed(Array("{}\n{\"a\":".utf8))
        #expect(throws: NDJSONError.cutOff(JSONError(offset: 5, expected: "a value"))) { try reader.finish() }
    }

    @Test("a line may be as long as the limit, but not a byte longer", arguments: ["\"0123456789\"", "          ", "{}\r\r"])
    func limitsLength(_ line: String) throws {
        let length = line.utf8.count
        for chunks in cuts(of: Array((line + "\r\n1\n").utf8), seed: 5) {
            var fitting = Reader(maxLineBytes: length)
            for chunk in chunks { try fitting.feed(chunk) }
            #expect(fitting.lines.last == "1")

            var tooSmall = Reader(maxLineBytes: length - 1)
            #expect(throws: NDJSONError.lineTooLong(maxBytes: length - 1)) { for chunk in chunks { try tooSmall.feed(chunk) } }
            #expect(tooSmall.lines.isEmpty)
        }
    }

    @Test("an endless line is refused before its end arrives")
    func refusesEndlessLine() throws {
        var reader = Reader(maxLineBytes: 10)
        try reader.feed(Array("01234567890".utf8))
        #expect(throws: NDJSONError.lineTooLong(maxBytes: 10)) { try reader.feed(Array("1".utf8)) }
    }

    private struct Reader {
        var decoder: NDJSONDecoder
        var lines: [String] = []
        private(set) var pending: [UInt8] = []

        init(maxLineBytes: Int = 16 << 20) {
            decoder = NDJSONDecoder(maxLineBytes: maxLineBytes)
        }

        mutating func feed(_ chunk: [UInt8]) throws(NDJSONError) {
            pending += chunk
            let current = pending
            while let line = try decoder.nextLine(current.span.bytes) { lines.append(text(current[line])) }
            pending.removeFirst(decoder.consume())
        }

        mutating func finish() throws(NDJSONError) {
            let current = pending
            if let line = try decoder.finish(current.span.bytes) { lines.append(text(current[line])) }
            pending.removeFirst(decoder.consume())
        }
    }
}
