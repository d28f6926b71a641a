/// OpenAI's error: `{"error": {"message", "type", "param", "code"}}`, from an error answer or an error event.
///
/// Providers bend it: `error` may be a bare string, `code` a number, the whole body wrapped in an array (Google's OpenAI endpoint), the
/// fields at the top level (vLLM before 0.9).
public struct OpenAIErrorBody: Sendable, Equatable {
    public var message: String?
    public var type: String?
    public var param: String?
    /// As text, also where it was sent as a number.
    public var code: String?

    /// nil where the bytes are not JSON or hold no error.
    public init?(_ bytes: RawSpan) {
        var cursor = JSONCursor()
        do throws(JSONError) {
            if try cursor.peekKind(bytes) == .array {
                try cursor.enterArray(bytes)
                guard try cursor.nextElement(bytes) else { return nil }
            }
            guard try cursor.peekKind(bytes) == .object else { return nil }
            var isError = false
            var top = OpenAIErrorBody()
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                guard JSON.isKey(key, "error", in: bytes) else {
                    let value = try cursor.skipValue(bytes)
                    top.read(key, value, in: bytes)
                    continue
                }
                switch try cursor.peekKind(bytes) {
                case .object:
                    isError = true
                    try readFields(&cursor, bytes)
                case .string:
                    isError = true
                    message = JSON.string(try cursor.skipValue(bytes).range, in: bytes)
                case .array, .number, .true, .false, .null:
                    _ = try cursor.skipValue(bytes)
                }
            }
            if isError { return }
            guard top.message != nil, top.type != nil || top.code != nil else { return nil }
            self = top
        } catch {
            return nil
        }
    }

    /// Reads the object that the cursor stands before: the value of `error`.
    public init(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        guard try cursor.peekKind(bytes) == .object else {
            let value = try cursor.skipValue(bytes)
            message = value.kind == .string ? JSON.string(value.range, in: bytes) : nil
            return
        }
        try readFields(&cursor, bytes)
    }

    /// The status that the code stands for, where the code is one.
    public var status: Int? {
        guard let code, let number = Int(code), (400..<600).contains(number) else { return nil }
        return number
    }

    /// What a 400 with this body is about, where its words are known. Codes first; the phrases are those of servers that send no code.
    public var refinedClass: FailureClass? {
        switch code ?? "" {
        case "context_length_exceeded", "string_above_max_length", "request_too_large": return .contextOverflow
        case "content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation", "data_inspection_failed": return .contentFilter
        case "unsupported_parameter", "unsupported_value", "unsupported_format": return param == "response_format" ? .unsupported : nil
        default: break
        }
        switch type ?? "" {
        case "exceed_context_size_error": return .contextOverflow  // llama.cpp's server
        default: break
        }
        // vLLM and OpenAI's older models: "This model's maximum context length is 4096 tokens."
        if let message, contains(message, "maximum context length") { return .contextOverflow }
        if param == "response_format" { return .unsupported }
        return nil
    }

    private init() {}

    private mutating func readFields(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            read(key, try cursor.skipValue(bytes), in: bytes)
        }
    }

    private mutating func read(_ key: Range<Int>, _ value: JSONValue, in bytes: RawSpan) {
        guard value.kind == .string || value.kind == .number else { return }
        func text() -> String {
            value.kind == .string ? JSON.string(value.range, in: bytes) : String(decoding: (value.range).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }, as: UTF8.self)
        }
        if JSON.isKey(key, "message", in: bytes) { message = text() }
        if JSON.isKey(key, "type", in: bytes) { type = text() }
        if JSON.isKey(key, "param", in: bytes) { param = text() }
        if JSON.isKey(key, "code", in: bytes) { code = text() }
    }
}

private func contains(_ text: String, _ phrase: StaticString) -> Bool {
    let text = Array(text.utf8), phrase = Array(UnsafeBufferPointer(start: phrase.utf8Start, count: phrase.utf8CodeUnitCount))
    guard text.count >= phrase.count else { return false }
    return (0...(text.count - phrase.count)).contains { text[$0..<($0 + phrase.count)].elementsEqual(phrase) }
}
