import NIOCore
import Testing

@testable import HTTPWire

struct ChunkedDecoderTests {
    /// The data and the bytes after the body; nil if more bytes are needed.
    private func decode(_ bytes: [UInt8], cuts: [Int] = []) throws(WireFault) -> (data: String, rest: String)? {
        var decoder = ChunkedDecoder()
        var input = ByteBuffer(), data = ByteBuffer()
        var last = 0
        var isComplete = false
        for cut in cuts + [bytes.count] {
            input.writeBytes(bytes[last..<cut])
            last = cut
            loop: while !isComplete {
                switch try decoder.next(&input, limit: 7) {
                case .bytes(var bytes): data.writeBuffer(&bytes)
                case .more: break loop
                case .end: isComplete = true
                }
            }
        }
        return isComplete ? (String(buffer: data), String(buffer: input)) : nil
    }

    @Test(
        "chunks are joined, extensions and trailers are dropped, and following bytes are not read",
        arguments: [
            ("3\r\nabc\r\n0\r\n\r\nrest", "abc"), ("0\r\n\r\nrest", ""), ("00A\r\n0123456789\r\n1;x\r\na\r\n0\r\n\r\nrest", "0123456789a"),
            ("1;a=b;c=\"d e\\\"\"\r\nx\r\n0;e\r\nHost: evil\r\nContent-Length: 7\r\n\r\nrest", "x"), ("2\r\n\r\n\r\n0\r\n\r\nrest", "\r\n"),
        ]
    )
    func decodes(_ text: String, _ data: String) throws {
        let bytes = Array(text.utf8)
        for cuts in everyCut(bytes.count) {
            let result = try decode(bytes, cuts: cuts)
            #expect(result?.data == data && result?.rest == "rest")
        }
    }

    @Test(
        "invalid framing is refused, wherever it is split",
        arguments: [
            "\r\n", "x\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", "1_0\r\n", " 1\r\n", "1 \r\n", "1\t\r\n", "1\n", "1\r\r", "1\r\nab", "1\r\na\n",
            "1\r\na\r\r", "1\r\na0\r\n", "00000000000000001\r\n",
            "FFFFFFFFFFFFFFFF\r\n", "8000000000000000\r\n", "1;\r\n", "1;=a\r\n", "1;a=\r\n", "1;a b\r\n", "1;a=\"b\r\n", "1;a=\"b\"c\r\n",
            "1;\0\r\n", "0\r\nA: b\n", "0\r\n A: b\r\n", "0\r\nA : b\r\n", "0\r\n\n",
        ]
    )
    func refuses(_ text: String) {
        let bytes = Array(text.utf8)
        for cuts in everyCut(bytes.count) { #expect(throws: WireFault.self) { try decode(bytes, cuts: cuts) } }
    }

    @Test("a truncated body is never complete")
    func truncated() throws {
        let bytes = Array("3\r\nabc\r\n0\r\nA: b\r\n\r\n".utf8)
        for end in 0..<bytes.count { #expect(try decode(Array(bytes[..<end])) == nil) }
    }

    @Test("the size of extensions and trailers is limited, on one line and over many")
    func bounds() throws {
        let long = String(repeating: "x", count: ChunkedDecoder.maxOverhead)
        #expect(throws: WireFault.self) { try decode(Array("1;\(long)".utf8)) }
        #expect(throws: WireFault.self) { try decode(Array("0\r\nA: \(long)".utf8)) }
        let chunk = "1;\(String(repeating: "x", count: 1000))\r\na\r\n"
        #expect(throws: WireFault.self) { try decode(Array(String(repeating: chunk, count: 20).utf8)) }
        let many = String(repeating: "1\r\na\r\n", count: 20_000) + "0\r\n\r\n"
        #expect(try decode(Array(many.utf8))?.data.utf8.count == 20_000)
    }
}
