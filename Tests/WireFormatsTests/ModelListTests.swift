import Codecs
import ProviderKit
import Testing
import WireFormats

/// The lists of models of OpenAI's servers and of Anthropic.
@Suite("lists of models")
struct ModelListTests {
    private func openAI(_ json: String) throws -> [ListedModel] { try OpenAIModels.read(Array(json.utf8).span.bytes) }

    @Test("OpenRouter's list has modalities, parameters and prices per token")
    func openRouter() throws {
        let models = try openAI(
            #"""
            {"data":[{"id":"deepseek/deepseek-r1","canonical_slug":"d","name":"DeepSeek: R1","created":1,"description":"A model.","context_length":163840,
            "architecture":{"modality":"text+image->text","input_modalities":["text","image","file"],"output_modalities":["text"]},
            "pricing":{"prompt":"0.00000055","completion":"0.00000219","request":"0","image":"0","input_cache_read":"0.00000014","input_cache_write":"0.0000007","input_cache_write_1h":"0.000001","internal_reasoning":"0","audio":"0.000001","audio_output":"0.000002","image_output":"0.00012"},
            "top_provider":{"context_length":163840,"max_completion_tokens":32768,"is_moderated":false},
            "supported_parameters":["tools","response_format","reasoning","temperature"]},
            {"id":"openrouter/auto","pricing":{"prompt":"-1","completion":"-1"},"top_provider":{"max_completion_tokens":null}},
            {"id":"vectors","architecture":{"input_modalities":["text"],"output_modalities":["embeddings"]},"pricing":{"prompt":"0","completion":"0"}}]}
            """#)
        var model = ListedModel(id: "deepseek/deepseek-r1")
        (model.name, model.description, model.context, model.maxOutput) = ("DeepSeek: R1", "A model.", 163_840, 32_768)
        (model.inputModalities, model.outputModalities, model.operations) = (["text", "image", "file"], ["text"], [.chat])
        (model.callsTools, model.writesJSON, model.reasons) = (true, true, true)
        var price = ListedPrice(input: 0.55, output: 2.19)
        (price.cachedInput, price.cacheWrite, price.longCacheWrite) = (0.14, 0.7, 1)
        (price.audioInput, price.audioOutput) = (1, 2)
        model.price = price
        #expect(models.first == model)
        #expect(models[1] == ListedModel(id: "openrouter/auto"))
        #expect(models[2].operations == [.embeddings] && models[2].price?.isFree == true)
    }

    @Test(
        "a name says what a model serves, where the list doesn't",
        arguments: [
            ("text-embedding-3-small", ProviderKit.Operation.embeddings as ProviderKit.Operation?), ("mistral-embed", .embeddings),
            ("whisper-1", .transcription),
            ("gpt-4o-transcribe", .transcription), ("gpt-4o-mini-tts", .speech), ("dall-e-3", .imageGeneration),
            ("omni-moderation-latest", .moderation), ("BAAI/bge-reranker-v2-m3", .rerank), ("davinci-002", .completion),
            ("gpt-image-1", .imageGeneration), ("chatgpt-image-latest", .imageGeneration), ("gpt-3.5-turbo-instruct", .completion),
            ("gpt-5", nil), ("embedder", nil), ("kettts", nil), ("gpt-audio", nil), ("Llama-3.3-70B-Instruct", nil),
            ("gemini-3-pro-image", nil), ("o3-pro", nil), ("gpt-4o-audio-preview", nil),
        ])
    func names(id: String, operation: ProviderKit.Operation?) throws {
        #expect(try openAI(#"{"data":[{"id":"\#(id)"}]}"#).first?.operations == operation.map { [$0] })
        #expect(try openAI(#"[{"id":"\#(id)","type":"chat"}]"#).first?.operations == [.chat])
    }

    @Test("Mistral's capabilities are flags")
    func mistral() throws {
        let models = try openAI(
            #"""
            {"object":"list","data":[{"id":"mistral-large","capabilities":{"completion_chat":true,"function_calling":true,"vision":true,"reasoning":false,"audio":false},"max_context_length":131072,"description":"L"},
            {"id":"voxtral","capabilities":{"completion_chat":false,"audio_transcription":true,"function_calling":false,"vision":false}}]}
            """#)
        #expect(models[0].context == 131_072 && models[0].callsTools == true && models[0].reasons == false)
        #expect(models[0].inputModalities == ["text", "image"] && models[0].operations == [.chat])
        #expect(models[1].operations == [.transcription] && models[1].callsTools == false)
    }

    @Test(
        "a model that serves none of the router's operations serves none",
        arguments: [
            (
                #"{"id":"mistral-ocr-latest","capabilities":{"completion_chat":false,"ocr":true,"vision":true}}"#,
                [] as [ProviderKit.Operation]
            ),
            (#"{"id":"mistral-embed","capabilities":{"completion_chat":false}}"#, [.embeddings]), (#"{"id":"gpt-realtime-mini"}"#, []),
            (#"{"id":"gpt-4o-realtime-preview"}"#, []), (#"{"id":"sora-2-pro"}"#, []), (#"{"id":"v","type":"video"}"#, []),
            (#"{"id":"voxtral","capabilities":{"completion_chat":true,"audio_transcription":true}}"#, [.chat, .transcription]),
        ])
    func noOperations(entry: String, operations: [ProviderKit.Operation]) throws {
        #expect(try openAI(#"{"data":[\#(entry)]}"#).first?.operations == operations)
    }

    @Test(
        "the end of a model is a point in time, or a day that counts to its end",
        arguments: [
            (#""expiration_date":"2026-08-31""#, 1_788_220_799), (#""deprecation":"2026-08-31T12:00:00Z""#, 1_788_177_600),
            (#""deprecation":{"fine_tune":1,"inference":1788177600}"#, 1_788_177_600), (#""deprecation":null,"expiration_date":null"#, nil),
            (#""deprecation":{"fine_tune":1}"#, nil), (#""expiration_date":"soon""#, nil), (#""deprecation":0"#, nil),
        ] as [(String, Double?)])
    func ends(member: String, time: Double?) throws {
        #expect(try openAI(#"{"data":[{"id":"m",\#(member)}]}"#).map(\.servedUntil) == [time])
    }

    @Test(
        "each server's name for the context is known",
        arguments: [
            (#"{"data":[{"id":"m","max_model_len":8192}]}"#, 8192),
            (#"{"data":[{"id":"m","meta":{"n_ctx":4096,"n_ctx_train":131072}}]}"#, 4096),
            (#"{"data":[{"id":"m","meta":{"n_ctx_train":131072}}]}"#, 131_072), (#"{"data":[{"id":"m","context_window":32768}]}"#, 32_768),
            (#"[{"id":"m","context_length":2048,"type":"chat"}]"#, 2048),
            (#"{"data":[{"id":"m","context_length":-5,"max_model_len":7}]}"#, 7),
            (#"{"data":[{"id":"m","context_length":1e99}]}"#, nil), (#"{"data":[{"id":"m","object":"model","owned_by":"openai"}]}"#, nil),
        ] as [(String, Int?)])
    func context(json: String, expected: Int?) throws {
        #expect(try openAI(json).map(\.id) == ["m"] && openAI(json)[0].context == expected)
    }

    @Test("Together's list is a bare array, with types and prices per million tokens")
    func together() throws {
        let models = try openAI(
            #"[{"id":"a","type":"chat","pricing":{"input":0.2,"output":0.6,"hourly":0}},{"id":"b","type":"embedding"},{"id":"c","type":"rerank"}]"#
        )
        #expect(models[0].price == ListedPrice(input: 0.2, output: 0.6))
        #expect(models.map(\.operations) == [[.chat], [.embeddings], [.rerank]])
    }

    @Test("entries without a name and models that are out of service are left out; what is no list is an error")
    func bad() throws {
        #expect(try openAI(#"{"data":[{"id":""},{"object":"model"},7,null,{"id":"x","active":false},{"id":"y"}]}"#).map(\.id) == ["y"])
        for json in ["", "{}", #"{"data":{}}"#, "<html>", #"{"data":[}"#] { #expect(throws: ProviderError.self) { try openAI(json) } }
    }

    @Test("Anthropic's list has capabilities, and no retired models")
    func anthropic() throws {
        let json = #"""
            {"data":[{"type":"model","id":"claude-opus-5","display_name":"Claude Opus 5","lifecycle":"active","max_input_tokens":1000000,"max_tokens":64000,
            "capabilities":{"image_input":{"supported":true},"pdf_input":{"supported":true},"structured_outputs":{"supported":true},"thinking":{"supported":true,"types":{}}}},
            {"id":"claude-2","display_name":"Claude 2","lifecycle":"retired"},{"id":"plain","display_name":"P","capabilities":null}],"has_more":false}
            """#
        let models = try AnthropicModels.read(Array(json.utf8).span.bytes)
        #expect(models.map(\.id) == ["claude-opus-5", "plain"])
        #expect(models[0].context == 1_000_000 && models[0].maxOutput == 64_000 && models[0].inputModalities == ["text", "image", "file"])
        #expect(
            models[0].writesJSON == true && models[0].reasons == true && models[0].callsTools == true && models[0].name == "Claude Opus 5")
        #expect(models[1].inputModalities == nil)
        #expect(throws: ProviderError.self) { try AnthropicModels.read(Array("[]".utf8).span.bytes) }
    }

    @Test("Gemini's list has limits and methods")
    func gemini() throws {
        let json = #"""
            {"models":[{"name":"models/gemini-3-pro","displayName":"Gemini 3 Pro","description":"D","inputTokenLimit":1048576,"outputTokenLimit":65536,
            "supportedGenerationMethods":["generateContent","countTokens"],"thinking":true},
            {"name":"models/gemini-embedding-001","inputTokenLimit":2048,"supportedGenerationMethods":["embedContent"]},
            {"name":"models/veo","supportedGenerationMethods":["predictLongRunning"]},{"displayName":"nameless"}],"nextPageToken":"x"}
            """#
        let models = try GeminiModels.read(Array(json.utf8).span.bytes)
        #expect(models.map(\.id) == ["gemini-3-pro", "gemini-embedding-001"] && models.map(\.operations) == [[.chat], [.embeddings]])
        #expect(
            models[0].context == 1_048_576 && models[0].maxOutput == 65_536 && models[0].reasons == true && models[0].description == "D")
        #expect(throws: ProviderError.self) { try GeminiModels.read(Array("{}".utf8).span.bytes) }
    }

    @Test(
        "a list of Anthropic's or of Gemini's names its next page, unless it is the last",
        arguments: [
            (#"{"data":[{"id":"a"}],"has_more":true,"last_id":"a b&c"}"#, "?limit=1000&after_id=a%20b%26c", nil),
            (#"{"data":[{"id":"a"}],"has_more":false,"last_id":"a"}"#, nil, nil),
            (#"{"data":[],"has_more":true,"last_id":null}"#, nil, nil),
            (#"{"models":[],"nextPageToken":"t/+="}"#, nil, "?pageSize=1000&pageToken=t%2F%2B%3D"),
            (#"{"models":[],"nextPageToken":""}"#, nil, nil), (#"{"models":[]}"#, nil, nil), ("", nil, nil),
        ] as [(String, String?, String?)])
    func pages(page: String, anthropic: String?, gemini: String?) {
        let bytes = Array(page.utf8)
        #expect(AnthropicModels.query(after: bytes.span.bytes) == anthropic && GeminiModels.query(after: bytes.span.bytes) == gemini)
    }

    @Test("Ollama's list has capabilities, and local models are free")
    func ollama() throws {
        let json = #"""
            {"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","size":1,"details":{"family":"llama","context_length":131072},"capabilities":["completion","tools","vision"]},
            {"name":"nomic-embed-text","model":"nomic-embed-text","capabilities":["embedding"]},{"name":"old"},
            {"name":"big:cloud","model":"big:cloud","remote_host":"https://ollama.com","capabilities":["completion","thinking"]}]}
            """#
        let models = try OllamaModels.read(Array(json.utf8).span.bytes)
        #expect(models.map(\.id) == ["llama3.2:latest", "nomic-embed-text", "old", "big:cloud"])
        #expect(models[0].context == 131_072 && models[0].callsTools == true && models[0].inputModalities == ["text", "image"])
        #expect(models[0].price?.isFree == true && models[1].operations == [.embeddings] && models[2].operations == nil)
        #expect(models[3].price == nil && models[3].reasons == true)
        #expect(throws: ProviderError.self) { try OllamaModels.read(Array("[]".utf8).span.bytes) }
    }

    @Test("the details of one of Ollama's models say what its list leaves out")
    func ollamaDetails() throws {
        func read(_ json: String, context: Int? = nil) throws -> ListedModel {
            var model = ListedModel(id: "old")
            model.context = context
            return try OllamaModels.read(model, details: Array(json.utf8).span.bytes)
        }
        let json =
            #"{"capabilities":["completion","vision","tools"],"model_info":{"general.architecture":"llama","llama.context_length":8192}}"#
        let model = try read(json)
        #expect(model.context == 8192 && model.operations == [.chat] && model.callsTools == true && model.reasons == false)
        #expect(model.inputModalities == ["text", "image"])
        #expect(try read(json, context: 4096).context == 4096)
        #expect(try read(#"{"model_info":{}}"#).operations == nil)
        for bad in ["[]", "{}", "x", #"{"error":"model 'old' not found"}"#] { #expect(throws: ProviderError.self) { try read(bad) } }
    }
}
