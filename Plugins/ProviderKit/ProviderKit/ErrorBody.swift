import Codecs

/// What an upstream says about a failure, in an error response or an error event.
///
/// Providers use many shapes, and all of these are read:
///
/// - OpenAI's `{"error": {"message", "type", "param", "code"}}`, also in an array (Gemini's OpenAI endpoint), and with
///   further codes in it: Azure's `innererror.code`, OpenRouter's `metadata.error_type`, Google's `status` and
///   `details[].reason`
/// - `error` as a text (LM Studio, Ollama, xAI, text-generation-inference)
/// - the same members at the top level (vLLM before 0.9, Mistral, Cerebras, SiliconFlow), under other names too:
///   `detail` (FastAPI), `error_msg` and `error_code` (Baidu), `errors` (Cloudflare), `base_resp` (MiniMax)
/// - an object or an array in the place of the message (Mistral)
/// - another error body in a text: the `message` of a proxy, or OpenRouter's `metadata.raw`
public struct ErrorBody: Sendable, Equatable {
    /// The message; nil if there is none.
    public var message: String?
    /// OpenAI's type of the error, such as `invalid_request_error`; nil if there is none.
    public var type: String?
    /// The field of the request that is wrong; nil if there is none.
    public var param: String?
    /// The code as text, even if it was sent as a number; nil if there is none.
    public var code: String?
    /// Whether a code beside the message is 0, which means success.
    public private(set) var hasSuccessCode = false
    /// The codes in other places.
    var furtherCodes: [String] = []
    /// The message of the provider that this provider has called.
    var innerMessage: String?
    /// The messages in other places, which only the class depends on.
    var furtherMessages: [String] = []
    /// Whether moderation has flagged the input: OpenRouter's `metadata.reasons` and `flagged_input`.
    var isFlagged = false
    /// Header fields in the body, with names in lower case: OpenRouter's `metadata.headers`.
    var fields: [HTTPField] = []
    /// The wait in the body, in Go's notation or in seconds: Gemini's `retryDelay`, and `retry_after`.
    var retryDelay: String?

    /// Bodies inside bodies are read up to this depth.
    private static let maxDepth = 4
    /// At most so many elements of an array are read.
    static let maxElements = 16

    /// Reads the body of an error response, or the value of its `error`. nil if the bytes are not JSON, or say nothing.
    public init?(_ bytes: RawSpan) {
        self.init(bytes, depth: 0)
    }

    init?(_ bytes: RawSpan, depth: Int) {
        var cursor = JSONCursor()
        do throws(JSONError) { try read(&cursor, bytes, depth: depth) } catch { return nil }
        guard message != nil || innerMessage != nil || code != nil || type != nil else { return nil }
    }

    private init() {}

    /// The HTTP status that the code is; nil if the code is not a status from 400 to 599.
    public var status: Int? {
        guard let code, let number = Int(code), (400..<600).contains(number) else { return nil }
        return number
    }

    /// Reads any value: an object, the elements of an array, of which the first comes first, or a text.
    private mutating func read(_ cursor: inout JSONCursor, _ bytes: RawSpan, depth: Int) throws(JSONError) {
        switch try cursor.peekKind(bytes) {
        case .object:
            try readObject(&cursor, bytes, depth: depth)
            readNestedMessage(depth: depth)
        case .array:
            let array = try cursor.skipValue(bytes)
            var inner = JSONCursor(at: array.range.lowerBound)
            try inner.enterArray(bytes)
            var elements = 0
            while depth < Self.maxDepth, elements < Self.maxElements, try inner.nextElement(bytes) {
                var element = ErrorBody()
                try element.read(&inner, bytes, depth: depth + 1)
                self = merged(with: element)
                elements += 1
            }
        case .string:
            add(text: JSON.string(try cursor.skipValue(bytes).range, in: bytes))
            readNestedMessage(depth: depth)
        case .number, .true, .false, .null:
            _ = try cursor.skipValue(bytes)
        }
    }

    /// A text in the place of an error. A single word is a code, such as OAuth's `invalid_grant`.
    private mutating func add(text: String) {
        guard Self.says(text) else { return }
        message = text
        if !text.contains(" ") { furtherCodes.append(text) }
    }

    /// Texts that mean that there is no error. Some servers write their language's null, or report a success.
    private static let silences: Set = ["null", "none", "nil", "undefined", "ok", "success", "succeeded", "successful"]

    /// Whether a text says something about a failure.
    private static func says(_ text: String) -> Bool {
        !text.allSatisfy(\.isWhitespace) && !(text.utf8.count < 12 && silences.contains(text.lowercased()))
    }

