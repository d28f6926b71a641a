import Codecs
import HTTPWire
import Testing

@testable import Gateway

@Suite("what the router reads of a form")
struct FormOutlineTests {
    private func form(_ fields: [(String, String, Bool)], _ headers: [String] = []) throws -> RequestOutline {
        let text = fields.map { name, value, isFile in
            "--b\r\ncontent-disposition: form-data; name=\(name)\(isFile ? "; filename=f" : "")\r\n\r\n\(value)\r\n"
        }
        let body = Array((text.joined() + "--b--").utf8)
        var reader = try MultipartReader(contentType: "multipart/form-data; boundary=b")
        try reader.read(body.span.bytes)
        return try RequestOutline(try reader.finish(), fields: headerFields(headers), defaults: nil)
    }

    @Test("model and stream of a form are read, also behind the file")
    func forms() throws {
        let outline = try form([("file", "RIFF", true), ("stream", "True", false), ("model", "a, b", false), ("n", "x", false)])
        #expect(outline.models == ["a", "b"] && outline.isStream && outline.choices == 1)
        #expect(try !form([("model", "a", false), ("stream", "", false)]).isStream)
        #expect(try form([("model", "a", false)], ["x-router-model: b"]).models == ["b"])
    }

    @Test(
        "a field of a form that is given twice, is a file or has no valid value is refused by its name",
        arguments: [
            ([("model", "a", false), ("model", "b", false)], "model"), ([("model", "a", true)], "model"),
            ([("stream", "maybe", false)], "stream"),
        ])
    func badForms(fields: [(String, String, Bool)], param: String) {
        let error = #expect(throws: APIError.self) { try form(fields) }
        #expect(error?.param == param && error?.status == 400)
    }
}
