import Codecs

/// A form is the same wherever its body is cut. Its parts lie in the body, in order and apart from each other, and a
/// form that is written with the same names and values reads back as equal.
func checkForm(_ bytes: [UInt8]) throws {
    guard case .success(let form) = try sameForEverySplit(of: bytes, readForm) else { return }
    var end = 0
    for part in form.parts {
        try ensure(part.value.lowerBound >= end && part.value.upperBound <= form.end, "the value of '\(part.name)' is at \(part.value)")
        try ensure(part.text.map { $0 == Array(bytes[part.value]) } ?? true, "the text of '\(part.name)' is not its value")
        end = part.value.upperBound
    }
    try ensure(form.end <= bytes.count && form.bodyBytes == bytes.count, "it ends at \(form.end)")
    guard form.parts.allSatisfy({ part in part.name.utf8.allSatisfy { !"\"\\;\r\n".utf8.contains($0) } }) else { return }
    var written: [UInt8] = []
    for part in form.parts {
        let file = part.text == nil ? "; filename=\"f\"" : ""
        written += "--x\r\ncontent-disposition: form-data; name=\"\(part.name)\"\(file)\r\n\r\n".utf8 + bytes[part.value] + "\r\n".utf8
    }
    written += "--x--\r\n".utf8
    guard case .success(let again) = readForm([written[...]]) else { throw Violation(description: "it does not read back") }
    try ensure(
        again.parts.map(\.name) == form.parts.map(\.name) && again.parts.map(\.text) == form.parts.map(\.text)
            && again.parts.map { written[$0.value] } == form.parts.map { bytes[$0.value] }, "it reads back as \(again)")
}

private func readForm(_ chunks: [ArraySlice<UInt8>]) -> Result<MultipartForm, MultipartError> {
    Result { () throws(MultipartError) in
        var reader = try MultipartReader(contentType: "multipart/form-data; boundary=x")
        for chunk in chunks { try reader.read(chunk.span.bytes) }
        return try reader.finish()
    }
}
