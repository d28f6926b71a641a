public import Codecs

/// OpenAI's error: `{"error": {"message", "type", "param", "code"}}`, from an error response or an error event.
///
/// Providers bend it: `error` may be a bare string (LM Studio, Ollama, xAI, TGI), `code` a number (OpenRouter, Gemini, llama.cpp), the whole body wrapped
/// in an array (Gemini's OpenAI endpoint), the fields at the top level (vLLM before 0.9, Mistral, Cerebras).
public struct OpenAIErrorBody: Sendable, Equatable {
    public var message: String?
    public var type: String?
    public var param: String?
    /// As text, also where it was sent as a number.
    public var code: String?
    /// The code that stands deeper: Azure's `innererror.code`, OpenRouter's `metadata.error_type`.
    public internal(set) var innerCode: String?
    /// The words of the provider behind this one: OpenRouter's `metadata.raw`.
    public internal(set) var innerMessage: String?
    /// What those words are about, where they are an error body of their own.
    var innerClass: FailureClass?
    /// The input was flagged by moderation: OpenRouter's `metadata.reasons` and `flagged_input`.
    var isFlagged = false
    /// Header fields inside the body: OpenRouter's `metadata.headers`. Their names are in lower case.
    var fields: [HTTPField] = []
    /// Gemini's `retryDelay`.
    var retryDelay: String?

    /// nil where the bytes are not JSON or hold no error.
    public init?(_ bytes: RawSpan) {
        self.init(bytes, isInner: false)
    }

    init?(_ bytes: RawSpan, isInner: Bool) {
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
                    try readFields(&cursor, bytes, isInner: isInner)
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
        try readFields(&cursor, bytes, isInner: false)
    }

    /// The status that the code stands for, where the code is one.
    public var status: Int? {
        guard let code, let number = Int(code), (400..<600).contains(number) else { return nil }
        return number
    }

    private init() {}

    private mutating func readFields(_ cursor: inout JSONCursor, _ bytes: RawSpan, isInner: Bool) throws(JSONError) {
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let value = try cursor.skipValue(bytes)
            read(key, value, in: bytes)
            if !isInner { readDetails(key, value, in: bytes) }
        }
    }

    private mutating func read(_ key: Range<Int>, _ value: JSONValue, in bytes: RawSpan) {
        guard let text = JSON.text(value, in: bytes) else { return }
        if JSON.isKey(key, "message", in: bytes) { message = text }
        if JSON.isKey(key, "type", in: bytes) { type = text }
        if JSON.isKey(key, "param", in: bytes) { param = text }
        if JSON.isKey(key, "code", in: bytes) { code = text }
    }
}

extension JSON {
    /// What a string means, or a number's own digits; nil for other kinds.
    static func text(_ value: JSONValue, in bytes: RawSpan) -> String? {
        switch value.kind {
        case .string: string(value.range, in: bytes)
        case .number: String(decoding: Array(copying: value.range, of: bytes), as: UTF8.self)
        case .object, .array, .true, .false, .null: nil
        }
    }
}
