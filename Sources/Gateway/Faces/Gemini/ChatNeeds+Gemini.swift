import Codecs
import Engine
import RoutingPolicy

/// Gemini's requests, whose values were scanned before.
extension ChatNeeds {
    /// Reads the value of `contents`: a list of contents, or one.
    mutating func readContents(_ value: JSONValue, _ body: RawSpan) {
        var cursor = JSONCursor(at: value.range.lowerBound)
        estimate.add(tokens: TokenEstimate.ofReply)
        do throws(JSONError) { try readGeminiContents(&cursor, body) } catch { return }
    }

    /// Reads the value of `systemInstruction`, or the one content of a request for a vector.
    mutating func readContent(_ value: JSONValue, _ body: RawSpan) {
        var cursor = JSONCursor(at: value.range.lowerBound)
        do throws(JSONError) { try readGeminiContent(&cursor, body) } catch { return }
    }

    /// Reads the value of `requests`: a list of requests, each for one vector.
    mutating func readEmbeddings(_ value: JSONValue, _ body: RawSpan) {
        var cursor = JSONCursor(at: value.range.lowerBound)
        guard value.kind == .array else { return }
        do throws(JSONError) {
            try cursor.enterArray(body)
            while try cursor.nextElement(body) {
                let before = tokens
                guard try isObject(&cursor, body) else { continue }
                try cursor.enterObject(body)
                while let key = try cursor.nextKey(body) {
                    if JSON.isKey(key, "content", in: body) {
                        try readGeminiContent(&cursor, body)
                    } else {
                        try cursor.skipValue(body)
                    }
                }
                note(input: tokens &- before)
            }
        } catch { return }
    }

    private mutating func readGeminiContents(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        guard try cursor.peekKind(body) == .array else { return try readGeminiContent(&cursor, body) }
        try cursor.enterArray(body)
        while try cursor.nextElement(body) {
            estimate.add(tokens: TokenEstimate.ofMessage)
            try readGeminiContent(&cursor, body)
        }
    }

    private mutating func readGeminiContent(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        guard try cursor.peekKind(body) == .object else { return try readText(&cursor, body) }
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            if JSON.isKey(key, "parts", in: body) {
                try readGeminiParts(&cursor, body)
            } else {
                try cursor.skipValue(body)
            }
        }
    }

    /// Reads the value of `parts`: a list of parts, or one.
    private mutating func readGeminiParts(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        guard try cursor.peekKind(body) == .array else { return try readGeminiPart(&cursor, body) }
        try cursor.enterArray(body)
        while try cursor.nextElement(body) { try readGeminiPart(&cursor, body) }
    }

    private mutating func readGeminiPart(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        guard try isObject(&cursor, body) else { return }
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) { try readGeminiPart(key, &cursor, body) }
    }

    private mutating func readGeminiPart(_ key: Range<Int>, _ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) {
        func isKey(_ names: StaticString...) -> Bool { names.contains { JSON.isKey(key, $0, in: body) } }
        if isKey("text", "executableCode", "executable_code", "codeExecutionResult", "code_execution_result") {
            try readText(&cursor, body)
        } else if isKey("functionCall", "function_call") {
            estimate.add(tokens: TokenEstimate.ofCall)
            try readText(&cursor, body)
        } else if isKey("functionResponse", "function_response"), try cursor.peekKind(body) == .object {
            try cursor.enterObject(body)
            while let key = try cursor.nextKey(body) {
                if JSON.isKey(key, "parts", in: body) {
                    try readGeminiParts(&cursor, body)
                } else if JSON.isKey(key, "response", in: body) || JSON.isKey(key, "name", in: body) {
                    try readText(&cursor, body)
                } else {
                    try cursor.skipValue(body)
                }
            }
        } else if isKey("inlineData", "inline_data", "fileData", "file_data"), try cursor.peekKind(body) == .object {
            add(try mediaType(&cursor, body).flatMap(Self.capability(ofMediaType:)) ?? .file)
        } else {
            if isKey("thoughtSignature", "thought_signature") { noteToken() }
            try cursor.skipValue(body)
        }
    }

    /// The media type in an object.
    private func mediaType(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) -> String? {
        var type: String?
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            let value = try cursor.skipValue(body)
            guard value.kind == .string, JSON.isKey(key, "mimeType", in: body) || JSON.isKey(key, "mime_type", in: body) else { continue }
            type = JSON.string(value.range, in: body)
        }
        return type
    }
}
