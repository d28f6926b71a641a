public import ProviderKit

extension DemoProvider {
    /// One JSON line for each piece of text, and one for the end. A whole answer is one piece.
    public func answer(to call: Call, body: RawSpan) -> LocalAnswer {
        if let status = options.failStatus {
            var writer = JSONWriter()
            writer.object {
                $0.key("error")
                $0.object {
                    $0.member("message", "the demo provider was told to fail with \(status)")
                    $0.member("type", status < 500 ? "invalid_request_error" : "api_error")
                }
            }
            return LocalAnswer(head: UpstreamHead(status: status, fields: [HTTPField("content-type", "application/json")]), pieces: [.init(delay: options.delay, bytes: writer.bytes)])
        }
        let question = lastUserText(call, body)
        let text = question.isEmpty ? "Hello from the demo provider." : "You said: \(question)"
        let parts = call.isStream ? pieces(of: text) : [text]
        var answer = LocalAnswer(head: UpstreamHead(status: 200, fields: [HTTPField("content-type", "application/x-ndjson")]), pieces: [])
        for part in parts {
            answer.pieces.append(.init(delay: options.delay, bytes: line { $0.member("text", part) }))
        }
        answer.pieces.append(.init(bytes: line {
            $0.member("done", "stop")
            $0.member("prompt_tokens", wordCount(question))
            $0.member("completion_tokens", wordCount(text))
        }))
        return answer
    }

    /// `text` in `options.chunks` pieces of about one length, or word by word. A piece never cuts a character.
    private func pieces(of text: String) -> [String] {
        guard let chunks = options.chunks else {
            return text.split(separator: " ", omittingEmptySubsequences: false).enumerated().map { $0.offset == 0 ? String($0.element) : " " + $0.element }
        }
        let characters = Array(text)
        return (0..<chunks).map { index in
            String(characters[(characters.count * index / chunks)..<(characters.count * (index + 1) / chunks)])
        }
    }

    /// The text of the last message of the role `user`: a string, or the `text` parts of a list.
    private func lastUserText(_ call: Call, _ body: RawSpan) -> String {
        guard let messages = call.members.last(where: { JSON.isKey($0.key, "messages", in: body) })?.value, messages.kind == .array else { return "" }
        var last = ""
        var cursor = JSONCursor(at: messages.range.lowerBound)
        do throws(JSONError) {
            try cursor.enterArray(body)
            while try cursor.nextElement(body) {
                if let text = try userText(&cursor, body) { last = text }
            }
        } catch {
            return last
        }
        return last
    }

    private func userText(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) -> String? {
        guard try cursor.peekKind(body) == .object else {
            _ = try cursor.skipValue(body)
            return nil
        }
        var isUser = false
        var text = ""
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            if JSON.isKey(key, "content", in: body), try cursor.peekKind(body) == .array {
                try cursor.enterArray(body)
                while try cursor.nextElement(body) { text += try partText(&cursor, body) }
                continue
            }
            let value = try cursor.skipValue(body)
            if JSON.isKey(key, "role", in: body) { isUser = JSON.isString(value, "user", in: body) }
            if JSON.isKey(key, "content", in: body), value.kind == .string { text = JSON.string(value.range, in: body) }
        }
        return isUser ? text : nil
    }

    private func partText(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) -> String {
        guard try cursor.peekKind(body) == .object else {
            _ = try cursor.skipValue(body)
            return ""
        }
        var text = ""
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            let value = try cursor.skipValue(body)
            if JSON.isKey(key, "text", in: body), value.kind == .string { text = JSON.string(value.range, in: body) }
        }
        return text
    }

    /// The demo's tokens are words.
    private func wordCount(_ text: String) -> Int {
        text.split(whereSeparator: \.isWhitespace).count
    }

    private func line(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object(members)
        return writer.bytes + [0x0A]
    }
}
