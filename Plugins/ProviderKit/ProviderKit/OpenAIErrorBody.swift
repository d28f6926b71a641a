public import Codecs

/// OpenAI's error format, `{"error": {"message", "type", "param", "code"}}`, from an error response or an error event.
///
/// Many providers deviate from it, and all of these forms are read: `error` is a string (LM Studio, Ollama, xAI, TGI);
/// `code` is a number (OpenRouter, Gemini, llama.cpp); the object is in an array (Gemini's OpenAI endpoint); the fields
/// are at the top level (vLLM before 0.9, Mistral, Cerebras).
public struct OpenAIErrorBody: Sendable, Equatable {
    /// The message; nil if there is none.
    public var message: String?
    /// OpenAI's type of the error, such as `invalid_request_error`; nil if there is none.
    public var type: String?
    /// The field of the request that is wrong; nil if there is none.
    public var param: String?
    /// The code as text, even if it was sent as a number; nil if there is none.
    public var code: String?
    /// A code that is nested deeper: Azure's `innererror.code` or OpenRouter's `metadata.error_type`.
    var innerCode: String?
    /// The message of the provider that this provider has called: OpenRouter's `metadata.raw`.
    var innerMessage: String?
    /// The class of `metadata.raw`, if it is an error body itself.
    var innerClass: FailureClass?
    /// Whether moderation has flagged the input: OpenRouter's `metadata.reasons` and `flagged_input`.
    var isFlagged = false
    /// Header fields in the body, with names in lower case: OpenRouter's `metadata.headers`.
    var fields: [HTTPField] = []
    /// The wait in the body, in Go's notation: Gemini's `retryDelay`.
    var retryDelay: String?

    /// Reads the body of an error response. nil if the bytes are not JSON or contain no error.
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

    /// Reads the value of `error`, which must be the cursor's next value, and moves the cursor past it.
    public init(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        guard try cursor.peekKind(bytes) == .object else {
            let value = try cursor.skipValue(bytes)
            message = value.kind == .string ? JSON.string(value.range, in: bytes) : nil
            return
        }
        try readFields(&cursor, bytes, isInner: false)
    }

    /// The HTTP status that the code is; nil if the code is not a status from 400 to 599.
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
    /// The text of a string, or the digits of a number as they are written; nil for other kinds.
    static func text(_ value: JSONValue, in bytes: RawSpan) -> String? {
        switch value.kind {
        case .string: string(value.range, in: bytes)
        case .number: String(decoding: Array(copying: value.range, of: bytes), as: UTF8.self)
        case .object, .array, .true, .false, .null: nil
        }
    }
}
