import Codecs

/// The parts of a form lie in its body, in order and apart from each other, and a form that is written with the same
/// names and values reads back as equal.
func checkForm(_ bytes: [UInt8]) throws {
    let type = "multipart/form-data; boundary=x"
    guard let form = MultipartForm(bytes.span.bytes, contentType: type) else { return }
    var end = 0
    for part in form.parts {
        try ensure(part.value.lowerBound >= end && part.value.upperBound <= form.end, "the value of '\(part.name)' is at \(part.value)")
        end = part.value.upperBound
    }
    try ensure(form.end <= bytes.count, "it ends at \(form.end)")
    guard form.parts.allSatisfy({ part in part.name.utf8.allSatisfy { !"\"\\;\r\n".utf8.contains($0) } }) else { return }
    var written: [UInt8] = []
    for part in form.parts {
        let file = part.isFile ? "; filename=\"f\"" : ""
        written += "--x\r\ncontent-disposition: form-data; name=\"\(part.name)\"\(file)\r\n\r\n".utf8 + bytes[part.value] + "\r\n".utf8
    }
    written += "--x--\r\n".utf8
    let again = MultipartForm(written.span.bytes, contentType: type)
    try ensure(
        again?.parts.map(\.name) == form.parts.map(\.name) && again?.parts.map(\.isFile) == form.parts.map(\.isFile)
            && again?.parts.map { written[$0.value] } == form.parts.map { bytes[$0.value] }, "it reads back as \(String(describing: again))"
    )
}
