import Codecs
import Testing

@Suite("the fields of a multipart form")
struct MultipartFormTests {
    private static let type = "multipart/form-data; boundary=\"x-y\""
    private static let field = "content-disposition: form-data; name=\"a\""

    private static let refusals: [(lines: [String], reason: String)] = [
        (["--x-y", field, "", "b", "--x-y"], "it ends before its closing delimiter"),
        (["--x-y", field, "", "b"], "it ends before its closing delimiter"),
        ([""], "it ends before its closing delimiter"),
        (["--x-y\n" + field + "\n\nb\n--x-y--"], "other text follows a delimiter on its line"),
        (["--x-yz", field, "", "b", "--x-y--"], "other text follows a delimiter on its line"),
        (["--x-y", "content-type: text/plain", "", "b", "--x-y--"], "a part has no name"),
        (["--x-y", "content-disposition: form-data", "", "b", "--x-y--"], "a part has no name"),
        (["--x-y", field + "; name*=utf-8''model", "", "b", "--x-y--"], "a part has no name"),
        (["--x-y", field + "; name=b", "", "b", "--x-y--"], "the head of a part has no valid content-disposition"),
        (["--x-y", field, field, "", "b", "--x-y--"], "the head of a part has no valid content-disposition"),
        (["--x-y", "content-disposition: attachment; name=a", "", "b", "--x-y--"], "the head of a part has no valid content-disposition"),
        (["--x-y", field + "; filename=\"a", "", "b", "--x-y--"], "the head of a part has no valid content-disposition"),
        (["--x-y", "no field", "", "b", "--x-y--"], "the head of a part has a line that is no header field"),
        (["--x-y", field + ";", " filename: x", "", "b", "--x-y--"], "the head of a part has a line that is no header field"),
        (["--x-y", field, "content-transfer-encoding: base64", "", "b", "--x-y--"], "the part 'a' has a content-transfer-encoding"),
        (["--x-y", "x: " + String(repeating: "y", count: 8 << 10)], "the head of a part is longer than 8 KiB"),
        (Array(repeating: ["--x-y", field, "", ""], count: 257).flatMap(\.self), "it has more than 256 parts"),
        (
            ["--x-y", field, "", String(repeating: "y", count: 1 << 20), "--x-y--"],
            "its texts are longer than 1 MiB together; a file needs a 'filename'"
        ),
    ]

    /// The form of a body that arrives in chunks of `size` bytes.
    private func form(
        _ lines: [String], type: String = Self.type, size: Int = .max
    ) throws(MultipartError) -> (form: MultipartForm, body: [UInt8]) {
        let body = Array(lines.joined(separator: "\r\n").utf8)
        var reader = try MultipartReader(contentType: type)
        var start = 0
        while start < body.count {
            let end = start + min(size, body.count - start)
            try reader.read(body[start..<end].span.bytes)
            start = end
        }
        return (try reader.finish(), body)
    }

    private func reason(_ lines: [String], type: String = Self.type) -> String? {
        do throws(MultipartError) { _ = try form(lines, type: type) } catch { return error.reason }
        return nil
    }

    @Test("each field has its name and value, whatever bytes it has and wherever the body is cut", arguments: [.max, 1, 2, 3, 7, 64])
    func fields(size: Int) throws {
        let (form, body) = try form(
            [
                "preamble", "--x-y", "Content-Disposition: form-data; name=\"model\"", "", "gpt-image-1", "--x-y \t",
                "content-type: image/png", "content-disposition: form-data; filename=\"a; name=b.png\"; name=image", "",
                "\u{1}--x-y\r\n--x- \r\n\r\r\n--x", "--x-y", "Content-Disposition: form-data; name=\"empty\"", "", "", "--x-y",
                "Content-Disposition: form-data; name=\"say \\\"hi\\\" to C:\\d\"", "", "\r", "--x-y--", "epilogue",
            ], size: size)
        #expect(form.parts.map(\.name) == ["model", "image", "empty", "say \"hi\" to C:\\d"])
        #expect(form.parts.map { $0.text.map { String(decoding: $0, as: UTF8.self) } } == ["gpt-image-1", nil, "", "\r"])
        #expect(String(decoding: body[form.parts[1].value], as: UTF8.self) == "\u{1}--x-y\r\n--x- \r\n\r\r\n--x")
        #expect(form.parts.allSatisfy { part in part.text.map { $0 == Array(body[part.value]) } ?? true })
        #expect(String(decoding: body[form.end...], as: UTF8.self) == "--x-y--\r\nepilogue" && form.bodyBytes == body.count)
    }

    @Test("a form without fields, and a field without an empty line before the next delimiter, are read")
    func bare() throws {
        #expect(try form(["--x-y--"]).form.parts == [] && form(["--x-y--"]).form.end == 0)
        #expect(try form(["--x-y", Self.field, "", "--x-y--"]).form.parts.map(\.text) == [[]])
    }

    @Test(
        "a body that readers could understand differently, or that is incomplete, is refused with the reason",
        arguments: refusals)
    func refused(lines: [String], reason: String) {
        #expect(self.reason(lines) == reason)
    }

    @Test(
        "a content type without one usable boundary is refused",
        arguments: [
            "multipart/form-data", "application/json", "multipart/mixed; boundary=x-y", "multipart/form-data; boundary=x; boundary=y",
            "multipart/form-data; boundary=", "multipart/form-data; boundary=\"" + String(repeating: "x", count: 71) + "\"",
        ])
    func types(type: String) {
        #expect(reason([], type: type)?.contains("boundary") == true)
    }

    @Test("a large file is not kept")
    func files() throws {
        let file = String(repeating: "y", count: 2 << 20)
        let (form, _) = try form(["--x-y", Self.field + "; filename=f", "", file, "--x-y--"], size: 4096)
        #expect(form.parts.map(\.value.count) == [2 << 20] && form.parts[0].text == nil)
    }
}
