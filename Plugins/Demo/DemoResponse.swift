import Codecs
public import ProviderKit
import WireFormats

extension DemoProvider {
    /// One JSON line for each chunk of text, and one for the end. A non-streamed response has one chunk of text.
    public func response(to call: Call, body: RawSpan) -> LocalResponse {
        switch call.payload {
        case .chat(let request): response(to: call, DemoPrompt(request))
        case .embeddings(let request): response(to: call, request)
        case .form(let form): transcription(of: form, for: call)
        case .members: speech(for: call, JSONTree(body))
        }
    }

    private func response(to call: Call, _ prompt: DemoPrompt) -> LocalResponse {
        if let failure = failure(of: call, prompt.text) { return failure }
        let text = prompt.forcedFunction == nil ? remainder(of: fullText(prompt), after: call.continuation) : ""
        var lines = (call.isStream ? chunks(of: text) : [text]).map { chunk in
            line {
                $0.member("text", chunk)
                if let count = prompt.topLogprobs { $0.member("top_logprobs", count) }
            }
        }
        if let function = prompt.forcedFunction { lines = [line { $0.member("tool", function) }] }
        if let cut = options.cut { lines = Array(lines.prefix(cut)) }
        let head = UpstreamHead(status: 200, fields: [HTTPField("content-type", "application/x-ndjson")])
        var response = LocalResponse(head: head, chunks: lines.map { .init(delay: options.delay, bytes: $0) })
        if options.cut != nil { return response }
        response.chunks.append(
            .init(
                bytes: line {
                    $0.member("done", prompt.forcedFunction == nil ? "stop" : "tool_calls")
                    $0.member("prompt_tokens", prompt.question.wordCount)
                    $0.member("completion_tokens", text.wordCount)
                }))
        return response
    }

    private func fullText(_ prompt: DemoPrompt) -> String {
        guard prompt.wantsJSON else { return prompt.question.isEmpty ? "Hello from the demo provider." : "You said: \(prompt.question)" }
        var writer = JSONWriter()
        writer.object { $0.member("echo", prompt.question) }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The part of the response that follows `beginning`. If the response doesn't begin like that, it is all of it.
    private func remainder(of text: String, after beginning: String?) -> String {
        guard let beginning, text.utf8.starts(with: beginning.utf8) else { return text }
        return String(decoding: text.utf8.dropFirst(beginning.utf8.count), as: UTF8.self)
    }

    /// The text in `options.chunks` parts of about the same length, or word by word. No character is divided.
    func chunks(of text: String) -> [String] {
        guard let count = options.chunks else {
            return text.demoWords
        }
        let characters = Array(text)
        return (0..<count).map { index in
            String(characters[(characters.count * index / count)..<(characters.count * (index + 1) / count)])
        }
    }

    func line(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object(members)
        return writer.bytes + [0x0A]
    }

    public func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        if call.operation.isAudio { return try OpenAIAudio.decoder(for: call, head: head) }
        if call.operation == .embeddings { return DemoVectorDecoder() }
        return DemoDecoder(model: call.model, keepsText: call.keepsText)
    }
}

extension String {
    /// The words, each with the blank before it.
    fileprivate var demoWords: [String] {
        utf8.split(separator: 0x20, omittingEmptySubsequences: false).enumerated().map {
            ($0.offset == 0 ? "" : " ") + String(Substring($0.element))
        }
    }

    /// The word as a token with a probability that depends only on its place among the likeliest.
    ///
    /// - Parameter count: how many tokens stand beside it.
    fileprivate func demoToken(_ count: Int) -> ChatToken {
        let likeliest = (0..<count).map { place in
            ChatToken(self + String(repeating: "?", count: place), logprob: -0.25 - 2 * Double(place))
        }
        return ChatToken(self, logprob: -0.25, likeliest: likeliest)
    }

    /// The number of words, which are the demo's tokens. It goes byte by byte, because a prompt of several megabytes
    /// must not block the event loop.
    var wordCount: Int {
        var words = 0
        var isInWord = false
        for byte in utf8 {
            let isBlank = byte == 0x20 || (0x09...0x0D).contains(byte)
            if !isBlank, !isInWord { words += 1 }
            isInWord = !isBlank
        }
        return words
    }
}

/// A decoder for the demo's JSON lines.
struct DemoDecoder: ResponseDecoder {
    private let model: String
    private let keepsText: Bool
    private var lines = NDJSONDecoder()
    private var hasStarted = false
    private var isComplete = false

    init(model: String, keepsText: Bool) {
        self.model = model
        self.keepsText = keepsText
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        do throws(NDJSONError) {
            while let line = try lines.nextLine(bytes) { read(line, bytes, &response) }
        } catch {
            throw ProviderError(.upstreamError, message: "the demo provider sent an invalid line: \(error)")
        }
        return lines.consume()
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        do throws(NDJSONError) {
            if let line = try lines.finish(bytes) { read(line, bytes, &response) }
        } catch {
            throw .truncated("the demo provider stopped in the middle of a line")
        }
        guard isComplete else { throw .truncated("the demo provider stopped before the end of its response") }
    }

    private mutating func read(_ line: Range<Int>, _ bytes: RawSpan, _ response: inout ResponseSink) {
        let line = bytes.extracting(line)
        guard let members = try? JSON.members(of: line) else { return }
        if !hasStarted { response.event(.start(id: nil, model: model)) }
        hasStarted = true
        var usage = Usage()
        var reason = FinishReason.stop
        let count = members.last { JSON.isKey($0.key, "top_logprobs", in: line) }.flatMap { JSON.integer($0.value, in: line) }
        for member in members {
            if JSON.isKey(member.key, "text", in: line) { text(JSON.string(member.value.range, in: line), topLogprobs: count, &response) }
            if JSON.isKey(member.key, "tool", in: line) { toolCall(JSON.string(member.value.range, in: line), &response) }
            if JSON.isKey(member.key, "prompt_tokens", in: line) { usage.promptTokens = JSON.integer(member.value, in: line) }
            if JSON.isKey(member.key, "completion_tokens", in: line) { usage.completionTokens = JSON.integer(member.value, in: line) }
            if JSON.isKey(member.key, "done", in: line) {
                isComplete = true
                reason = FinishReason(rawValue: JSON.string(member.value.range, in: line)) ?? .stop
            }
        }
        guard isComplete else { return }
        response.event(.finish(reason))
        response.usage(usage)
        response.complete()
    }

    private func text(_ text: String, topLogprobs count: Int?, _ response: inout ResponseSink) {
        if let count { response.event(.logprobs(text.demoWords.filter { !$0.isEmpty }.map { $0.demoToken(count) })) }
        response.event(.text(text))
        if keepsText { response.keep(text: text) }
    }

    private func toolCall(_ name: String, _ response: inout ResponseSink) {
        response.event(.toolCall(index: 0, id: "call_demo", name: name))
        response.event(.toolArguments(index: 0, fragment: "{}"))
    }
}
