import Codecs
import Foundation
import TestSupport

/// The cursor finds the same by entering all values as by skipping them, the verdict is Foundation's except for known
/// differences, and what is written from the read values reads back as equal.
func checkJSON(_ bytes: [UInt8]) throws {
    let skipped = read(bytes) { (cursor, bytes) throws(JSONError) in try cursor.skipValue(bytes) }
    let walked = read(bytes) { (cursor, bytes) throws(JSONError) in try cursor.walk(bytes) }
    try ensure(walked == skipped, "entered, it is \(walked), and skipped, \(skipped)")

    let foundation = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    switch skipped {
    case .failure(let error):
        try ensure((0...bytes.count).contains(error.offset), "the error is at \(error.offset)")
        try ensure(
            foundation == nil || FoundationJSON.isLenient(at: error.offset, of: bytes), "Foundation accepts it, expected \(error.expected)")
    case .success(let value):
        if let integer = JSON.integer(value, in: bytes.span.bytes) {
            try ensure(JSON.double(value, in: bytes.span.bytes) == Double(integer), "it is the integer \(integer), and another Double")
        }
        try ensure(foundation != nil || FoundationJSON.isStrict(bytes), "Foundation refuses it")
        let copy = rewritten(value, bytes)
        let again = rewritten(JSONValue(range: 0..<copy.count, kind: value.kind), copy)
        try ensure(copy == again, "written as \(String(decoding: copy, as: UTF8.self)), it is read as another value")
        if value.kind == .string, let foundation {
            try ensure(foundation as? String == JSON.string(value.range, in: bytes.span.bytes), "Foundation reads '\(foundation)'")
        }
    }
}

private func read(
    _ bytes: [UInt8], _ body: (inout JSONCursor, RawSpan) throws(JSONError) -> JSONValue
) -> Result<JSONValue, JSONError> {
    var cursor = JSONCursor()
    do throws(JSONError) {
        let value = try body(&cursor, bytes.span.bytes)
        try cursor.end(bytes.span.bytes)
        return .success(value)
    } catch {
        return .failure(error)
    }
}

/// The value, written anew from the decoded strings and numbers.
private func rewritten(_ value: JSONValue, _ bytes: [UInt8]) -> [UInt8] {
    var writer = JSONWriter()
    var cursor = JSONCursor(at: value.range.lowerBound)
    try? write(&cursor, bytes.span.bytes, &writer)
    return writer.bytes
}

private func write(_ cursor: inout JSONCursor, _ bytes: RawSpan, _ writer: inout JSONWriter) throws(JSONError) {
    switch try cursor.peekKind(bytes) {
    case .object:
        try cursor.enterObject(bytes)
        writer.beginObject()
        while let key = try cursor.nextKey(bytes) {
            writer.key(escaping: JSON.string(key, in: bytes))
            try write(&cursor, bytes, &writer)
        }
        writer.endObject()
    case .array:
        try cursor.enterArray(bytes)
        writer.beginArray()
        while try cursor.nextElement(bytes) { try write(&cursor, bytes, &writer) }
        writer.endArray()
    case .string: writer.string(JSON.string(try cursor.skipValue(bytes).range, in: bytes))
    default:
        let value = try cursor.skipValue(bytes)
        // What is no number, or is too large for a Double, is copied.
        if let double = JSON.double(value, in: bytes) { writer.double(double) } else { writer.raw(value.range, of: bytes) }
    }
}
