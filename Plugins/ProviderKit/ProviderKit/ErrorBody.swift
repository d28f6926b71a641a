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
///   `detail` (FastAPI), `error_msg` and `error_code` (Baidu), `errors` (Cloudflare), `base_resp` (MiniMax), `errmsg`,
///   `title` with `detail` (RFC 9457), `reason` (Vapor, Elasticsearch), `exception` (Spring)
/// - all of this in an envelope: `fault` (Apigee), `header` (iFlytek), `Response` (Tencent), `ResponseMetadata`
///   (Volcengine), `data` and `result`
/// - a cause beside the message: `innererror` (OData), `cause`, `details`
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
    /// The message of the cause: of the provider that this provider has called, or of an inner error.
    var innerMessage: String?
    /// The messages in other places, which only the class depends on.
    var furtherMessages: [String] = []
    /// Whether moderation has flagged the input: OpenRouter's `metadata.reasons` and `flagged_input`.
    var isFlagged = false
    /// Header fields in the body, with names in lower case: OpenRouter's `metadata.headers`.
    var fields: [HTTPField] = []
    /// The wait in the body, in any form of ``RetryAfter``: Gemini's `retryDelay`, and `retry_after`.
    var retryDelay: String?

    /// The place in the request that the message is about. Source: pydantic's "Error Handling", `loc`.
    private var place: String?
    /// The number in `status`, which repeats the response's status; nil if there is none.
    private var statedStatus: Int?
    /// Whether there is a member that only an error has.
    private var hasError = false

    /// Bodies inside bodies are read up to this depth.
    static let maxDepth = 4
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

    /// Creates a body that says nothing.
    init() {}

    /// The HTTP status that the code or a member `status` is; nil if neither is a status from 400 to 599.
    public var status: Int? {
        [code.flatMap { Int($0) }, statedStatus].lazy.compactMap { $0 }.first { (400..<600).contains($0) }
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
        var inner: ErrorBody?, summary: ErrorBody?, enveloped: ErrorBody?
        defer { addPlace() }
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let value = try cursor.skipValue(bytes)
            let name = Self.plain(JSON.string(key, in: bytes))
            if Self.envelopes.contains(name), value.kind == .object, depth < Self.maxDepth {
                var body = ErrorBody(), cursor = JSONCursor(at: value.range.lowerBound)
                try body.read(&cursor, bytes, depth: depth + 1)
                if body.hasSuccessCode { hasSuccessCode = true }
                if body.message != nil || body.code != nil { enveloped = enveloped?.merged(with: body) ?? body }
            } else if Self.isContainer(name, value), depth < Self.maxDepth {
                var body = ErrorBody(), cursor = JSONCursor(at: value.range.lowerBound)
                try body.read(&cursor, bytes, depth: depth + 1)
                // A text beside nothing else: {"error": {"reason": "content_policy_violation"}}
                if name == "error", body.message == nil, body.code == nil { body.code = body.furtherCodes.first { Self.says($0) } }
                guard body.message != nil || body.code != nil || body.type != nil else {
                    if body.hasSuccessCode { hasSuccessCode = true }
                    continue
                }
                hasError = true
                if name == "error", value.kind == .string { summary = body } else { inner = inner?.merged(with: body) ?? body }
            } else {
                read(name, value, in: bytes, depth: depth)
                readDetails(name, value, in: bytes, depth: depth)
            }
        }
        // An envelope may also hold a result, or news about it.
        if let enveloped, !hasSuccessCode, hasError || enveloped.hasError || message != nil || code != nil || enveloped.code != nil {
            inner = inner?.merged(with: enveloped) ?? enveloped
        }
        // What is nested is more specific than what stands beside it.
        if let inner { self = inner.merged(with: self) }
        // A text in `error` may be the status alone: {"error": "Bad Request", "message": "Insufficient balance"}.
        if let summary { self = merged(with: summary) }
    }

    /// A name as it is compared: in lower case and without `_` and `-`, because providers spell the same names in every
    /// way, such as `errorMessage`, `error_message` and `ErrorMessage`.
    private static func plain(_ name: String) -> String {
        name == awsType ? name : String(name.lowercased().filter { $0 != "_" && $0 != "-" })
    }

    /// The name of an exception. Source: AWS's protocol `restJson1`, "Operation error serialization".
    private static let awsType = "__type"

    /// The members that contain an error body or a text. Sources, beside those of the shapes above: Apigee's reference,
    /// "Fault handling"; Volcengine's "Common response"; Tencent Cloud's API 3.0, "Responses".
    private static let containers: Set = ["error", "errors", "detail", "baseresp", "response", "fault", "responsemetadata"]
    private static func isContainer(_ name: String, _ value: JSONValue) -> Bool {
        containers.contains(name) && value.kind != .number || name == "status" && value.kind == .object  // google.rpc.Status
    }

    /// The members whose objects contain a result or an error. Source of `header`: iFlytek's Spark, "Web API".
    private static let envelopes: Set = ["data", "result", "header"]
    /// The members that contain a message. `message` precedes the others.
    private static let messages: Set = [
        "message", "msg", "errormsg", "errormessage", "errmsg", "statusmsg", "statusmessage", "errordescription", "faultstring",
        "exception", "title",
    ]
    /// The members that contain a code. `code` precedes the others. The code 0 means success.
    private static let codes: Set = ["code", "errorcode", "errcode", "statuscode", awsType]
    /// The members that contain an inner error. Sources: OData's JSON format, "Error response"; ECMAScript's
    /// `Error.cause`, as servers in Node serialize it.
    private static let causes: Set = ["innererror", "cause"]

    /// The members that contain a wait in seconds, or a point in time: `estimated_time` of Hugging Face, as recorded,
    /// and `resets_in_seconds` and `resets_at` of ChatGPT's `usage_limit_reached`, as recorded.
    private static let waits: Set = [
        "retryafter", "retryafterseconds", "waitseconds", "cooldownseconds", "estimatedtime", "resetsinseconds", "resetat", "resetsat",
    ]

    private mutating func read(_ name: String, _ value: JSONValue, in bytes: RawSpan, depth: Int) {
        if Self.messages.contains(name) {
            if value.kind == .object || value.kind == .array {
                guard depth < Self.maxDepth, let body = ErrorBody(bytes.extracting(value.range), depth: depth + 1) else { return }
                self = body.merged(with: self)
            } else if let text = JSON.text(value, in: bytes), Self.says(text) {
                add(message: text, name)
            }
            return
        }
        if Self.causes.contains(name) {
            guard depth < Self.maxDepth, let body = ErrorBody(bytes.extracting(value.range), depth: depth + 1) else { return }
            innerMessage = innerMessage ?? body.fullMessage
            return add(inner: body)
        }
        if name == "loc", value.kind == .array { place = Self.path(JSONTree(bytes.extracting(value.range))) }
        guard let text = JSON.text(value, in: bytes), !text.isEmpty else { return }
        if Self.codes.contains(name) {
            if text == "0" {
                hasSuccessCode = true
                return
            }
            if code == nil || name == "code" { code = text } else { furtherCodes.append(text) }
        } else if name == "type" || name == "errortype" {
            type = type ?? text
        } else if name == "param" {
            param = text
        } else if name == "reason", value.kind == .string, text.contains(" ") {
            add(message: text, name)
        } else if name == "status" || name == "reason", value.kind == .string {
            furtherCodes.append(text)
        } else if name == "status" {
            statedStatus = statedStatus ?? Int(text)
        } else if Self.waits.contains(name) {
            retryDelay = text
        } else if name == "retryafterms", value.kind == .number {
            retryDelay = text + "ms"
        }
    }

    /// `messages.0.content` of `["body", "messages", 0, "content"]`.
    private static func path(_ list: JSONTree?) -> String {
        let names = (list?.elements ?? []).prefix(maxElements).map { $0.string ?? String(decoding: $0.encoded, as: UTF8.self) }
        return names.drop { $0 == "body" }.joined(separator: ".")
    }

    /// Adds the message with its place in front, as pydantic prints it.
    private mutating func addPlace() {
        if let place, let message { furtherMessages.append("\(place): \(message)") }
    }

    private mutating func add(message text: String, _ name: String) {
        furtherMessages += (name == "message" ? [message] : message == nil ? [] : [text]).compactMap { $0 }
        if message == nil || name == "message" { message = text }
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
        body.statedStatus = statedStatus ?? outer.statedStatus
        body.hasError = hasError || outer.hasError
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
