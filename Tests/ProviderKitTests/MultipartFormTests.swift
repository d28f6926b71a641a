import Codecs
import Testing

@Suite("the fields of a multipart form")
struct MultipartFormTests {
    private static let type = "multipart/form-data; boundary=\"x-y\""

    private func form(_ lines: String..., type: String = Self.type) -> (MultipartForm?, [UInt8]) {
        let body = Array(lines.joined(separator: "\r\n").utf8)
        return (MultipartForm(body.span.bytes, contentType: type), body)
    }

    @Test("each field has its name and the range of its value, whatever bytes the value has")
    func fields() throws {
        let (read, body) = form(
            "preamble", "--x-y", "Content-Disposition: form-data; name=\"model\"", "", "gpt-image-1", "--x-y",
            "content-type: image/png", "content-disposition: form-data; filename=\"a.png\"; name=image", "", "\u{1}--x-y\r\n--x- \r\n",
            "--x-y",
            "Content-Disposition: form-data; name=\"empty\"", "", "", "--x-y--", "epilogue")
        let form = try #require(read)
        #expect(form.parts.map(\.name) == ["model", "image", "empty"] && form.parts.map(\.isFile) == [false, true, false])
        #expect(form.parts.map { String(decoding: body[$0.value], as: UTF8.self) } == ["gpt-image-1", "\u{1}--x-y\r\n--x- \r\n", ""])
        #expect(String(decoding: body[form.end...], as: UTF8.self) == "--x-y--\r\nepilogue")
    }

    @Test("a body that is no complete form is refused")
    func incomplete() {
        let field = "content-disposition: form-data; name=\"a\""
        #expect(form("--x-y", field, "", "b", "--x-y").0 == nil)
        #expect(form("--x-y", field, "", "b").0 == nil)
        #expect(form("--x-y", "content-type: text/plain", "", "b", "--x-y--").0 == nil)
        #expect(form("--x-y", "no field", "", "b", "--x-y--").0 == nil)
        #expect(form("").0 == nil)
        #expect(form("--x-y", field, "", "b", "--x-y--", type: "multipart/form-data").0 == nil)
        #expect(form("--x-y", field, "", "b", "--x-y--", type: "application/json").0 == nil)
        #expect(form("--x-y--").0?.parts == [])
    }

    @Test("damaged forms never trap", arguments: 0..<200)
    func damaged(seed: UInt64) {
        let (_, body) = form("--x-y", "content-disposition: form-data; name=\"a\"", "", "b", "--x-y--")
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        var damaged = body
        for _ in 0..<3 {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            damaged[Int((state >> 33) % UInt64(damaged.count))] = UInt8(truncatingIfNeeded: state >> 56)
        }
        if let form = MultipartForm(damaged.span.bytes, contentType: Self.type) {
            #expect(form.parts.allSatisfy { $0.value.upperBound <= damaged.count } && form.end <= damaged.count)
        }
    }
}