    private mutating func readObject(_ cursor: inout JSONCursor, _ bytes: RawSpan, depth: Int) throws(JSONError) {
        var inner: ErrorBody?, summary: ErrorBody?
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let value = try cursor.skipValue(bytes)
            let name = JSON.string(key, in: bytes)
            if Self.containers.contains(name), depth < Self.maxDepth, value.kind != .number {
                var body = ErrorBody(), cursor = JSONCursor(at: value.range.lowerBound)
                try body.read(&cursor, bytes, depth: depth + 1)
                guard body.message != nil || body.code != nil || body.type != nil else {
                    if body.hasSuccessCode { hasSuccessCode = true }
                    continue
                }
                if name == "error", value.kind == .string { summary = body } else { inner = inner?.merged(with: body) ?? body }
            } else {
                read(name, value, in: bytes, depth: depth)
                readDetails(name, value, in: bytes, depth: depth)
            }
        }
        // What is nested is more specific than what stands beside it.
        if let inner { self = inner.merged(with: self) }
        // A text in `error` may be the status alone: {"error": "Bad Request", "message": "Insufficient balance"}.
        if let summary { self = merged(with: summary) }
    }

    /// The members that contain an error body or a text.
    private static let containers: Set = ["error", "Error", "errors", "detail", "base_resp", "response"]
    /// The members that contain a message. `message` precedes the others.
    private static let messages: Set = [
        "message", "msg", "error_msg", "error_message", "errorMessage", "status_msg", "Message", "error_description",
    ]
    /// The members that contain a code. `code` precedes the others. The code 0 means success.
    private static let codes: Set = ["code", "error_code", "errorCode", "status_code", "Code", "__type"]

    /// The members that contain a wait in seconds: `estimated_time` of Hugging Face, as recorded, and
    /// `resets_in_seconds` of ChatGPT's `usage_limit_reached`, as recorded.
    private static let waits: Set = ["retry_after", "retry_after_seconds", "estimated_time", "resets_in_seconds"]

    private mutating func read(_ name: String, _ value: JSONValue, in bytes: RawSpan, depth: Int) {
        if Self.messages.contains(name) {
            if value.kind == .object || value.kind == .array {
                guard depth < Self.maxDepth, let body = ErrorBody(bytes.extracting(value.range), depth: depth + 1) else { return }
                self = body.merged(with: self)
            } else if let text = JSON.text(value, in: bytes), Self.says(text) {
                furtherMessages += (name == "message" ? [message] : message == nil ? [] : [text]).compactMap { $0 }
                if message == nil || name == "message" { message = text }
            }
            return
        }
        guard let text = JSON.text(value, in: bytes), !text.isEmpty else { return }
        if Self.codes.contains(name) {
            if text == "0" {
                hasSuccessCode = true
                return
            }
            if code == nil || name == "code" { code = text } else { furtherCodes.append(text) }
        } else if name == "type" || name == "error_type" {
            type = type ?? text
        } else if name == "param" {
            param = text
        } else if name == "status" || name == "reason", value.kind == .string {
            furtherCodes.append(text)
        } else if Self.waits.contains(name) {
            retryDelay = text
        } else if name == "retry_after_ms", value.kind == .number {
            retryDelay = text + "ms"
        }
    }

    /// A body whose missing parts are filled from `outer`.
    private func merged(with outer: ErrorBody) -> ErrorBody {
        var body = self
        body.message = message ?? outer.message
        body.innerMessage = innerMessage ?? outer.innerMessage
        body.type = type ?? outer.type
        body.param = param ?? outer.param
        body.code = code ?? outer.code
        body.furtherMessages += outer.furtherMessages + [message == nil ? nil : outer.message].compactMap { $0 }
        body.furtherCodes += outer.furtherCodes + [outer.code, outer.type].compactMap { $0 }
        body.isFlagged = isFlagged || outer.isFlagged
        body.fields += outer.fields
        body.retryDelay = retryDelay ?? outer.retryDelay
        return body
    }

    /// Reads an error body that is a part of the message, as proxies send it: `upstream error: {"error": {…}}`.
    private mutating func readNestedMessage(depth: Int) {
        guard depth < Self.maxDepth, let message,
            let start = message.utf8.firstIndex(where: { $0 == ASCII.openBrace || $0 == ASCII.openBracket })
        else { return }
        let json = Array(message.utf8[start...])
        guard let body = ErrorBody(json.span.bytes, depth: depth + 1), let text = body.message else { return }
        let before = message[..<start].trimmingBlanks()
        if before.isEmpty { self.message = text } else { innerMessage = text }
        add(inner: body)
    }

    /// Adds what the error body of another provider says.
    mutating func add(inner body: ErrorBody) {
        furtherCodes += [body.code, body.type].compactMap { $0 } + body.furtherCodes
        isFlagged = isFlagged || body.isFlagged
        furtherMessages += body.furtherMessages
        retryDelay = retryDelay ?? body.retryDelay
        param = param ?? body.param
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
