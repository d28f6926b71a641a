import OpenAICompatible
import ProviderConformance
import ProviderKit
import Testing

/// Error bodies as they were recorded or documented, where the status names another fault than the words, or none.
@Suite("a recorded refusal")
struct RecordedRefusalTests {
    let provider = OpenAICompatibleProvider(.sample)

    @Test(
        "of one model is about that model alone",
        arguments: [
            (
                "Bedrock", [403, 404],
                #"{"message":"Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 30 days. Please upgrade to an active model on Amazon Bedrock"}"#
            ),
            (
                "Bedrock", [400],
                #"{"message":"The provided model doesn't support on-demand throughput. Try again with a provisioned model"}"#
            ),
            ("Hugging Face", [403], #"{"error":"The model x/y is too large to be loaded automatically (140GB > 10GB)."}"#),
            ("Hugging Face's endpoints", [400], #"{"error":"Endpoint is paused, ask a maintainer to restart it"}"#),
            (
                "GitHub Models and Azure", [400, 403],
                #"{"error":{"code":"unavailable_model","message":"Unavailable model: o1","details":"Unavailable model: o1"}}"#
            ),
            ("the same without a code", [400, 403], #"{"error":{"message":"Unavailable model: o1"}}"#),
            ("z.ai, 1311", [403, 429], #"{"error":{"code":"1311","message":"当前订阅套餐暂未开放GLM-5权限"}}"#),
            (
                "suna#846", [403],
                #"{"detail":{"message":"Your current subscription plan does not include access to anthropic/claude-sonnet-4-20250514. Please upgrade your subscription or choose from your available models: x","allowed_models":["x"]}}"#
            ),
            ("a proxy", [403], #"{"error":{"message":"Your plan does not include access to gpt-5-pro","code":"plan_restricted"}}"#),
            (
                "Anthropic", [403],
                #"{"type":"error","error":{"type":"permission_error","message":"Your workspace does not have access to claude-opus-4-1"}}"#
            ),
            (
                "Vertex", [403],
                #"{"error":{"code":403,"message":"Please enable the model claude-opus-4 in Model Garden before use","status":"PERMISSION_DENIED"}}"#
            ),
            (
                "Vertex", [400],
                #"{"error":{"code":400,"message":"Publisher Model `projects/p/locations/us-central1/publishers/anthropic/models/claude-opus-4` is not servable in region us-central1.","status":"FAILED_PRECONDITION"}}"#
            ),
            (
                "Vertex", [400],
                #"{"error":{"code":400,"message":"Organization Policy constraint constraints/vertexai.allowedModels violated for projects/p attempting to use a disallowed Gen AI model gemini-2.5-pro. Please contact your organization administrator to fix this violation.","status":"FAILED_PRECONDITION"}}"#
            ),
            (
                "Azure", [400],
                #"{"error":{"code":"ModelNotAvailable","message":"The model gpt-5 is not available in the selected region"}}"#
            ),
            ("Bedrock", [400], #"{"message":"The model claude-3-opus is not available in region eu-west-3"}"#),
            (
                "Anthropic", [400],
                #"{"error":{"message":"claude-2.1 has been retired on July 21, 2025. Please migrate to a newer model."}}"#
            ),
            ("any", [410], #"{"message":"This model was sunset on 2026-01-01"}"#), ("any", [410], #"{"error":{"message":"Gone"}}"#),
            ("any", [410], ""),
            (
                "LiteLLM", [400],
                #"{"error":{"message":"litellm.BadRequestError: You passed in model=gpt-9. There are no healthy deployments for this model. Received Model Group=gpt-9","code":"400"}}"#
            ),
            (
                "LiteLLM", [400],
                #"{"error":{"message":"litellm.BadRequestError: You passed in model=x. There is no 'model_name' with this string","code":"400"}}"#
            ),
            ("llama-swap", [400], #"{"error":"could not find real modelID for gpt-9"}"#),
            ("Bifrost", [400], #"{"is_bifrost_error":true,"error":{"message":"provider not found for model x"}}"#),
            ("Databricks", [400], #"{"error_code":"BAD_REQUEST","message":"Endpoint is stopped. Please start the endpoint and retry"}"#),
            (
                "MiniMax, 2061", [500],
                #"{"type":"error","error":{"type":"api_error","message":"your current token plan not support model, MiniMax-M2.7-highspeed (2061)"}}"#
            ),
            ("Ollama", [412], #"{"error":"The model you are attempting to pull requires a newer version of Ollama."}"#),
            ("one-api", [400], #"{"error":{"message":"不支持的模型：x"}}"#), ("GigaChat", [400], #"{"message":"Такая модель не найдена"}"#),
        ])
    func model(source: String, statuses: [Int], body: String) { expect(.notFound, statuses, body) }

    @Test(
        "of the account stays one, although it speaks of models",
        arguments: [
            ("any", [403], #"{"error":{"message":"Access denied"}}"#), ("any", [401], #"{"error":{"message":"Unauthorized"}}"#),
            (
                "Portkey", [412, 429],
                #"{"error":{"message":"Portkey Error: Usage limit exceeded for this API key","type":"usage_limit_exceeded","param":null,"code":"08"}}"#
            ),
            (
                "Tencent", [200, 400],
                #"{"Response":{"Error":{"Code":"AuthFailure.SecretIdNotFound","Message":"The SecretId is not found, please ensure that your SecretId is correct."},"RequestId":"x"}}"#
            ),
            (
                "Yandex", [400],
                #"{"error":{"grpcCode":3,"httpCode":400,"message":"Specified folder ID 'ajergv' does not match with service account folder ID 'b1gd8h'","httpStatus":"Bad Request","details":[]}}"#
            ),
            (
                "Moonshot", [403],
                #"{"error":{"message":"Your account is suspended. Recharge to use the model kimi-k2","type":"exceeded_current_quota_error"}}"#
            ),
            ("OpenAI", [429], #"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#),
        ])
    func account(source: String, statuses: [Int], body: String) { expect(.providerRejected, statuses, body) }

    @Test(
        "of a prompt that is too long",
        arguments: [
            (
                "SambaNova", [400],
                #"{"error":{"code":null,"message":"Requested generation length 8000 is not possible! The provided prompt is 9100 tokens long, so generating 8000 tokens requires a sequence length of 17100, but the maximum supported sequence length is just 16384!","param":null,"type":"Error"}}"#
            ),
            (
                "Vertex", [400],
                #"{"error":{"code":400,"message":"Unable to submit request because the input token count is 1200000 but the model supports up to 1048576. Reduce the input token count and try again.","status":"INVALID_ARGUMENT"}}"#
            ),
            (
                "Novita", [400],
                #"{"code":400,"reason":"INVALID_REQUEST_BODY","message":"invalid request body","metadata":{"reason":"the total tokens of prompt and max_tokens 40000 exceeds model context length 32768"}}"#
            ),
            ("Yi", [400], #"{"error":{"code":"400","message":"the input tokens over model context length limit","type":"bad_request"}}"#),
            ("LMDeploy", [400], #"{"object":"error","message":"input length 9000 is out of session length 8192","code":400}"#),
            (
                "Cohere", [400],
                #"{"message":"number of total tokens (prompt and prediction) cannot exceed 4081 - received 5000. Try using a shorter prompt, a smaller max_tokens value, or enabling prompt truncating."}"#
            ),
            ("Aphrodite", [400], #"{"message":"Please provide a prompt that's shorter than 4096 tokens"}"#),
            ("GigaChat", [400, 422], #"{"error":{"message":"Превышена максимальная длина контекста модели"}}"#),
            ("Yandex", [400], #"{"error":{"message":"Длина запроса превышает максимальную длину контекста"}}"#),
            ("iFlytek, 10907", [200, 400], #"{"code":10907,"message":"token数量超过上限","sid":"x"}"#),
            ("Hunyuan", [400], #"{"error":{"message":"输入的上下文超过模型限制"}}"#),
        ])
    func length(source: String, statuses: [Int], body: String) { expect(.contextOverflow, statuses, body) }

    @Test(
        "of this request, which another model may serve",
        arguments: [
            (
                "Groq", [400],
                #"{"error":{"message":"json mode cannot be combined with tool/function calling","type":"invalid_request_error"}}"#
            ),
            ("Groq", [400], #"{"error":{"message":"'n' : number must be at most 1","type":"invalid_request_error"}}"#),
            (
                "FastAPI", [422],
                #"{"detail":[{"type":"string_type","loc":["body","messages",0,"content"],"msg":"Input should be a valid string","input":[{"type":"text","text":"Hi"}]}]}"#
            ),
            (
                "FastAPI, in another order", [422],
                #"{"detail":[{"msg":"Input should be a valid string","loc":["body","messages",2,"content"],"type":"string_type"}]}"#
            ),
            ("NVIDIA NIM", [400], #"{"error":{"message":"Guided decoding is not enabled","type":"BadRequestError"}}"#),
            ("one-api", [400, 500], #"{"error":{"message":"该模型不支持图片输入"}}"#), ("one-api", [400], #"{"error":{"message":"当前模型不支持工具调用"}}"#),
            ("GigaChat", [400, 422], #"{"error":{"message":"Модель не поддерживает вызов функций"}}"#),
        ])
    func request(source: String, statuses: [Int], body: String) { expect(.unsupported, statuses, body) }

    @Test(
        "by a filter",
        arguments: [
            (
                "Portkey", [446],
                #"{"error":{"message":"The guardrail checks defined in the config failed. You can find more information in the `hook_results` object.","type":"hooks_failed","param":null,"code":null},"hook_results":{"before_request_hooks":[{"verdict":false}]}}"#
            ),
            ("Baidu", [400], #"{"error":{"code":"unsafe_request","message":"the content of user field is invalid"}}"#),
        ])
    func filter(source: String, statuses: [Int], body: String) { expect(.contentFilter, statuses, body) }

    @Test(
        "by a server that has failed",
        arguments: [
            (
                "text-generation-inference", [424],
                #"{"error":"Request failed during generation: Server error: CUDA out of memory. Tried to allocate 2.00 GiB","error_type":"generation"}"#
            ),
            (
                "text-generation-inference", [424],
                #"{"error":"Request failed during generation: Server error: probability tensor contains either `inf`, `nan` or element < 0","error_type":"generation"}"#
            ),
        ])
    func server(source: String, statuses: [Int], body: String) { expect(.upstreamError, statuses, body) }

    @Test(
        "of a quota that comes back by itself, or of a server that is starting, is a limit",
        arguments: [
            (
                "DashScope", [429],
                #"{"error":{"message":"hour allocated quota exceeded.","type":"insufficient_quota","code":"insufficient_quota"}}"#
            ),
            ("a proxy", [429], #"{"error":{"message":"You have reached your daily quota","code":"insufficient_quota"}}"#),
            (
                "Cloudflare", [429],
                #"{"errors":[{"message":"AiError: you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's Workers Paid plan","code":3036}]}"#
            ),
            ("llama.cpp", [503], #"{"error":{"code":503,"message":"no slot available","type":"unavailable_error"}}"#),
            ("Chutes", [503], #"{"detail":"No instances available (yet) for chute_id='x'"}"#),
            ("Hugging Face's endpoints", [503], #"{"error":"503 Service Unavailable: endpoint is scaled to zero, starting"}"#),
        ])
    func rate(source: String, statuses: [Int], body: String) { expect(.rateLimited, statuses, body) }

    /// 2026-11-28 18:00 UTC.
    private static let now = 1_795_888_800.0

    @Test(
        "names a time or a wait, in words, in a field or in the head",
        arguments: [
            // z.ai, 1308, in Chinese; Volcengine
            (#"{"error":{"code":"1308","message":"已达到 5 小时的使用上限。您的限额将在 2026-11-28 22:11:20 重置。"}}"#, 15_080),
            (#"{"message":"额度将于2026年11月28日 22:11:20恢复"}"#, 15_080),
            (#"{"error":{"message":"You have exceeded the 5-hour usage quota. It will reset at 2026-11-29 02:14:01 +0800 CST."}}"#, 841),
            (#"{"error":{"message":"Rate limit will reset at 2026-11-28 20:00:00 +01:00"}}"#, 3600),
            (#"{"error":{"message":"Rate limit will reset at 2026-11-28T20:00:00+0100"}}"#, 3600),
            // Points in time, in seconds or milliseconds since 1970
            (#"{"error":{"message":"Rate limit will reset at 1795888860"}}"#, 60),
            (#"{"error":{"message":"Rate limit. Retry after 1795888860000"}}"#, 60),
            (#"{"error":{"message":"Rate limit","retry_after":1795888860}}"#, 60),
            (#"{"error":{"message":"Rate limit","reset_at":"2026-11-28T18:01:00Z"}}"#, 60),
            (#"{"error":{"message":"Rate limit","type":"usage_limit_reached","resets_at":1795888860}}"#, 60),
            (#"{"error":{"message":"Rate limit","resetsAt":1795888860000}}"#, 60),
            (
                #"{"error":{"code":429,"message":"Rate limit","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"QUOTA_EXHAUSTED","metadata":{"quotaResetDelay":"1m0.5s"}}]}}"#,
                61
            ),
            (
                #"{"error":{"code":429,"message":"Rate limit","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","metadata":{"quotaResetTimeStamp":"2026-11-28T18:01:00Z"}}]}}"#,
                60
            ),
            (#"{"error":{"message":"レート制限を超えました。30秒後に再試行してください。"}}"#, 30),
            (#"{"error":{"message":"요청 한도를 초과했습니다. 20초 후에 다시 시도하세요."}}"#, 20),
            (#"{"error":{"message":"Rate limit","wait_seconds":13}}"#, 13),
        ])
    func waits(body: String, seconds: Int) {
        let head = UpstreamHead(status: 429, receivedAt: Self.now)
        let error = provider.failure(head: head, body: Array(body.utf8).span.bytes)
        #expect(error.failure == .rateLimited)
        #expect(error.retryAfter.map { Int(($0 / .milliseconds(1) / 1000).rounded()) } == seconds)
    }

    @Test(
        "names a wait in any language",
        arguments: [
            ("Zu viele Anfragen. Bitte versuchen Sie es in 20 Sekunden erneut.", 20), ("Bitte in 20 Sekunden erneut versuchen", 20),
            ("Bitte warten Sie 20 Sekunden", 20), ("Ratenlimit erreicht: erneut versuchen in 2 Minuten und 3 Sekunden", 123),
            ("Trop de requêtes, réessayez dans 20 secondes", 20), ("Veuillez patienter 20 secondes", 20),
            ("Attendez 20 secondes avant de réessayer", 20), ("Demasiadas solicitudes. Inténtelo de nuevo en 20 segundos", 20),
            ("Espere 20 segundos", 20), ("Muitas requisições. Tente novamente em 20 segundos", 20), ("Aguarde 20 segundos", 20),
            ("Troppe richieste, riprova tra 20 secondi", 20), ("Attendi 20 secondi", 20),
            ("Слишком много запросов. Повторите через 20 секунд", 20), ("Подождите 20 секунд", 20), ("20秒お待ちください", 20),
            ("20초 동안 기다려 주세요", 20), ("请在20秒后重试", 20), ("请等待20秒", 20), ("Cooldown: 40 seconds remaining", 40),
            ("Rate limited, 40 seconds left", 40), ("retry-after: 10s", 10),
            // A limit is no wait.
            ("5 Anfragen in 20 Sekunden", nil), ("limit of 5 requests in 20 seconds", nil), ("limite de 5 requêtes en 20 secondes", nil),
            ("20秒あたり5リクエスト", nil), ("20 seconds of audio per minute", nil), ("Versuchen Sie 3 Anfragen weniger", nil),
            ("intente con 3 mensajes", nil), ("You have 3 requests left", nil),
        ] as [(String, Int?)])
    func waitsInWords(message: String, seconds: Int?) {
        let error = provider.failure(head: UpstreamHead(status: 429, receivedAt: Self.now), body: Array(message.utf8).span.bytes)
        #expect(error.failure == .rateLimited)
        #expect(error.retryAfter == seconds.map { .seconds($0) })
    }

    private func expect(_ failure: FailureClass, _ statuses: [Int], _ body: String) {
        for status in statuses { #expect(self.failure(status, body) == failure, "\(status)") }
    }

    /// The class of a failed response, or of one with status 200 that contains an error.
    private func failure(_ status: Int, _ body: String) -> FailureClass {
        let bytes = Array(body.utf8)
        guard status == 200 else { return provider.failure(head: UpstreamHead(status: status), body: bytes.span.bytes).failure }
        do throws(ProviderError) {
            var decoder = try provider.decoder(for: .sample(isStream: false), head: .json), sink = ResponseSink()
            try decoder.finish(bytes.span.bytes, into: &sink)
            return .cancelled
        } catch { return error.failure }
    }
}
