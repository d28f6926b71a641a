import Codecs
public import ProviderKit

/// The list of models of OpenAI's API, `GET /models`, with what the servers that speak it add to each entry.
///
/// | server | adds |
/// |---|---|
/// | OpenRouter | `context_length`, `architecture`, `supported_parameters`, `top_provider`, `pricing` per token |
/// | | `expiration_date` |
/// | Mistral | `max_context_length`, `capabilities` as an object of flags, `deprecation` |
/// | Azure | `deprecation.inference` in seconds |
/// | vLLM | `max_model_len` |
/// | llama.cpp | `meta.n_ctx`, or `meta.n_ctx_train` while the model is not loaded |
/// | Groq | `context_window`, `max_completion_tokens`, `active` |
/// | Together | a bare array; `type`, `context_length`, `pricing` in dollars per million tokens |
/// | LM Studio | `type`, `max_context_length`, `capabilities` as a list |
///
/// Sources: OpenRouter's SDK (`components/model.py`, `publicpricing.py`), Mistral's (`basemodelcard.py`,
/// `modelcapabilities.py`), Groq's and Together's (`types/model.py`, `types/model_object.py`); Azure's reference,
/// "Models - List"; vLLM's
/// `entrypoints/openai/protocol.py` (`ModelCard`); llama.cpp's `tools/server/README.md`; LM Studio's REST API
/// reference.
public enum OpenAIModels {
    /// Reads a list. Entries without a name are left out, and so are those that can't be called any more.
    public static func read(_ body: RawSpan) throws(ProviderError) -> [ListedModel] {
        guard let tree = JSONTree(body), let entries = tree.elements ?? tree["data"]?.elements ?? tree["models"]?.elements else {
            throw ProviderError(.upstreamError, message: "the list of models is not one in OpenAI's format")
        }
        return entries.compactMap { model($0) }
    }

    private static func model(_ entry: JSONTree) -> ListedModel? {
        guard let id = entry["id"]?.string, !id.isEmpty, entry["active"]?.bool != false else { return nil }
        var model = ListedModel(id: id)
        model.name = entry["name"]?.string ?? entry["display_name"]?.string
        model.description = entry["description"]?.string
        model.context = ListedModel.tokens(
            entry["context_length"], entry["max_context_length"], entry["context_window"], entry["max_model_len"], entry["meta"]?["n_ctx"],
            entry["meta"]?["n_ctx_train"])
        model.maxOutput = ListedModel.tokens(
            entry["top_provider"]?["max_completion_tokens"], entry["max_completion_tokens"], entry["max_output_tokens"])
        readModalities(entry, &model)
        readParameters(entry, &model)
        readCapabilities(entry["capabilities"], &model)
        readType(entry["type"]?.string, &model)
        if model.operations?.isEmpty != false { model.operations = operations(named: id) ?? model.operations }
        model.price = entry["pricing"].flatMap(price)
        let deprecation = entry["deprecation"]
        model.servedUntil = ListedModel.time(entry["expiration_date"], deprecation?["inference"], deprecation)
        return model
    }

    // MARK: Capabilities

    /// OpenRouter's `architecture`.
    private static func readModalities(_ entry: JSONTree, _ model: inout ListedModel) {
        func modalities(_ name: StaticString) -> [String]? { entry["architecture"]?[name]?.elements.map { $0.compactMap(\.string) } }
        model.inputModalities = modalities("input_modalities")
        model.outputModalities = modalities("output_modalities")
        let operations = (model.outputModalities ?? []).flatMap { operationsByOutput[$0] ?? [] }
        if !operations.isEmpty { model.operations = operations }
    }

    private static let operationsByOutput: [String: [Operation]] = [
        "text": [.chat], "embeddings": [.embeddings], "rerank": [.rerank], "speech": [.speech], "transcription": [.transcription],
    ]

    /// OpenRouter's `supported_parameters`.
    private static func readParameters(_ entry: JSONTree, _ model: inout ListedModel) {
        guard let parameters = entry["supported_parameters"]?.elements?.compactMap(\.string) else { return }
        model.callsTools = parameters.contains("tools")
        model.writesJSON = parameters.contains { ["response_format", "structured_outputs"].contains($0) }
        model.reasons = parameters.contains { ["reasoning", "include_reasoning"].contains($0) }
    }

