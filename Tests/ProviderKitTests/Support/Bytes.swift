import Codecs
import ProviderKit

/// Lends bytes, so that expressions in `#expect` hold no span.
func reading<Result, Failure: Error>(_ bytes: [UInt8], _ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
    try body(bytes.span.bytes)
}

func reading<Result, Failure: Error>(_ text: String, _ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
    try reading(Array(text.utf8), body)
}

func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: Array(bytes), as: UTF8.self)
}

/// What is wrong with a JSON text; nil: nothing.
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

/// The one value of a JSON text.
func jsonValue(_ bytes: [UInt8]) throws -> JSONValue {
    try reading(bytes) { bytes throws(JSONError) in
        var cursor = JSONCursor()
        return try cursor.skipValue(bytes)
    }
}
