import OpenAI
import ProviderConformance
import ProviderKit
import Testing

/// A response is complete only if something says so.
@Suite("when a response of an OpenAI-compatible server is complete")
struct OpenAICompletenessTests {
    let provider = OpenAIProvider(.sample)

    @Test(
        "a finish reason that means an end is a success, in any case",
        arguments: ["stop", "length", "tool_calls", "function_call", "eos", "end_turn", "STOP", "MAX_TOKENS", "stop_sequence"],
        [true, false])
    func ends(reason: String, isStream: Bool) throws {
        let response = try read(Self.choice("text", reason), isStream)
        #expect(response.isComplete && !response.content.isFiltered && !response.content.hasUnknownFinishReason)
    }

    @Test(
        "a finish reason that means a failure is a failure",
        arguments: [
            "error", "network_error", "abort", "insufficient_system_resource", "malformed_function_call", "MALFORMED_FUNCTION_CALL",
            "cancelled", "server_error",
        ], [true, false])
    func failures(reason: String, isStream: Bool) throws {
        for text in ["text", ""] {
            let error = #expect(throws: ProviderError.self) { try read(Self.choice(text, reason), isStream) }
            #expect(error?.failure == .upstreamError)
            #expect(error?.message.contains(reason) == true)
        }
    }

    @Test("a failure of one choice is a failure of the response", arguments: [true, false])
    func secondChoice(isStream: Bool) {
        let key = isStream ? "delta" : "message"
        let json = #"""
            {"choices":[{"index":0,"\#(key)":{"content":"a"},"finish_reason":"stop"},{"index":1,"\#(key)":{"content":"b"},"finish_reason":"abort"}]}
            """#
        #expect(throws: ProviderError.self) { try read(json, isStream) }
    }

    @Test("an unknown finish reason counts as an end, and is reported as unknown", arguments: [true, false])
    func unknown(isStream: Bool) throws {
        let response = try read(Self.choice("text", "because"), isStream)
        #expect(response.isComplete && response.content.hasUnknownFinishReason)
    }

    @Test(
        "an error that says nothing is no error",
        arguments: ["{}", "\"\"", "null", "[]", #"{"message":"","type":"","param":"","code":null}"#, #"{"message":"","code":0}"#, "false"],
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
        ])
    func empty(json: String) {
        #expect(throws: ProviderError.self) { try read(json, false) }
    }

    @Test("a stream whose errors are in a field of their own has failed, and its [DONE] is ignored")
    func errorField() {
        let stream =
            "data: \(Self.choice("text", nil))\n\nerror: {\"code\":500,\"message\":\"context shift is disabled\"}\n\ndata: [DONE]\n\n"
        let error = #expect(throws: ProviderError.self) { try readStream(stream) }
        #expect(error?.message == "context shift is disabled")
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
        _ = try decoder.decode(bytes.span.bytes, into: &sink)
        return sink
    }
}