    /// An object of flags (Mistral), or a list of words (LM Studio).
    private static func readCapabilities(_ capabilities: JSONTree?, _ model: inout ListedModel) {
        guard let capabilities else { return }
        if let words = capabilities.elements?.compactMap(\.string) {
            model.callsTools = words.contains("tool_use")
            return
        }
        guard let flags = capabilities.members?.map(\.name) else { return }
        func has(_ name: StaticString) -> Bool? { capabilities[name]?.bool }
        if flags.contains("function_calling") { model.callsTools = has("function_calling") }
        if flags.contains("reasoning") { model.reasons = has("reasoning") }
        if flags.contains("vision") {
            model.inputModalities = ["text"] + (has("vision") == true ? ["image"] : []) + (has("audio") == true ? ["audio"] : [])
        }
        guard flags.contains("completion_chat") else { return }
        let served: [(StaticString, Operation)] = [
            ("completion_chat", .chat), ("audio_transcription", .transcription), ("audio_speech", .speech), ("moderation", .moderation),
        ]
        // None of them is what the router has no operation for, such as OCR.
        model.operations = served.filter { has($0.0) == true }.map(\.1)
    }

    /// `type` of Together and LM Studio.
    private static func readType(_ type: String?, _ model: inout ListedModel) {
        guard let type else { return }
        if type == "vlm" { model.inputModalities = ["text", "image"] }
        if let operations = operationsByType[type] { model.operations = operations }
    }

    private static let operationsByType: [String: [Operation]] = [
        "chat": [.chat], "llm": [.chat], "vlm": [.chat], "language": [.completion], "image": [.imageGeneration], "video": [],
        "embedding": [.embeddings], "embeddings": [.embeddings], "rerank": [.rerank], "moderation": [.moderation],
        "transcribe": [.transcription], "audio": [.speech],
    ]

    /// What a model serves by the words of its name, where the list doesn't say it; nil for chats. OpenAI's own list
    /// has nothing but names. Source: the names in OpenAI's guide "Models", and Mistral's `mistral-embed`.
    private static func operations(named id: String) -> [Operation]? {
        let words = id.lowercased().split { !$0.isLetter && !$0.isNumber }
        return operationsByWords.first { words.contains($0.words) }?.operations
    }

    /// The words follow one another. Other vendors' `instruct` models chat, and so does `gpt-audio`.
    private static let operationsByWords: [(words: [Substring], operations: [Operation])] = [
        (["embedding"], [.embeddings]), (["embed"], [.embeddings]), (["whisper"], [.transcription]), (["transcribe"], [.transcription]),
        (["tts"], [.speech]), (["dall"], [.imageGeneration]), (["gpt", "image"], [.imageGeneration]),
        (["chatgpt", "image"], [.imageGeneration]), (["moderation"], [.moderation]), (["rerank"], [.rerank]), (["reranker"], [.rerank]),
        (["davinci"], [.completion]), (["babbage"], [.completion]), (["turbo", "instruct"], [.completion]), (["realtime"], []),
        (["sora"], []),
    ]

    // MARK: Prices

    /// OpenRouter's prices are texts, in dollars per token; a negative one is that of a model that chooses others. Its
    /// `image_output` is left out: OpenRouter's reference says dollars per image, but the values are those of vendors
    /// per token (0.00012 for `gemini-3-pro-image`). Together's are numbers, in dollars per million tokens.
    private static func price(_ pricing: JSONTree) -> ListedPrice? {
        if let input = pricing["input"]?.double, let output = pricing["output"]?.double, min(input, output) >= 0,
            max(input, output).isFinite
        {
            return ListedPrice(input: input, output: output)
        }
        func amount(_ name: StaticString) -> Double? {
            guard let value = pricing[name] else { return nil }
            return (value.double ?? value.string.flatMap { Double($0) }).flatMap { $0.isFinite ? $0 : nil }
        }
        func perMillion(_ name: StaticString) -> Double? { amount(name).map { ($0 * 1e12).rounded() / 1e6 } }
        guard let input = perMillion("prompt"), let output = perMillion("completion"), min(input, output) >= 0, max(input, output).isFinite
        else { return nil }
        var price = ListedPrice(input: input, output: output)
        /// Left out where it says nothing: zero beside a price of tokens means that there is no price of its own.
        func other(_ value: Double?) -> Double? { value.flatMap { $0 > 0 ? $0 : nil } }
        price.cachedInput = other(perMillion("input_cache_read"))
        price.cacheWrite = other(perMillion("input_cache_write"))
        price.longCacheWrite = other(perMillion("input_cache_write_1h"))
        price.reasoning = other(perMillion("internal_reasoning"))
        price.audioInput = other(perMillion("audio"))
        price.audioOutput = other(perMillion("audio_output"))
        price.perRequest = other(amount("request"))
        return price
    }
}
