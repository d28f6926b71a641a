import Codecs
import ProviderKit

/// Calls `body` with a span of the bytes, because an expression in `#expect` can't contain a span.
func reading<Result, Failure: Error>(_ bytes: [UInt8], _ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
    try body(bytes.span.bytes)
}

func reading<Result, Failure: Error>(_ text: String, _ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
    try reading(Array(text.utf8), body)
}

func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: Array(bytes), as: UTF8.self)
}

/// The error of a JSON text; nil if it is valid.
func jsonError(_ bytes: [UInt8]) -> JSONError? {
    reading(bytes) { bytes in
        do throws(JSONError) {
            try JSON.validate(bytes)
            return nil
        } catch {
            return error
        }
    }
}

/// The value of a JSON text.
func jsonValue(_ bytes: [UInt8]) throws -> JSONValue {
    try reading(bytes) { bytes throws(JSONError) in
        var cursor = JSONCursor()
        return try cursor.skipValue(bytes)
    }
}
