import OpenAICompatible
import ProviderConformance
import ProviderKit
import Testing

/// A response is complete only if something says so.
@Suite("when a response of an OpenAI-compatible server is complete")
struct OpenAICompletenessTests {
    let provider = OpenAICompatibleProvider(.sample)

    @Test(
        "a finish reason that means an end is a success, in any case",
        arguments: ["stop", "length", "tool_calls", "function_call", "eos", "end_turn", "STOP", "MAX_TOKENS", "stop_sequence"],
        [true, false])
    func ends(reason: String, isStream: Bool) throws {
        let response = try read(Self.choice("text", reason), isStream)
        #expect(response.isComplete && !response.signals.isFiltered && !response.signals.hasUnknownFinishReason)
    }

    @Test(
        "a finish reason that means a failure is a failure",
        arguments: [
            "error", "network_error", "abort", "insufficient_system_resource", "malformed_function_call", "MALFORMED_FUNCTION_CALL",
            "cancelled", "server_error", "internal_server_error", "connection_error", "stream_error", "FinishReason.ERROR",
            "function_call_filter: MALFORMED_FUNCTION_CALL", "incomplete", "engine_overloaded", "service_unavailable",
            "bad_response", "terminated", "killed", "disconnect", "finish: server_error",
        ], [true, false])
    func failures(reason: String, isStream: Bool) throws {
        for text in ["text", ""] {
            let error = #expect(throws: ProviderError.self) { try read(Self.choice(text, reason), isStream) }
            #expect(error?.failure == .upstreamError)
            #expect(error?.message.contains(reason) == true)
        }
    }

    @Test(
        "a finish reason that sounds like a filter is one",
        arguments: ["content-filter", "moderation", "blocked", "prohibited", "content_filter: PROHIBITED_CONTENT", "output_blocked"],
        [true, false])
    func filters(reason: String, isStream: Bool) throws {
        #expect(try read(Self.choice("text", reason), isStream).signals.isFiltered)
    }

