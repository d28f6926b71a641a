import Codecs
import ProviderKit
import Testing

@testable import WireFormats

/// A gateway in front of a server may send a format's objects in another framing than the server does.
@Suite("a stream in another framing than its format's")
struct FramingTests {
    struct Format: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let decoder: @Sendable (Call, UpstreamHead) throws -> any ResponseDecoder
        /// The form of the format's own streams.
        let own: BodyForm
        /// The objects of a stream with the text `ab` and 5 and 2 tokens.
        let objects: [String]
        /// One object that is the whole response.
        let whole: String
        var error = #"{"type":"error","error":{"type":"overloaded_error","message":"boom"}}"#
    }

    private static let item =
        #"{"id":"i","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"ab","annotations":[]}]}"#
    private static let response =
        #"{"id":"r","object":"response","status":"completed","model":"m","output":[\#(item)],"usage":{"input_tokens":5,"output_tokens":2}}"#

    static let formats = [
        Format(
            testDescription: "Anthropic", decoder: { try AnthropicMessages.decoder(for: $0, head: $1) }, own: .eventStream,
            objects: [
                #"{"type":"message_start","message":{"id":"1","model":"m","content":[],"usage":{"input_tokens":5,"output_tokens":1}}}"#,
                #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
                #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}"#,
                #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}"#,
                #"{"type":"content_block_stop","index":0}"#,
                #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#, #"{"type":"message_stop"}"#,
            ],
            whole: #"{"id":"1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"ab"}],"#
                + #""stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":2}}"#),
        Format(
            testDescription: "Gemini", decoder: { try Gemini.decoder(for: $0, head: $1) }, own: .eventStream,
            objects: [
                #"{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}"#,
                #"{"candidates":[{"content":{"parts":[{"text":"b"}],"role":"model"},"finishReason":"STOP","index":0}],"#
                    + #""usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2,"totalTokenCount":7}}"#,
            ],
            whole: #"{"candidates":[{"content":{"parts":[{"text":"ab"}],"role":"model"},"finishReason":"STOP","index":0}],"#
                + #""usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2,"totalTokenCount":7}}"#,
            error: #"{"error":{"code":503,"message":"boom","status":"UNAVAILABLE"}}"#),
        Format(
            testDescription: "Ollama", decoder: { try OllamaChat.decoder(for: $0, head: $1) }, own: .jsonLines,
            objects: [
                #"{"model":"m","message":{"role":"assistant","content":"a"},"done":false}"#,
                #"{"model":"m","message":{"role":"assistant","content":"b"},"done":false}"#,
                #"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":5,"eval_count":2}"#,
            ],
            whole:
                #"{"model":"m","message":{"role":"assistant","content":"ab"},"done":true,"done_reason":"stop","prompt_eval_count":5,"eval_count":2}"#,
            error: #"{"error":"boom"}"#),
        Format(
            testDescription: "Responses", decoder: { try OpenAIResponses.decoder(for: $0, head: $1) }, own: .eventStream,
            objects: [
                #"{"type":"response.created","response":{"id":"r","object":"response","status":"in_progress","model":"m","output":[]}}"#,
                #"{"type":"response.output_text.delta","output_index":0,"delta":"a"}"#,
                #"{"type":"response.output_text.delta","output_index":0,"delta":"b"}"#,
                #"{"type":"response.completed","response":\#(response)}"#,
            ],
            whole: response, error: #"{"type":"error","code":"server_error","message":"boom"}"#),
    ]

    private static func framed(_ objects: [String], _ form: BodyForm) -> [UInt8] {
        let body =
            switch form {
            case .jsonArray: "[" + objects.joined(separator: "\n,\r\n") + "]\n"
            case .jsonLines: objects.map { $0 + "\n" }.joined()
            default: objects.map { "data: \($0)\n\n" }.joined() + "data: [DONE]\n\n"
            }
        return Array(body.utf8)
    }

    /// Decodes the body in two parts. Returns the texts of its typed events.
    private func text(
        _ format: Format, _ body: [UInt8], _ form: BodyForm, isStream: Bool = true, isTyped: Bool = true, cut: Int
    ) throws -> (text: String, usage: Usage?, isComplete: Bool) {
        let payload = isTyped ? Payload.chat(ChatRequest(messages: [])) : .members([])
        let call = Call(operation: .chat, model: "m", isStream: isStream, format: WireFormat("f"), payload: payload, provider: "p")
        var decoder = try format.decoder(call, UpstreamHead(status: 200, bodyForm: form))
        var sink = ResponseSink(), pending = Array(body[..<cut])
        pending.removeFirst(try decoder.decode(pending.span.bytes, into: &sink))
        pending += body[cut...]
        if !sink.isComplete { pending.removeFirst(try decoder.decode(pending.span.bytes, into: &sink)) }
        if !sink.isComplete { try decoder.finish(pending.span.bytes, into: &sink) }
        let texts = sink.parts.map { part in
            switch part {
            case .event(.text(let text)): text
            case .event: ""
            default: "?"
            }
        }
        return (texts.joined(), sink.usage, sink.isComplete)
    }

    @Test("gives the same events, wherever it is cut", arguments: formats, [BodyForm.jsonArray, .jsonLines, .eventStream])
    func framings(format: Format, form: BodyForm) throws {
        if form == format.own { return }
        let body = Self.framed(format.objects, form)
        for cut in 0...body.count {
            let read = try text(format, body, form, cut: cut)
            #expect(read.text == "ab" && read.isComplete, "cut at \(cut)")
            #expect(read.usage?.promptTokens == 5 && read.usage?.completionTokens == 2, "cut at \(cut)")
        }
        // A client of the same format gets typed events too, because ranges would be of other bytes.
        #expect(try text(format, body, form, isTyped: false, cut: 0).text == "ab")
    }

    @Test("may be one whole response", arguments: formats, [BodyForm.jsonArray, .jsonLines, .eventStream])
    func whole(format: Format, form: BodyForm) throws {
        if form == format.own { return }
        let body = Self.framed([format.whole], form)
        for (cut, isStream) in [(0, true), (1, false), (body.count / 2, true), (body.count, false)] {
            let read = try text(format, body, form, isStream: isStream, cut: cut)
            #expect(read.text == "ab" && read.isComplete && read.usage?.completionTokens == 2, "cut at \(cut)")
        }
    }

    @Test(
        "may be lines that the router has taken for one object, because only the first one had arrived", arguments: formats, [true, false])
    func linesAsObject(format: Format, isStream: Bool) throws {
        if isStream, format.own == .jsonLines { return }
        let body = Self.framed(format.objects, .jsonLines)
        for isTyped in [true, false] {
            let read = try text(format, body, .jsonObject, isStream: isStream, isTyped: isTyped, cut: body.count / 2)
            #expect(read.text == "ab" && read.isComplete && read.usage?.completionTokens == 2)
        }
        let cutOff = Array(body.dropLast(4))
        #expect(throws: ProviderError.self) { try text(format, cutOff, .jsonObject, isStream: isStream, cut: 0) }
    }

    @Test("is truncated if its end is missing", arguments: formats, [BodyForm.jsonArray, .jsonLines, .eventStream])
    func truncated(format: Format, form: BodyForm) {
        if form == format.own { return }
        let body = Self.framed(Array(format.objects.prefix(max(1, format.objects.count - 2))), form)
        for end in [body.count, body.count - 4, body.count / 2] {
            #expect(throws: ProviderError.self) { try text(format, Array(body[..<end]), form, cut: end / 2) }
        }
        #expect(throws: ProviderError.self) { try text(format, Array("[]".utf8), .jsonArray, cut: 0) }
    }

    @Test("ends with the error in it", arguments: formats, [BodyForm.jsonArray, .jsonLines, .eventStream])
    func error(format: Format, form: BodyForm) {
        if form == format.own { return }
        for objects in [[format.error], [format.objects[0], format.error]] {
            let body = Self.framed(objects, form)
            let error = #expect(throws: ProviderError.self) { _ = try text(format, body, form, cut: body.count) }
            #expect(error?.message == "boom", "\(objects)")
        }
    }
}
