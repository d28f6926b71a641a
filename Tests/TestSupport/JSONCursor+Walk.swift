package import Codecs

extension JSONCursor {
    /// Scans the next value by entering all of its objects and arrays.
    package mutating func walk(_ bytes: RawSpan) throws(JSONError) -> JSONValue {
        let kind = try peekKind(bytes)
        let start = offset
        switch kind {
        case .object:
            try enterObject(bytes)
            while try nextKey(bytes) != nil { _ = try walk(bytes) }
        case .array:
            try enterArray(bytes)
            while try nextElement(bytes) { _ = try walk(bytes) }
        case .string, .number, .true, .false, .null: return try skipValue(bytes)
        }
        return JSONValue(range: start..<offset, kind: kind)
    }
}
