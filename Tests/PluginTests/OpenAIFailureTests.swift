import Codecs
import OpenAICompatible
import ProviderConformance
import ProviderKit
import Testing

@Suite("how errors of OpenAI-compatible servers are classified")
struct OpenAIFailureTests {
    let provider = OpenAICompatibleProvider(.sample)

    @Test(
        "each server's error for a context that is too long is classified as such",
        arguments: [
            (
                "OpenAI", 400,
                #"{"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 8545 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#
            ),
            (
                "OpenAI, without a code", 400,
                #"{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","param":"input","code":null}}"#
            ),
            (
                "OpenAI, a single message is too long", 400,
                #"{"error":{"message":"Invalid 'messages[0].content': string too long. Expected a string with maximum length 1048576","type":"invalid_request_error","param":"messages[0].content","code":"string_above_max_length"}}"#
            ),
            (
                "Azure", 400,
                #"{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#
            ),
            (
                "OpenRouter", 400,
                #"{"error":{"message":"This endpoint's maximum context length is 131072 tokens. However, you requested about 537812 tokens","code":400,"metadata":{"provider_name":null}}}"#
            ),
            ("OpenRouter, by type", 400, #"{"error":{"message":"no","code":400,"metadata":{"error_type":"context_length_exceeded"}}}"#),
            (
                "OpenRouter, raw text", 400,
                #"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"prompt is too long: 213462 tokens > 200000 maximum","provider_name":"Anthropic"}}}"#
            ),
            (
                "OpenRouter, raw JSON in a text", 400,
                #"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"no\",\"code\":\"context_length_exceeded\"}}","provider_name":"Groq"}}}"#
            ),
            (
                "OpenRouter, raw object", 400,
                #"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":{"error":{"message":"no","type":"exceed_context_size_error"}},"provider_name":"x"}}}"#
            ),
            (
                "DeepSeek", 400,
                #"{"error":{"message":"This model's maximum context length is 65536 tokens. However, you requested 70000 tokens","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#
            ),
            (
                "Mistral", 400,
                #"{"object":"error","message":"Prompt contains 300000 tokens and 0 draft tokens, too large for model with 131072 maximum context length","type":"invalid_request_error","param":null,"code":"3051"}"#
            ),
            (
                "Groq", 400,
                #"{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#
            ),
            // With a 413 the request alone exceeds the limit per minute, so waiting does not help.
            (
                "Groq, 413", 413,
                #"{"error":{"message":"Request too large for model `llama-3.3-70b-versatile` on tokens per minute (TPM): Limit 12000, Requested 14137, please reduce your message size and try again.","type":"tokens","code":"rate_limit_exceeded"}}"#
            ),
            (
                "Together", 422,
                #"{"error":{"message":"The input (516368 tokens) is longer than the model's context length (262144 tokens).","type":"invalid_request_error","param":null,"code":null}}"#
            ),
            (
                "Fireworks", 400,
                #"{"error":{"object":"error","type":"invalid_request_error","message":"The prompt is too long: 262377, model maximum context length: 262143"}}"#
            ),
            (
                "xAI", 400,
                #"{"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 131072 but the request contains 537812 tokens."}"#
            ),
            (
                "Gemini", 400,
                #"[{"error":{"code":400,"message":"The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).","status":"INVALID_ARGUMENT"}}]"#
            ),
            (
                "vLLM", 400,
                #"{"error":{"message":"This model's maximum context length is 4096 tokens. However, your request has 5000 input tokens.","type":"BadRequestError","param":"input_tokens","code":400}}"#
            ),
            (
                "vLLM before 0.9", 400,
                #"{"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","param":null,"code":400}"#
            ),
            (
                "llama.cpp", 400,
                #"{"error":{"code":400,"message":"request (9412 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":9412,"n_ctx":8192}}"#
            ),
            (
                "Ollama", 400,
                #"{"error":{"message":"prompt too long; exceeded max context length by 4 tokens","type":"invalid_request_error","param":null,"code":null}}"#
            ),
            // The typing error is LM Studio's.
            (
                "LM Studio", 400,
                #"{"error":"Trying to keep the first 4097 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough."}"#
            ),
            (
                "LM Studio, older version", 400,
                #"{"error":"The number of tokens to keep from the initial prompt is greater than the context length"}"#
            ),
            (
                "text-generation-inference", 422,
                #"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and 1000 `max_new_tokens`","error_type":"validation"}"#
            ),
            ("Anthropic", 413, #"{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}"#),
            ("z.ai", 400, #"{"error":{"code":"1261","message":"Prompt exceeds max length"}}"#),
            (
                "Moonshot", 400,
                #"{"error":{"message":"Invalid request: Your request exceeded model token limit: 262144 (requested: 300000)","type":"invalid_request_error"}}"#
            ),
            (
                "Cerebras", 400,
                #"{"message":"Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}"#
            ),
            ("any server, plain text in capitals", 413, "THIS MODEL'S MAXIMUM CONTEXT LENGTH IS 4096 TOKENS"),
            ("any server, a code with status 500", 500, #"{"error":{"message":"no","code":"context_length_exceeded"}}"#),
        ])
    func contextOverflow(server: String, status: Int, body: String) {
        #expect(failure(status, body).failure == .contextOverflow)
    }

    /// The router keeps the first 64 KiB of an error body. If an upstream repeats a long prompt in it, the JSON is cut
    /// off, possibly in the middle of a character.
    @Test("an error body that is cut off is classified all the same, wherever the cut is", arguments: 0..<4)
    func cut(padding: Int) {
        let start = #"{"error":{"message":"maximum context length is 9000 tokens: "# + String(repeating: "x", count: padding)
        for letter in ["П", "中", "🚀"] {
            let bytes = Array((start + String(repeating: letter, count: 40_000)).utf8.prefix(65_536))
            let error = provider.failure(head: UpstreamHead(status: 400), body: bytes.span.bytes)
            #expect(
                error.failure == .contextOverflow && error.message.hasSuffix(letter),
                "\(padding) before \(letter): \(error.message.prefix(40))")
        }
    }

    @Test(
        "each server's error for filtered content is classified as such",
        arguments: [
            (
                "OpenAI", 400,
                #"{"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy.","type":"invalid_request_error","param":null,"code":"invalid_prompt"}}"#
            ),
            (
                "OpenAI, of biology and chemistry", 400,
                #"{"error":{"message":"Invalid prompt: we've limited access to this content for safety reasons.","type":"invalid_request_error","param":null,"code":"invalid_prompt"}}"#
            ),
            ("OpenAI, by code", 400, #"{"error":{"message":"no","type":"invalid_request_error","code":"content_policy_violation"}}"#),
            (
                "Azure", 400,
                #"{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}"#
            ),
            (
                "Azure, by the inner code", 400,
                #"{"error":{"message":"no","code":"BadRequest","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#
            ),
            (
                "Azure, by words", 400,
                #"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy."}}"#
            ),
            (
                "OpenRouter", 403,
                #"{"error":{"message":"openai/gpt-4o requires moderation on OpenAI. Your input was flagged for \"sexual\".","code":403,"metadata":{"reasons":["sexual"],"flagged_input":"…","provider_name":"OpenAI","model_slug":"openai/gpt-4o"}}}"#
            ),
            ("OpenRouter, by type", 400, #"{"error":{"message":"no","code":400,"metadata":{"error_type":"content_policy_violation"}}}"#),
            (
                "DeepSeek", 400,
                #"{"error":{"message":"Content Exists Risk","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#
            ),
            (
                "xAI", 403,
                #"{"code":"The client does not have permission to execute the specified operation","error":"Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_DATA_LEAKAGE"}"#
            ),
            ("xAI, 400", 400, #"{"code":"Client specified an invalid argument","error":"Content violates usage guidelines."}"#),
            (
                "Alibaba", 400,
                #"{"error":{"message":"Input data may contain inappropriate content.","type":"data_inspection_failed","param":null,"code":"data_inspection_failed"}}"#
            ),
        ])
    func contentFilter(server: String, status: Int, body: String) {
        #expect(failure(status, body).failure == .contentFilter)
    }

    @Test(
        "each server's error for an unsupported response_format is classified as such",
        arguments: [
            (
                "OpenAI",
                #"{"error":{"message":"Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.","type":"invalid_request_error","param":"response_format","code":null}}"#
            ),
            (
                "OpenAI through a proxy, without a parameter",
                #"{"error":{"message":"Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.","type":"invalid_request_error","param":null,"code":null}}"#
            ),
            (
                "OpenAI, a member of the parameter",
                #"{"error":{"message":"Unsupported value","param":"response_format.type","code":"unsupported_value"}}"#
            ),
            (
                "any server, by its message",
                #"{"error":{"message":"response_format is not supported by this model","code":"unsupported_parameter"}}"#
            ),
            ("OpenAI, by code", #"{"error":{"message":"no","param":"response_format","code":"unsupported_parameter"}}"#),
            (
                "DeepSeek",
                #"{"error":{"message":"This response_format type is unavailable now","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#
            ),
            (
                "Groq",
                #"{"error":{"message":"This model does not support response format `json_schema`. See supported models","type":"invalid_request_error"}}"#
            ),
            // Another model can produce the format.
            (
                "Groq, failed JSON",
                #"{"error":{"message":"Failed to generate JSON.","type":"invalid_request_error","code":"json_validate_failed","failed_generation":"{"}}"#
            ),
            ("LM Studio", #"{"error":"'response_format.type' must be 'json_schema' or 'text'"}"#),
        ])
    func unsupportedResponseFormat(server: String, body: String) {
        #expect(failure(400, body).failure == .unsupported)
    }

    @Test(
        "an error without a recognized cause keeps the class of its status",
        arguments: [
            (
                429,
                #"{"error":{"message":"Request too large: this model's maximum context length is 1","type":"tokens","code":"rate_limit_exceeded"}}"#,
                FailureClass.contextOverflow
            ),
            (403, #"{"error":{"message":"no key","code":403}}"#, .providerRejected),
            (408, #"{"error":{"message":"timed out","code":408}}"#, .upstreamError),
            (503, #"{"error":{"message":"no provider","code":503,"metadata":{"error_type":"provider_unavailable"}}}"#, .upstreamError),
            (
                400, #"{"error":{"message":"Invalid 'user': string too long","param":"user","code":"string_above_max_length"}}"#,
                .clientError
            ),
            (
                400,
                #"{"error":{"message":"'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.","param":"messages","code":null}}"#,
                .clientError
            ),
            (
                400,
                #"{"error":{"message":"Invalid schema for response_format 'x': schema must be an object","param":"response_format","code":null}}"#,
                .clientError
            ),
            (
                400,
                #"{"error":{"message":"Missing required parameter: 'response_format.json_schema'.","param":"response_format.json_schema","code":"missing_required_parameter"}}"#,
                .clientError
            ),
            (413, "<html>413 Request Entity Too Large</html>", .contextOverflow),
            (403, #"{"error":{"message":"guardrail","code":403,"metadata":{"reasons":[],"flagged_input":""}}}"#, .providerRejected),
            (
                400, #"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"ERROR","provider_name":"x"}}}"#,
                .clientError
            ),
            (
                400,
                #"{"error":{"metadata":[1,{"raw":2}],"innererror":null,"details":[null,{"retryDelay":{}}],"message":{"a":1},"code":[]}}"#,
                .clientError
            ),
        ])
    func withoutCause(status: Int, body: String, expected: FailureClass) {
        #expect(failure(status, body).failure == expected)
    }

    @Test(
        "an error in a 200 response has the class of its code or type",
        arguments: [
            (#"{"error":{"message":"slow down","code":429}}"#, FailureClass.rateLimited, 429),
            (#"{"error":{"message":"busy","type":"server_error"}}"#, .upstreamError, nil),
            (#"{"error":{"message":"long","code":"context_length_exceeded","type":"invalid_request_error"}}"#, .contextOverflow, nil),
            (#"{"error":"out of memory"}"#, .upstreamError, nil),
            (#"{"error":{"message":"Content Exists Risk","type":"invalid_request_error"}}"#, .contentFilter, nil),
            (#"{"error":{"message":"flagged","code":403,"metadata":{"reasons":["hate"]}}}"#, .contentFilter, 403),
            (
                #"{"id":"gen-1","error":{"code":502,"message":"Provider disconnected","metadata":{"error_type":"provider_unavailable"}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
                .upstreamError, 502
            ),
            (
                #"{"choices":[{"index":0,"delta":{"content":"half"},"finish_reason":"error","error":{"code":429,"message":"slow down"}}]}"#,
                .rateLimited, 429
            ),
            (#"{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}"#, .upstreamError, nil),
        ] as [(String, FailureClass, Int?)], [true, false])
    func errorsInside200(event: (json: String, failure: FailureClass, status: Int?), isStream: Bool) throws {
        var decoder = try provider.decoder(for: .sample(isStream: isStream), head: isStream ? .eventStream : .json)
        var sink = ResponseSink()
        let bytes = Array((isStream ? "data: \(event.json)\n\n" : event.json).utf8)
        let error = #expect(throws: ProviderError.self) {
            if isStream { _ = try decoder.decode(bytes.span.bytes, into: &sink) } else { try decoder.finish(bytes.span.bytes, into: &sink) }
        }
        #expect(error?.failure == event.failure)
        #expect(error?.status == event.status)
        #expect(sink.parts.isEmpty)
    }

    @Test(
        "an aggregator's message is followed by that of the provider that it called",
        arguments: [
            (#"{"raw":"upstream is on fire","provider_name":"x"}"#, "Provider returned error: upstream is on fire"),
            (#"{"raw":"{\"error\":{\"message\":\"on fire\"}}"}"#, "Provider returned error: on fire"),
            (#"{"raw":""}"#, "Provider returned error"), (#"{"raw":7}"#, "Provider returned error"),
            (#"{"raw":"Provider returned error"}"#, "Provider returned error"),
        ])
    func innerMessages(metadata: String, message: String) {
        #expect(failure(502, #"{"error":{"message":"Provider returned error","code":502,"metadata":\#(metadata)}}"#).message == message)
    }

    @Test("the time to wait is read from the header fields, and otherwise from the body")
    func retryAfter() {
        let openRouter =
            #"{"error":{"message":"Rate limit exceeded: free-models-per-day.","code":429,"metadata":{"headers":{"X-RateLimit-Limit":"50","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1775347200000"}}}}"#
        let gemini =
            #"[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"31s"}]}}]"#
        let reset = 1_775_347_200.0
        #expect(failure(429, openRouter, receivedAt: reset - 60).retryAfter == .seconds(60))
        // The upstream's `date` takes precedence over the router's clock.
        #expect(failure(429, openRouter, fields: ["date": "Sat, 04 Apr 2026 23:59:50 GMT"], receivedAt: 1).retryAfter == .seconds(10))
        // Without either, the time of the reset says nothing.
        #expect(failure(429, openRouter).retryAfter == nil)
        #expect(failure(429, openRouter, fields: ["retry-after": "5"], receivedAt: reset - 60).retryAfter == .seconds(5))
        #expect(failure(429, gemini).retryAfter == .seconds(31))
        #expect(failure(429, #"{"error":{"message":"no"}}"#).retryAfter == nil)
    }

    private func failure(_ status: Int, _ body: String, fields: [String: String] = [:], receivedAt: Double? = nil) -> ProviderError {
        let bytes = Array(body.utf8)
        let head = UpstreamHead(status: status, fields: fields.map { HTTPField($0.key, $0.value) }, receivedAt: receivedAt)
        return provider.failure(head: head, body: bytes.span.bytes)
    }
}
