import Codecs

/// The fields that providers add to OpenAI's four.
extension OpenAIErrorBody {
    mutating func readDetails(_ key: Range<Int>, _ value: JSONValue, in bytes: RawSpan) {
        if JSON.isKey(key, "metadata", in: bytes) {
            forEachMember(of: value, in: bytes) { readMetadata($0, in: $1) }
        } else if JSON.isKey(key, "innererror", in: bytes) {
            // Azure: {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {…}}.
            // Source: Azure OpenAI's content filtering guide.
            forEachMember(of: value, in: bytes) { member, bytes in
                if JSON.isKey(member.key, "code", in: bytes) { innerCode = JSON.text(member.value, in: bytes) }
            }
        } else if JSON.isKey(key, "details", in: bytes), value.kind == .array {
            readGoogleDetails(value, in: bytes)
        }
    }

    /// Reads OpenRouter's `metadata`. Source: its guide "Errors and Debugging" (moderation, provider errors,
    /// `error_type`), and 429s as recorded (`headers`).
    private mutating func readMetadata(_ member: JSONMember, in bytes: RawSpan) {
        let value = member.value
        if JSON.isKey(member.key, "raw", in: bytes) {
            readRaw(value, in: bytes)
        } else if JSON.isKey(member.key, "error_type", in: bytes) {
            innerCode = JSON.text(value, in: bytes)
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
    private mutating func readRaw(_ value: JSONValue, in bytes: RawSpan) {
        let json = value.kind == .string ? JSON.decodedBytes(value.range, in: bytes) : Array(copying: value.range, of: bytes)
        if let inner = OpenAIErrorBody(json.span.bytes, isInner: true) {
            innerMessage = inner.message
            innerClass = inner.failureClass(status: 400)
        } else if value.kind == .string, !json.isEmpty {
            innerMessage = String(decoding: json.prefix(1024), as: UTF8.self)
        }
    }

    /// Reads `{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31s"}`.
    /// Source: google/rpc/error_details.proto.
    private mutating func readGoogleDetails(_ value: JSONValue, in bytes: RawSpan) {
        var cursor = JSONCursor(at: value.range.lowerBound)
        do throws(JSONError) {
            try cursor.enterArray(bytes)
            while try cursor.nextElement(bytes) {
                forEachMember(of: try cursor.skipValue(bytes), in: bytes) { member, bytes in
                    if JSON.isKey(member.key, "retryDelay", in: bytes) { retryDelay = JSON.text(member.value, in: bytes) }
                }
            }
        } catch {
            return
        }
    }
}

extension OpenAIErrorBody {
    /// The wait that the body requests; nil if it requests none. It counts only if the header fields request none.
    ///
    /// - Parameter head: the head of the response.
    public func wait(_ head: UpstreamHead) -> Duration? {
        if let retryDelay, let seconds = RetryAfter.goDuration(retryDelay) { return RetryAfter.duration(seconds) }
        return fields.isEmpty ? nil : RetryAfter.wait(UpstreamHead(status: head.status, fields: fields, receivedAt: head.respondedAt))
    }

    /// The message, followed by that of the provider that this provider has called. OpenRouter's own message is only
    /// "Provider returned error". nil if there is no message.
    public var fullMessage: String? {
        guard let innerMessage, innerMessage != message else { return message }
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
