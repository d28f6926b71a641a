import Codecs
import OpenAICompatible
import ProviderKit
import Testing

/// Wordings that nobody has recorded, in the languages of providers and of proxies that translate: the phrases of the
/// families are rules, a subject and a state in any order and form. And as many explanations of a malformed request.
@Suite("an unrecorded wording is about")
struct RefusalConceptTests {
    let provider = OpenAICompatibleProvider(.sample)

    @Test(
        "the account",
        arguments: [
            "无效的 API 密钥", "API密钥无效", "无效的令牌",
            "Your prepaid balance has run out", "You have run out of credits. Buy more to continue.",
            "There are no funds left in your wallet", "Insufficient account funds",
            "This request was declined because your account has a negative balance", "Remaining credit: 0. Please purchase credit.",
            "Your free credits have all been used", "Access key has been deactivated by its owner",
            "The API key was rotated and is no longer valid", "This key has expired, generate a new one", "API token revoked",
            "Your account has been temporarily locked", "The organization is suspended for non-payment", "Account pending verification",
            "Please verify your email address before using the API", "Your workspace was archived", "Your plan does not include API access",
            "API access isn't available on the Free plan", "Upgrade your subscription to use the API",
            "This service is not offered in your region", "Requests from your country are blocked",
            "We do not serve users in your territory", "Your project has reached its spending cap for this month",
            "Hard spending limit hit", "The monthly budget set for this key has been used up",
            "Payment is required to continue using the API", "Your card was declined, update your payment method",
            "Ihr Konto wurde gesperrt", "Der API-Schlüssel ist ungültig oder abgelaufen", "Nicht genügend Guthaben",
            "Votre compte a été suspendu", "La clé d'API fournie est invalide", "Votre crédit est épuisé", "La clave de API no es válida",
            "Su cuenta ha sido suspendida", "Crédito agotado: recargue su saldo", "Sua conta foi bloqueada",
            "Saldo insuficiente para concluir a solicitação", "A chave de API expirou", "Il tuo account è stato sospeso",
            "Credito esaurito", "Chiave API non valida", "APIキーの有効期限が切れています", "クレジットが不足しています", "アカウントが停止されています", "크레딧이 모두 소진되었습니다",
            "유효하지 않은 API 키입니다", "계정이 정지되었습니다", "API密钥已失效", "您的账户余额不足", "账号已被冻结", "Баланс исчерпан", "Недействительный API-ключ",
            "Ваш аккаунт приостановлен", "Недостаточно средств на счёте",
        ])
    func account(message: String) {
        for status in [200, 400, 403, 429, 500] { #expect(failure(status, message) == .providerRejected, "\(status)") }
    }

    @Test(
        "one model",
        arguments: [
            "There is no deployment called gpt-9", "Deployment gpt-9 could not be found", "No such deployment: gpt-9",
            "The model you requested does not exist", "We couldn't find a model with that name",
            "Model gpt-9 isn't available to your organization", "You aren't authorized to use the model gpt-9",
            "Your key has no permission for model gpt-9", "Your tier doesn't include this model",
            "You do not have permission to use model gpt-9", "Access to the model gpt-9 was denied",
            "Model gpt-9 was discontinued last month", "gpt-9 has been sunset; use gpt-10", "This model has been archived",
            "The model gpt-9 is no longer offered", "Model gpt-9 is not deployed", "Model gpt-9 isn't hosted here", "unknown model: gpt-9",
            "The requested model could not be located", "Model identifier not recognized", "Model gpt-9 not configured",
            "gpt-9: model not registered", "Das Modell gpt-9 wurde nicht gefunden", "Das Modell gpt-9 existiert nicht",
            "Le modèle gpt-9 n'existe pas", "Le modèle demandé est introuvable", "El modelo gpt-9 no existe",
            "No se encontró el modelo gpt-9", "O modelo gpt-9 não existe", "O modelo não foi encontrado", "Il modello gpt-9 non esiste",
            "Modello non trovato", "モデルが存在しません", "指定されたモデルが見つかりませんでした", "모델이 존재하지 않습니다", "요청한 모델을 찾을 수 없습니다", "未找到该模型", "模型已下线",
            "Модель gpt-9 не найдена", "Такой модели не существует",
        ])
    func model(message: String) {
        for status in [400, 404, 500] { #expect(failure(status, message) == .notFound, "\(status)") }
    }

    @Test(
        "the length",
        arguments: [
            "prompt tokens must not exceed 8192", "input tokens cannot exceed 8192",
            "The prompt is over the model's limit", "Your conversation no longer fits into the context window",
            "Input of 9000 tokens goes beyond the 8192 token context", "You sent too many tokens for this model",
            "The request is larger than the context window", "Prompt tokens (9000) > limit (8192)",
            "Your messages contain more tokens than the model supports", "The combined length of prompt and completion exceeds 8192",
            "Please shorten your input", "Maximum prompt size is 8192 tokens", "context limit reached", "Context window overflow",
            "Requested 9000 tokens, exceeding the maximum of 8192", "The chat history is too long",
            "Your prompt has more tokens than the model can handle", "Die Anfrage ist zu lang für dieses Modell",
            "Die maximale Kontextlänge wurde überschritten", "Der Prompt überschreitet das Kontextfenster", "Le prompt est trop long",
            "La longueur maximale du contexte est dépassée", "Le message dépasse la fenêtre de contexte", "El prompt es demasiado largo",
            "Se ha superado la longitud máxima del contexto", "La entrada excede el límite de tokens", "O prompt é muito longo",
            "A entrada excede o limite de tokens do modelo", "Il prompt è troppo lungo",
            "La lunghezza massima del contesto è stata superata", "入力が長すぎます", "プロンプトが長すぎます", "コンテキスト長を超えました", "프롬프트가 너무 깁니다",
            "컨텍스트 길이를 초과했습니다", "输入内容过长", "输入超出模型的最大长度", "请求的token数超过限制", "Запрос слишком длинный", "Превышена максимальная длина контекста",
            "Промпт превышает размер контекстного окна",
        ])
    func length(message: String) {
        for status in [200, 400, 422, 500] { #expect(failure(status, message) == .contextOverflow, "\(status)") }
    }

    @Test(
        "the content filter",
        arguments: [
            "Your prompt was stopped by our content filter", "The response has been filtered for safety reasons",
            "Message blocked because it contains hate speech", "The request triggered a content moderation rule",
            "Your input did not pass moderation", "This prompt may breach our usage policies",
            "We can't process this request because it goes against our content guidelines", "Blocked: sexual content involving minors",
            "The output contains disallowed content", "Safety filters were triggered by your prompt",
            "Prompt rejected by the safety classifier", "Your message has been flagged as harmful", "Content flagged: violence",
            "The image was rejected by our moderation system", "Request refused due to safety concerns", "Generation stopped by guardrails",
            "Guardrail triggered", "Prompt injection detected", "Moderation check failed: self-harm",
            "The text contains prohibited content", "Die Anfrage wurde vom Inhaltsfilter blockiert",
            "Der Inhalt verstößt gegen unsere Richtlinien", "Le contenu a été bloqué par le filtre de contenu",
            "Ce contenu enfreint nos conditions d'utilisation", "El contenido fue bloqueado por el filtro de contenido",
            "El mensaje infringe nuestras políticas", "O conteúdo foi bloqueado", "O prompt viola nossas políticas",
            "Il contenuto è stato bloccato dal filtro", "Il prompt viola le nostre linee guida", "コンテンツフィルターによりブロックされました",
            "コンテンツポリシーに違反しています", "콘텐츠 필터에 의해 차단되었습니다", "정책을 위반하는 콘텐츠입니다", "内容包含敏感词", "内容违规，无法处理", "Запрос заблокирован модерацией",
            "Контент нарушает правила",
        ])
    func filter(message: String) {
        for status in [200, 400, 403, 500] { #expect(failure(status, message) == .contentFilter, "\(status)") }
    }

    @Test(
        "what this model does not serve",
        arguments: [
            "max_tokens cannot exceed 8192", "max_tokens must not exceed 8192", "max_tokens exceeds 8192", "max_tokens 不能超过 8192",
            "max_tokens 超过限制", "max_tokens ne doit pas dépasser 8192", "max_tokens no puede exceder 8192",
            "thinking.budget_tokens exceeds max_tokens",
            "Function calling isn't implemented for this model", "This model has no tool support", "Tools can't be used with this model",
            "The model cannot see images", "Image inputs aren't accepted by this model", "Vision is unavailable on this model",
            "structured output is not yet implemented", "JSON mode isn't available for this model", "Model does not understand audio",
            "Reasoning effort cannot be set for this model", "This endpoint does not support streaming", "seed is not supported",
            "logprobs are not available with this model", "frequency_penalty isn't allowed for this model",
            "The developer role is not supported", "System prompts are not supported by this model", "Unsupported parameter: min_p",
            "unknown parameter 'min_p'", "Unrecognized field: min_p", "response_format 'json_schema' is not supported",
            "PDF files are not supported by this model", "max_tokens is too high: the limit is 4096",
            "Parallel tool calls are disabled for this model", "This model only supports text input",
            "Tool use is not supported in streaming mode", "Das Modell unterstützt keine Bilder",
            "Funktionsaufrufe werden nicht unterstützt", "Ce modèle ne prend pas en charge les images",
            "Les outils ne sont pas pris en charge", "El modelo no admite imágenes", "Este modelo no es compatible con herramientas",
            "O modelo não suporta imagens", "Il modello non supporta le immagini", "このモデルは画像をサポートしていません", "ツール呼び出しには対応していません",
            "이 모델은 도구를 지원하지 않습니다", "该模型不支持图像输入", "当前模型不支持函数调用", "Модель не поддерживает изображения",
        ])
    func unsupported(message: String) {
        for status in [400, 422, 500] { #expect(failure(status, message) == .unsupported, "\(status)") }
    }

    @Test(
        "a limit or a load",
        arguments: [
            "You're sending requests too quickly", "Requests are being throttled", "Slow down, too many calls",
            "Concurrency limit exceeded", "The server is busy right now, try again later", "We are experiencing high demand",
            "Service at capacity", "Model is warming up, retry shortly", "The model is still being loaded", "You've hit the rate limit",
            "Rate limited", "Request quota per minute exhausted", "You exceeded 60 requests per minute", "Too many parallel requests",
            "Throughput exceeded", "Queue is full", "All workers are busy", "The backend is overloaded",
            "Zu viele Anfragen, bitte später erneut versuchen", "Das Ratenlimit wurde erreicht", "Der Server ist überlastet",
            "Trop de requêtes, réessayez plus tard", "Limite de débit atteinte", "Le serveur est surchargé", "Demasiadas solicitudes",
            "Límite de solicitudes alcanzado", "Muitas requisições", "Limite de taxa excedido", "Troppe richieste",
            "Limite di richieste raggiunto", "リクエストが多すぎます", "現在サーバーが混雑しています", "요청이 너무 많습니다", "요청 한도를 초과했습니다", "请求过于频繁", "当前访问量过大", "服务器繁忙",
            "Слишком много запросов", "Превышен лимит запросов", "Сервер перегружен",
        ])
    func rate(message: String) {
        for status in [200, 400, 429, 503] { #expect(failure(status, message) == .rateLimited, "\(status)") }
    }

    @Test(
        "the request itself",
        arguments: [
            "messages.1.content: account balance must be a number", "tools[0].function.parameters.properties.credit: type is required",
            "Invalid type for tools.0.function.name: expected a string", "temperature must be between 0 and 2",
            "temperature: expected a number, got a string", "top_p must be a number", "stop must have at most 4 elements",
            "messages must contain at least one element", "The last message must have the role user",
            "role must be one of user, assistant, system", "messages[2]: tool_call_id is required",
            "tool message without a preceding tool call", "Duplicate tool name: get_balance", "Invalid JSON in the request body",
            "Could not parse the request body as JSON", "Unexpected end of input", "Expecting property name enclosed in double quotes",
            "messages is missing", "'messages' is required", "model is required", "model must be a string", "Missing required field: model",
            "content must not be empty", "text content blocks must be non-empty", "Image URL is not valid", "Invalid base64 image",
            "Could not download the image: 404 Not Found", "Failed to fetch https://x.example/key-revoked.png: 403 Forbidden",
            "The image could not be decoded", "Image dimensions must be less than 8000 pixels", "image exceeds 5 MB maximum",
            "Audio file is corrupted", "File file-123 not found", "No file found with id 'file-123'",
            "tool_choice references an unknown tool: check_account", "tool_choice 'lookup_quota' is not in tools",
            "function name 'delete account' does not match '^[a-zA-Z0-9_-]{1,64}$'", "user must be shorter than 64 characters",
            "metadata keys must be strings", "metadata has too many keys", "metadata value is too long", "name is too long",
            "The tool description is too long", "n must be at least 1", "max_tokens must be at least 1",
            "max_tokens must be a positive integer", "seed must be an integer", "logit_bias must be an object",
            "Invalid schema for response_format 'x': additionalProperties must be false", "json_schema.name is required",
            "conversation roles must alternate user/assistant", "assistant message must not be last",
            "previous_response_id 'resp_1' not found", "Previous response with id 'resp_1' not found.",
            "encoding_format must be float or base64", "dimensions must be greater than 0", "input must be a string or an array of strings",
            "input must not be empty", "Input should be a valid integer", "value is not a valid list", "Field required",
            "ensure this value is less than or equal to 2", "Request body is empty", "Invalid content-type header", "invalid request",
            "Bad request", "stream must be a boolean", "presence_penalty must be between -2 and 2",
            "stop sequences must be non-empty strings", "system message must be first", "Only one system message is allowed",
            "messages: first message must be from the user", "messages with role tool must follow tool_calls",
            "tool_calls[0].function.arguments must be valid JSON", "Invalid tool arguments: Unterminated string",
            "cache_control blocks: at most 4 may be set", "thinking.budget_tokens must be at least 1024",
            "thinking: budget must be less than max_tokens", "document source must be base64 or url",
            "media_type must be image/png or image/jpeg", "input_audio.format must be wav or mp3",
            "safety_settings[0].threshold is invalid", "safety settings: category is duplicated", "moderation must be a boolean",
            "billing.address: field required", "region must be a string", "country: must be a two-letter code",
            "location.type must be approximate", "user_location.country must be two letters", "account_id must be a uuid",
            "invalid value for 'key': must be a string", "invalid key in logit_bias", "keys must be strings",
            "expected value at line 1 column 1", "trailing comma at line 3 column 5", "missing field `content` at line 1 column 80",
            "model name must not be empty", "limit must be between 1 and 100", "limit: must be a positive integer",
            "the property 'expired' must be a boolean", "balance: expected number", "credits must be an integer",
            "tools.0.custom.input_schema: Field required", "tool_result block has no matching tool_use",
            "Der Schlüssel 'content' ist ungültig", "Ungültiger Schlüssel 'foo' im Objekt 'metadata'", "Clé invalide 'foo' dans metadata",
            "La clé 'role' est invalide", "Clave inválida 'foo' en metadata", "Chave inválida 'foo' em metadata",
            "Chiave non valida 'foo' in metadata", "La chiave 'role' non è valida", "Jeton invalide à la position 12", "密钥字段 key 无效",
            "账户字段不存在", "アカウント欄が無効です", "Budget darf nicht leer sein", "query too long in web_search tool",
            "Nachrichten dürfen nicht leer sein", "Ungültiger Wert für temperature", "Das Feld messages fehlt",
            "Der Name des Werkzeugs ist zu lang", "Ungültiges JSON im Anfragetext", "temperature muss zwischen 0 und 2 liegen",
            "Le champ messages est obligatoire", "Valeur invalide pour temperature", "Le nom de l'outil est trop long",
            "Le corps de la requête n'est pas du JSON valide", "messages ne doit pas être vide", "El campo messages es obligatorio",
            "Valor no válido para temperature", "El nombre de la función es demasiado largo", "El cuerpo de la solicitud no es JSON válido",
            "messages no puede estar vacío", "O campo messages é obrigatório", "Valor inválido para temperature",
            "O nome da função é muito longo", "JSON inválido no corpo da solicitação", "Il campo messages è obbligatorio",
            "Valore non valido per temperature", "Il nome della funzione è troppo lungo", "Il corpo della richiesta non è JSON valido",
            "messagesは必須です", "temperatureの値が不正です", "関数名が長すぎます", "リクエスト本文が無効です", "必須フィールドがありません", "temperature 값이 올바르지 않습니다",
            "messages 필드가 필요합니다", "함수 이름이 너무 깁니다", "요청 본문이 잘못되었습니다", "缺少必填参数 messages", "参数 temperature 取值错误", "请求参数错误", "函数名过长", "消息格式不正确",
            "无效的请求体", "JSON格式错误", "messages不能为空", "Поле messages обязательно", "Недопустимое значение temperature",
            "Имя функции слишком длинное", "Неверный формат JSON", "Тело запроса пустое", "Неверный тип поля content",
            "Сообщения не могут быть пустыми", "The role 'user' must not follow 'user'", "Tool 'charge_card' requires parameter 'amount'",
            "Invalid enum value", "Unexpected message role", "Message content is missing", "No messages were provided", "Prompt is empty",
            "prompt must not be null", "prompt must be a string", "input is required", "Invalid characters in request",
            "invalid utf-8 in body", "Malformed multipart body", "Multipart field 'file' is missing", "boundary not found in content-type",
        ])
    func client(message: String) {
        for status in [400, 422] { #expect(failure(status, message) == .clientError, "\(status)") }
    }

    private func failure(_ status: Int, _ message: String) -> FailureClass {
        var body = JSONWriter()
        body.object {
            $0.key("error")
            $0.object { $0.member("message", message) }
        }
        let bytes = body.bytes.span.bytes
        // An error inside a successful response.
        if status == 200 { return ErrorBody(bytes)?.failureClass(status: nil) ?? .upstreamError }
        return provider.failure(head: UpstreamHead(status: status), body: bytes).failure
    }
}
