import Codecs

/// The fields that providers add to OpenAI's four.
extension ErrorBody {
    /// - Parameter name: in lower case, without `_`.
    mutating func readDetails(_ name: String, _ value: JSONValue, in bytes: RawSpan, depth: Int) {
        switch name {
        case "metadata":
            forEachMember(of: value, in: bytes) { readMetadata($0, in: $1, depth: depth) }
        case "details":
            readDetails(value, in: bytes)
        case "promptfeedback":
            // Gemini blocks a prompt in a response with status 200. Source: the Gemini API reference, `PromptFeedback`.
            forEachMember(of: value, in: bytes) { member, bytes in
                guard JSON.isKey(member.key, "blockReason", in: bytes), let reason = JSON.text(member.value, in: bytes),
                    reason != "BLOCK_REASON_UNSPECIFIED"
                else { return }
                isFlagged = true
                code = code ?? reason
                message = message ?? "the prompt was blocked: \(reason)"
            }
        default:
            break
        }
    }

    /// Reads OpenRouter's `metadata`. Source: its guide "Errors and Debugging" (moderation, provider errors,
    /// `error_type`), and 429s as recorded (`headers`).
    private mutating func readMetadata(_ member: JSONMember, in bytes: RawSpan, depth: Int) {
        let value = member.value
        if JSON.isKey(member.key, "raw", in: bytes) {
            readRaw(value, in: bytes, depth: depth)
        } else if JSON.isKey(member.key, "reason", in: bytes) {
            // Novita: the cause of "invalid request body", as recorded.
            if let text = JSON.text(value, in: bytes) { furtherMessages.append(text) }
        } else if JSON.isKey(member.key, "error_type", in: bytes) {
            if let text = JSON.text(value, in: bytes) { furtherCodes.append(text) }
        } else if JSON.isKey(member.key, "retry_after", in: bytes) || JSON.isKey(member.key, "retry_after_seconds", in: bytes) {
            retryDelay = JSON.text(value, in: bytes) ?? retryDelay
        } else if JSON.isKey(member.key, "reasons", in: bytes) {
            if value.kind == .array, value.range.count > 2 { isFlagged = true }
        } else if JSON.isKey(member.key, "flagged_input", in: bytes) {
            if value.kind == .string, value.range.count > 2 { isFlagged = true }
        } else if JSON.isKey(member.key, "headers", in: bytes) {
            forEachMember(of: value, in: bytes) { member, bytes in
                guard let text = JSON.text(member.value, in: bytes) else { return }
                fields.append(HTTPField(JSON.string(member.key, in: bytes).lowercased(), text))
            }
        }
    }

    /// Reads the response of the provider that OpenRouter has called: an object, or a text that may be JSON.
    private mutating func readRaw(_ value: JSONValue, in bytes: RawSpan, depth: Int) {
        let json = value.kind == .string ? JSON.decodedBytes(value.range, in: bytes) : Array(copying: value.range, of: bytes)
        if let inner = ErrorBody(json.span.bytes, depth: depth + 1) {
            innerMessage = inner.message
            add(inner: inner)
        } else if value.kind == .string, !json.isEmpty {
            innerMessage = String(decoding: json.prefix(8192), as: UTF8.self)
        }
    }

    /// Reads a text (GitHub Models), or Google's objects, of which ErrorInfo has further waits in `metadata`:
    /// `{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31s"}`, `"reason": "API_KEY_INVALID"`
    /// (ErrorInfo), `"detail": "…"` (DebugInfo) and `"message": "…"` (LocalizedMessage). Source:
    /// google/rpc/error_details.proto.
    private mutating func readDetails(_ value: JSONValue, in bytes: RawSpan) {
        if value.kind == .string, value.range.count > 2 {
            let text = JSON.string(value.range, in: bytes)
            if innerMessage == nil { innerMessage = text } else { furtherMessages.append(text) }
        }
        forEachMember(of: value, in: bytes) { readDetail($0, in: $1) }
        guard value.kind == .array else { return }
        var cursor = JSONCursor(at: value.range.lowerBound)
        do throws(JSONError) {
            try cursor.enterArray(bytes)
            var elements = 0
            while elements < Self.maxElements, try cursor.nextElement(bytes) {
                forEachMember(of: try cursor.skipValue(bytes), in: bytes) { readDetail($0, in: $1) }
                elements += 1
            }
        } catch {
            return
        }
    }

    private mutating func readDetail(_ member: JSONMember, in bytes: RawSpan) {
        if JSON.isKey(member.key, "localizedMessage", in: bytes) || JSON.isKey(member.key, "metadata", in: bytes) {
            return forEachMember(of: member.value, in: bytes) { readDetail($0, in: $1) }
        }
        guard let text = JSON.text(member.value, in: bytes) else { return }
        if JSON.isKey(member.key, "retryDelay", in: bytes) { retryDelay = text }
        if JSON.isKey(member.key, "quotaResetDelay", in: bytes) || JSON.isKey(member.key, "quotaResetTimeStamp", in: bytes) {
            retryDelay = retryDelay ?? text
        }
        if JSON.isKey(member.key, "reason", in: bytes) { furtherCodes.append(text) }
        if JSON.isKey(member.key, "detail", in: bytes) || JSON.isKey(member.key, "message", in: bytes) { furtherMessages.append(text) }
    }
}

extension ErrorBody {
    /// The wait that the body requests, as a field or in the words of its message; nil if it requests none. It counts
    /// only if the header fields request none.
    ///
    /// - Parameter head: the head of the response.
    public func wait(_ head: UpstreamHead) -> Duration? {
        if let retryDelay, let seconds = RetryAfter.seconds(retryDelay, now: head.respondedAt) { return RetryAfter.duration(seconds) }
        let reset = fields.isEmpty ? nil : RetryAfter.wait(UpstreamHead(status: head.status, fields: fields, receivedAt: head.respondedAt))
        return reset ?? statedWait(now: head.respondedAt)
    }

    /// The wait in the words of the message; nil if it names none.
    ///
    /// - Parameter now: the current time in seconds since 1970; nil if it is unknown.
    func statedWait(now: Double?) -> Duration? {
        [message, innerMessage].lazy.compactMap { $0 }.compactMap { RetryAfter.stated($0, now: now) }.first
    }

    /// The message, followed by that of the provider that this provider has called. OpenRouter's own message is only
    /// "Provider returned error". nil if there is no message.
    public var fullMessage: String? {
        guard let innerMessage, innerMessage != message else { return message }
        // A message that contains the inner body as JSON is shown as it is.
        if let message, message.contains(innerMessage) { return message }
        return message.map { "\($0): \(innerMessage)" } ?? innerMessage
    }
}

/// Calls `read` for each member of a scanned value, with the bytes that the member's ranges refer to. A value that is
/// not an object has no members.
private func forEachMember(of value: JSONValue, in bytes: RawSpan, _ read: (JSONMember, RawSpan) -> Void) {
    guard value.kind == .object else { return }
    let inner = bytes.extracting(value.range)
    guard let members = try? JSON.members(of: inner) else { return }
    for member in members { read(member, inner) }
}