    @Test("a failure of one choice is a failure of the response", arguments: [true, false])
    func secondChoice(isStream: Bool) {
        let key = isStream ? "delta" : "message"
        let json = #"""
            {"choices":[{"index":0,"\#(key)":{"content":"a"},"finish_reason":"stop"},{"index":1,"\#(key)":{"content":"b"},"finish_reason":"abort"}]}
            """#
        #expect(throws: ProviderError.self) { try read(json, isStream) }
    }

    @Test(
        "a text that means nothing is no finish reason",
        arguments: ["null", "none", "NULL", " ", "not_finished", "in_progress", "CONTINUATION"])
    func noReason(reason: String) throws {
        #expect(try read(Self.choice("text", reason), true).signals.finishes == 0)
        #expect(throws: ProviderError.self) { try read(Self.choice("", reason), false) }
        let cutOff = "data: \(Self.choice("text", reason))\n\n"
        #expect(throws: ProviderError.self) { try readStream(cutOff) }
    }

    @Test("an unknown finish reason counts as an end, and is reported as unknown", arguments: [true, false])
    func unknown(isStream: Bool) throws {
        let response = try read(Self.choice("text", "because"), isStream)
        #expect(response.isComplete && response.signals.hasUnknownFinishReason)
    }

    @Test(
        "an error that says nothing is no error",
        arguments: [
            "{}", "\"\"", "null", "[]", #"{"message":"","type":"","param":"","code":null}"#, #"{"message":"","code":0}"#, "false",
            "\"  \"", "\"null\"", "\"None\"", #"{"code":0,"message":"success"}"#,
        ],
        [true, false])
    func emptyErrors(error: String, isStream: Bool) throws {
        let json = Self.choice("text", "stop").dropLast() + #","error":\#(error)}"#
        #expect(try read(String(json), isStream).isComplete)
    }

    @Test(
        "an error that says something is one, whatever its form",
        arguments: [#"{"message":"no"}"#, #""no""#, #"[{"message":"no"}]"#, #"{"code":500}"#, #"{"error_msg":"no"}"#], [true, false])
    func errors(error: String, isStream: Bool) {
        let json = Self.choice("text", "stop").dropLast() + #","error":\#(error)}"#
        #expect(throws: ProviderError.self) { try read(String(json), isStream) }
    }

    @Test(
        "an object without choices that has a message, a code or a detail is a failure",
        arguments: [
            #"{"message":"no","code":20015}"#, #"{"detail":"no"}"#, #"{"error_code":17,"error_msg":"limit"}"#,
            #"{"object":"error","message":"no","type":"BadRequestError","code":400}"#,
        ], [true, false])
    func withoutChoices(json: String, isStream: Bool) {
        #expect(throws: ProviderError.self) { try read(json, isStream) }
    }

    @Test(
        "a non-streamed response with neither content nor a finish reason is a failure",
        arguments: [
            #"{"choices":[]}"#, #"{"choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":null}]}"#,
            #"{"choices":[{"index":0,"message":{"role":"assistant","content":null}}]}"#,
            #"{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"},{"index":1,"message":{"content":""},"finish_reason":null}]}"#,
            #"{"choices":[{"index":0,"message":{"content":""}},{"index":1,"message":{"content":"a"},"finish_reason":"stop"}]}"#,
            #"{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"},null]}"#,
        ])
    func empty(json: String) {
        #expect(throws: ProviderError.self) { try read(json, false) }
    }

    @Test(
        "a failure beside empty choices is a failure, after content too",
        arguments: [
            #"{"choices":[],"message":"Internal server error","code":500}"#, #"{"choices":[],"detail":"no"}"#,
            #"{"choices":[],"code":"InternalError","request_id":"x"}"#, #"{"choices":[],"error_msg":"boom"}"#,
            #"{"choices":[],"base_resp":{"status_code":1000,"status_msg":"unknown error"}}"#, #"{"choices":[{}],"message":"boom"}"#,
            #"{"choices":null,"message":"boom"}"#, #"{"choices":[{"index":0,"delta":{}}],"msg":"boom"}"#,
            #"[{"error":{"code":500,"message":"boom"}}]"#,
        ], [true, false])
    func besideEmptyChoices(json: String, hasContent: Bool) {
        let content = hasContent ? "data: \(Self.choice("text", nil))\n\n" : ""
        #expect(throws: ProviderError.self) { try readStream("\(content)data: \(json)\n\ndata: [DONE]\n\n") }
    }

    @Test(
        "a failure that MiniMax reports beside choices is one, after content too",
        arguments: [#"{"content":""}"#, #"{"content":"part"}"#, "{}"], [true, false])
    func besideChoices(delta: String, hasContent: Bool) {
        let content = hasContent ? "data: \(Self.choice("text", nil))\n\n" : ""
        let base = #""base_resp":{"status_code":1027,"status_msg":"output sensitive"}"#
        let last = #"{"choices":[{"index":0,"delta":\#(delta),"finish_reason":"stop"}],\#(base)}"#
        let error = #expect(throws: ProviderError.self) { try readStream("\(content)data: \(last)\n\ndata: [DONE]\n\n") }
        #expect(error?.failure == .contentFilter && error?.message == "output sensitive")
    }

    @Test(
        "what stands beside empty choices in a sound stream is no failure",
        arguments: [
            #"{"choices":[],"prompt_filter_results":[{"prompt_index":0}],"id":"","model":""}"#,
            #"{"choices":[],"code":0,"message":"Success"}"#,
            #"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"base_resp":{"status_code":0,"status_msg":""}}"#,
            #"{"choices":[],"usage":{"prompt_tokens":1},"code":"200"}"#, #"{"choices":[],"message":""}"#,
            #"{"choices":[{"index":0,"delta":{"content":""}}],"base_resp":{"status_code":0,"status_msg":"all is well"}}"#,
            #"{"choices":[{"index":0,"delta":{"content":""}}],"base_resp":null}"#, #"{"choices":[],"base_resp":{}}"#,
        ])
    func soundBesideEmptyChoices(json: String) throws {
        #expect(try readStream("data: \(json)\n\ndata: \(Self.choice("text", "stop"))\n\ndata: [DONE]\n\n").isComplete)
    }

    @Test("a choice that was announced and never sent makes the stream a failure", arguments: ["data: [DONE]\n\n", ""])
    func silentChoice(end: String) {
        let role = #"{"choices":[{"index":1,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#
        let error = #expect(throws: ProviderError.self) { try readStream("data: \(role)\n\ndata: \(Self.choice("a", "stop"))\n\n\(end)") }
        #expect(error?.code == "upstream_truncated")
    }

    @Test("a stream whose errors are in a field of their own has failed, and its [DONE] is ignored")
    func errorField() {
        let stream =
            "data: \(Self.choice("text", nil))\n\nerror: {\"code\":500,\"message\":\"context shift is disabled\"}\n\ndata: [DONE]\n\n"
        let error = #expect(throws: ProviderError.self) { try readStream(stream) }
        #expect(error?.message == "context shift is disabled")
    }

    @Test(
        "after an event that is named `error` or an error without a field name, [DONE] is ignored",
        arguments: [
            "event: error\n\n", "event:error\r\n\r\n", "event: error\ndata:\n\n", "event: error\ndata:\ndata:\n\n",
            "event: error\ndata: {}\n\n", "event: error\ndata: boom\n\n", "event: error\ndata: [DONE]\n\n", "error:\n\n",
            "event: error\ndata: [DONE]\ndata: x\n\n", "{\"error\":{\"message\":\"boom\"}}\n\n", "{\"detail\":\"boom\"}\n\n",
            "{\"error\":{\"message\":\"boom\"}}\n", "event: error\n{\"message\":\"boom\"}\n\n",
        ], [true, false])
    func errorEvents(event: String, hasContent: Bool) {
        let content = hasContent ? "data: \(Self.choice("text", nil))\n\n" : ""
        #expect(throws: ProviderError.self) { try readStream("\(content)\(event)data: [DONE]\n\n") }
    }

    @Test("an error without a field name is reported in its own words")
    func bareError() {
        let bare = #"{"error":{"message":"boom","code":429}}"#
        let error = #expect(throws: ProviderError.self) {
            try readStream("data: \(Self.choice("text", nil))\n\n\(bare)\n\ndata: [DONE]\n\n")
        }
        #expect(error?.message == "boom" && error?.failure == .rateLimited)
    }

    @Test(
        "an object without choices that reports success is no error",
        arguments: [
            #"{"base_resp":{"status_code":0,"status_msg":"success"}}"#, #"{"code":0,"msg":"success"}"#, #"{"code":"0","message":"OK"}"#,
            #"{"code":200,"message":"OK"}"#, #"{"code":"success","msg":""}"#,
        ])
    func success(json: String) throws {
        let response = try readStream("data: \(json)\n\ndata: \(Self.choice("text", "stop"))\n\ndata: \(json)\n\ndata: [DONE]\n\n")
        #expect(response.isComplete && response.signals.contentBytes == 4)
    }

    @Test("a success beside an error doesn't hide it", arguments: [#"{"code":0,"error":{"message":"no"}}"#, #"{"code":0,"detail":"no"}"#])
    func successBesideError(json: String) {
        #expect(throws: ProviderError.self) { try readStream("data: \(json)\n\ndata: [DONE]\n\n") }
    }

    @Test(
        "the end marker ends chunks in any framing",
        arguments: [
            "1\n2\n[DONE]", "1\n2\n[DONE]\n", "1\r\n2\r\n[DONE]\r\n", "1\n2\ndata: [DONE]\n", "data: 1\ndata: 2\ndata: [DONE]\n",
            "data: 1\ndata: 2\ndata: [DONE]", "data:1\r\ndata:2\r\ndata:[DONE]\r\n\r\n", "data: 1\ndata: 2\n\ndata: [DONE]\n",
            "1\ndata: 2\ndata: [DONE]", "1\n2\n[DONE]\n{\"error\":\"late\"}\n",
        ], [BodyForm.jsonLines, .jsonObject])
    func framings(body: String, form: BodyForm) throws {
        let text = Self.framed(body)
        let form = body.hasPrefix("data") ? .eventStream : form
        if form == .jsonObject, body.contains("data") { return }
        for cut in [0, 1, text.utf8.count / 2, text.utf8.count - 2] {
            let response = try read(Array(text.utf8), form, cut: cut)
            #expect(response.isComplete && response.signals.contentBytes == 2, "cut at \(cut)")
        }
    }

    @Test("without the end marker or a finish reason, chunks in any framing are truncated", arguments: ["1\n2\n", "data: 1\ndata: 2\n"])
    func truncatedFramings(body: String) {
        let text = Self.framed(body)
        let form = body.hasPrefix("data") ? BodyForm.eventStream : .jsonLines
        let error = #expect(throws: ProviderError.self) { try read(Array(text.utf8), form, cut: 0) }
        #expect(error?.code == "upstream_truncated")
    }

    /// - Parameter body: chunks as `1` and `2`.
    private static func framed(_ body: String) -> String {
        body.replacing("1", with: choice("a", nil)).replacing("2", with: choice("b", nil)).replacing("KEY", with: "delta")
    }

    private func read(_ bytes: [UInt8], _ form: BodyForm, cut: Int) throws -> ResponseSink {
        var decoder = try provider.decoder(for: .sample(isStream: true), head: UpstreamHead(status: 200, bodyForm: form))
        var sink = ResponseSink()
        let consumed = try decoder.decode(Array(bytes[..<cut]).span.bytes, into: &sink)
        if sink.isComplete { return sink }
        let rest = Array(bytes[consumed...])
        let consumedRest = try decoder.decode(rest.span.bytes, into: &sink)
        if !sink.isComplete { try decoder.finish(Array(rest[consumedRest...]).span.bytes, into: &sink) }
        return sink
    }

    private static func choice(_ text: String, _ reason: String?) -> String {
        #"{"choices":[{"index":0,"KEY":{"content":"\#(text)"},"finish_reason":\#(reason.map { "\"\($0)\"" } ?? "null")}]}"#
    }

    private func read(_ json: String, _ isStream: Bool) throws(ProviderError) -> ResponseSink {
        let json = json.split(separator: "KEY", omittingEmptySubsequences: false).joined(separator: isStream ? "delta" : "message")
        if isStream { return try readStream("data: \(json)\n\ndata: [DONE]\n\n") }
        var decoder = try provider.decoder(for: .sample(isStream: false), head: .json), sink = ResponseSink()
        let bytes = Array(json.utf8)
        try decoder.finish(bytes.span.bytes, into: &sink)
        return sink
    }

    private func readStream(_ text: String) throws(ProviderError) -> ResponseSink {
        var decoder = try provider.decoder(for: .sample(isStream: true), head: .eventStream), sink = ResponseSink()
        let bytes = Array(text.split(separator: "KEY", omittingEmptySubsequences: false).joined(separator: "delta").utf8)
        let consumed = try decoder.decode(bytes.span.bytes, into: &sink)
        if !sink.isComplete { try decoder.finish(Array(bytes[consumed...]).span.bytes, into: &sink) }
        return sink
    }
}
