import Codecs
public import ProviderKit

extension DemoProvider {
    /// One JSON line for each piece of text, and one for the end. A non-streamed response is one piece.
    public func response(to call: Call, body: RawSpan) -> LocalResponse {
        let prompt = DemoPrompt(call, body)
        if let failure = failure(of: call, prompt) { return failure }
        let text = prompt.forcedFunction == nil ? rest(of: wholeText(prompt), behind: call.continuation) : ""
        var lines = (call.isStream ? pieces(of: text) : [text]).map { piece in line { $0.member("text", piece) } }
        if let function = prompt.forcedFunction { lines = [line { $0.member("tool", function) }] }
        if let cut = options.cut { lines = Array(lines.prefix(cut)) }
        let head = UpstreamHead(status: 200, fields: [HTTPField("content-type", "application/x-ndjson")])
        var response = LocalResponse(head: head, pieces: lines.map { .init(delay: options.delay, bytes: $0) })
        if options.cut != nil { return response }
        response.pieces.append(
            .init(
                bytes: line {
                    $0.member("done", prompt.forcedFunction == nil ? "stop" : "tool_calls")
                    $0.member("prompt_tokens", wordCount(prompt.question))
                    $0.member("completion_tokens", wordCount(text))
                }))
        return response
    }

    private func wholeText(_ prompt: DemoPrompt) -> String {
        guard prompt.wantsJSON else { return prompt.question.isEmpty ? "Hello from the demo provider." : "You said: \(prompt.question)" }
        var writer = JSONWriter()
        writer.object { $0.member("echo", prompt.question) }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// What the response still has to say where `begun` is its beginning; all of it behind words that aren't.
    private func rest(of text: String, behind begun: String?) -> String {
        guard let begun, text.utf8.starts(with: begun.utf8) else { return text }
        return String(decoding: text.utf8.dropFirst(begun.utf8.count), as: UTF8.self)
    }

    /// `text` in `options.chunks` pieces of about one length, or word by word. A piece never cuts a character.
    private func pieces(of text: String) -> [String] {
        guard let chunks = options.chunks else {
            return text.utf8.split(separator: 0x20, omittingEmptySubsequences: false).enumerated().map {
                ($0.offset == 0 ? "" : " ") + String(Substring($0.element))
            }
        }
        let characters = Array(text)
        return (0..<chunks).map { index in
            String(characters[(characters.count * index / chunks)..<(characters.count * (index + 1) / chunks)])
        }
    }

    /// The failure that the options have for this request; nil: it is answered.
    private func failure(of call: Call, _ prompt: DemoPrompt) -> LocalResponse? {
        switch options.failures {
        case .none: break
        case .always(let status): return told(status)
        case .tries(let statuses):
            if call.earlierTries < statuses.count, statuses[max(0, call.earlierTries)] != 200 {
                return told(statuses[max(0, call.earlierTries)])
            }
        }
        let words = wordCount(prompt.text)
        if let context = options.context, words > context {
            return refusal(
                400, "this model's maximum context length is \(context) words, but the messages have \(words)",
                code: "context_length_exceeded")
        }
        if let filter = options.filter, prompt.text.contains(filter) {
            return refusal(400, "the prompt holds '\(filter)', which the demo provider was told to filter", code: "content_filter")
        }
        return nil
    }

    private func told(_ status: Int) -> LocalResponse {
        refusal(status, "the demo provider was told to fail with \(status)", code: nil)
    }

    private func refusal(_ status: Int, _ message: String, code: String?) -> LocalResponse {
        var writer = JSONWriter()
        writer.object {
            $0.key("error")
            $0.object {
                $0.member("message", message)
                $0.member("type", status < 500 ? "invalid_request_error" : "api_error")
                if let code { $0.member("code", code) }
            }
        }
        var fields = [HTTPField("content-type", "application/json")]
        if code == nil, let wait = options.retryAfter { fields.append(HTTPField("retry-after-ms", "\(wait / .milliseconds(1))")) }
        return LocalResponse(head: UpstreamHead(status: status, fields: fields), pieces: [.init(delay: options.delay, bytes: writer.bytes)])
    }

    /// The demo's tokens are words. Byte by byte: a prompt of megabytes must not hold the event loop up.
    private func wordCount(_ text: String) -> Int {
        var words = 0
        var isInside = false
        for byte in text.utf8 {
            let isBlank = byte == 0x20 || (0x09...0x0D).contains(byte)
            if !isBlank, !isInside { words += 1 }
            isInside = !isBlank
        }
        return words
    }

    private func line(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object(members)
        return writer.bytes + [0x0A]
    }
}
