import PolicyDrafts
import RoutingPolicy
import Testing

/// The policy of a file that is given as a text.
func imported(_ text: String) throws -> String {
    try PolicyImport.draft(of: [ForeignFile("routes.yaml", source: OneFile(text: text))]).text
}

/// What every import keeps to, whatever the other program's files say.
struct ImportRulesTests {
    /// LiteLLM's models by name, each with what stands in `litellm_params`, and other sections.
    static func liteLLM(_ models: [(String, String)], _ rest: String = "") -> String {
        "model_list:\n" + models.map { "  - { model_name: \"\($0)\", litellm_params: { \($1) } }\n" }.joined() + rest
    }

    private static let openAI = "model: openai/gpt-4o, api_key: os.environ/K"
    private static let claude = "model: anthropic/claude-sonnet-4-5, api_key: os.environ/K2"
    private static let providers = "providers: { openai: { type: openai, base_url: \"https://api.openai.com/v1\", api_key_env: K } }\n"
    private static let models = "models: { gpt: { provider: openai, provider_model_name: gpt-4o } }\n"

    @Test(arguments: [
        // Fallbacks that lead to each other, to themselves, by an alias, and by the default.
        liteLLM([("a", openAI), ("b", claude)], "litellm_settings: { fallbacks: [{ a: [b] }, { b: [a] }, { a: [a] }] }"),
        liteLLM(
            [("a", openAI), ("b", claude), ("c", openAI)],
            "router_settings: { fallbacks: [{ a: [b, c] }, { b: [c, a] }, { c: [a, b] }], model_group_alias: { x: a } }"),
        liteLLM(
            [("a", openAI), ("b", claude)],
            "router_settings: { model_group_alias: { x: a }, fallbacks: [{ a: [x] }, { x: [b] }, { b: [x] }] }"),
        liteLLM(
            [("a", openAI), ("a", claude), ("b", claude)],
            "litellm_settings: { default_fallbacks: [a], fallbacks: [{ b: [a] }], context_window_fallbacks: [{ a: [b] }], content_policy_fallbacks: [{ b: [a] }] }"
        ),
        // Wildcards.
        liteLLM([("openai/*", "model: openai/*, api_key: os.environ/K"), ("openai/*", "model: openai/*, api_key: os.environ/K2")]),
        liteLLM([("fo::*:static::*", "model: \"openai/fo::*:static::*\", api_key: os.environ/K"), ("a", openAI)]),
        liteLLM([
            ("x-*", "model: openai/gpt-4o, api_key: os.environ/K"), ("y-*", "model: openai/*-*, api_key: os.environ/K"), ("a", openAI),
        ]),
        liteLLM(
            [("openai/*", "model: openai/*, api_key: os.environ/K"), ("a", claude)],
            "litellm_settings: { fallbacks: [{ a: [openai/gpt-5] }, { openai/gpt-5: [a] }] }"),
        // Names.
        liteLLM([("a", openAI), ("a", "model: openai/gpt-4o-mini, api_key: os.environ/K"), ("a@openai", openAI), ("a@openai.2", openAI)]),
        liteLLM([
            ("ключ", openAI), ("клюв", openAI), ("model", openAI), ("Llama 3 (8B)", openAI), ("a b", openAI), ("a-b", openAI),
            ("tag:x", openAI),
        ]),
        liteLLM([("a", openAI)], "router_settings: { model_group_alias: { \"my model\": a, \"my,model\": a, a: a } }"),
        // Addresses and variables.
        liteLLM([("a", "model: azure/, api_base: \"https://x.openai.azure.com\", api_key: k"), ("b", openAI)]),
        liteLLM([("a", "model: openai/m, api_base: os.environ/MY-URL, api_key: \"os.environ/MY KEY\", rpm: os.environ/RPM-A")]),
        liteLLM([("a", "model: openai/m, api_base: \"http://u:hunter2@h.example.com/v1?k=hunter2\", api_key: os.environ/K")]),
        providers + models
            + "user_keys: { a: { api_key: one }, b: { api_key: one }, \"Иван\": { api_key: two }, \"Пётр\": { api_key: three } }",
        "providers: { z: { type: openai } }\n" + "models: { a: { provider: z }, b: { provider: y } }",
        providers
            + "models: { \"модель\": { provider: openai, provider_model_name: a }, \"моделя\": { provider: openai, provider_model_name: b } }\n"
            + "user_keys: { x: { api_key: k1, allowed_models: [\"моделя\"] } }",
        // What a provider must have.
        liteLLM([
            ("a", "model: anthropic/fake, api_base: \"http://h.example.com\""),
            ("b", "model: gemini/x, api_base: \"http://h.example.com\""),
            ("c", "model: openai/deepseek-chat, api_base: \"https://api.deepseek.com\""), ("d", "model: vertex_ai/gemini-2.5-pro"),
            ("e", "model: gemini-pro"), ("f", "model: mistral/m, api_base: \"\", api_key: \"\""),
            ("g", "model: openrouter/x/y, api_base: \"http://h.example.com/v1\""),
        ]),
        liteLLM([("a", openAI + ", extra_headers: { \"AI-Resource Group\": x, Good: z }")]),
        liteLLM([("a", openAI + ", tags: [тег, новый, a&b, \"a b\", \"\", fine/1]"), ("b", openAI + ", tags: \"!c, d\"")]),
        "providers: { openrouter: { apiKey: \"${K}\" } }\nmodels: [{ name: a, provider: openrouter, tags: [тег, a&b, with space] }]\n",
        "providers: { openrouter: { apiKey: \"${K}\" } }\nmodels: [{ name: \"имя\", provider: openrouter, model: x }, { name: \"имена\", provider: openrouter, model: y }]\n",
    ])
    func `an imported policy passes the check`(text: String) throws {
        let policy = try imported(text)
        let report = load(policy)
        // A file of which nothing is left has no models.
        let mayLack = ["no models", "key 'models' is missing", "key 'providers' is missing"]
        let errors = report.issues.filter { issue in
            issue.severity == .error && !mayLack.contains { (words: String) in issue.message.contains(words) }
        }
        #expect(errors == [], "\(policy)\n\(report.rendered())")
        #expect(!policy.contains("hunter2"))
    }

    @Test(arguments: [
        ("simple-shuffle", "weighted"), ("least-busy", "least_busy"), ("latency-based-routing", "fastest"),
        ("cost-based-routing", "cheapest"), ("usage-based-routing-v2", "least_busy"),
    ])
    func `a routing strategy is the order of the routes`(strategy: String, order: String) throws {
        let text = try imported(
            Self.liteLLM([("a", Self.openAI), ("a", Self.claude)], "router_settings: { routing_strategy: \(strategy) }"))
        #expect(text.contains("order: \(order)"), "\(text)")
    }

    @Test func `deployments of a lower order come first`() throws {
        let text = try imported(Self.liteLLM([("a", Self.openAI + ", order: 2"), ("a", Self.claude + ", order: 1")]))
        #expect(text.contains("a: { try: [a@anthropic, a@openai] }"), "\(text)")
    }

    @Test func `a fallback that leads back names models`() throws {
        let text = try imported(
            Self.liteLLM([("a", Self.openAI), ("b", Self.claude)], "litellm_settings: { fallbacks: [{ a: b }, { b: [a] }] }"))
        #expect(text.contains("a: { try: a@openai, fallback: [b@anthropic] }"), "\(text)")
        #expect(text.contains("b: { try: b@anthropic, fallback: [a@openai] }"), "\(text)")
    }

    @Test(arguments: [
        ("openai/responses/gpt-5", "gpt-5, formats: [openai-responses]"), ("azure/responses/dep", "dep, formats: [openai-responses]"),
        ("azure_ai/mistral-large", "mistral-large"), ("huggingface/org/zephyr", "org/zephyr"), ("databricks/dbrx", "dbrx"),
        ("cohere_chat/command-r", "command-r"), ("aiml/gpt", "gpt"), ("github/gpt-4o", "gpt-4o"), ("hosted_vllm/a/b", "a/b"),
        ("siliconflow/deepseek-ai/R1", "deepseek-ai/R1"), ("bedrock/converse/us.anthropic.claude", "us.anthropic.claude"),
        ("bedrock/invoke/amazon.nova", "amazon.nova"), ("bedrock/us-west-2/amazon.titan", "amazon.titan"),
        ("bedrock/llama/arn:aws:bedrock:us-east-1:1:imported-model/x", "arn:aws:bedrock:us-east-1:1:imported-model/x"),
        ("meta/llama, custom_llm_provider: openai", "meta/llama"), ("openai/gpt-4o, custom_llm_provider: openai", "gpt-4o"),
        ("vertex_ai/gemini-2.5-pro, vertex_project: p", "gemini-2.5-pro"),
    ])
    func `the provider gets the model's own name`(model: String, upstream: String) throws {
        let text = try imported(Self.liteLLM([("name", "model: \(model), api_base: \"https://h.example.com/v1\"")]))
        #expect(text.contains("upstream: \(upstream) }"), "\(text)")
    }

    @Test func `a model that its plugin can't reach is left out with the reason`() throws {
        let text = try imported(
            Self.liteLLM([("a", "model: vertex_ai/claude-sonnet-4-5, vertex_project: p"), ("b", "model: azure/, api_base: x")]))
        #expect(text.contains("# - model 'a': of the models of 'vertex_ai', only those are reached"), "\(text)")
        #expect(text.contains("# - model 'b': it names no model of 'azure'."), "\(text)")
    }

    @Test(arguments: [
        ("[/v1/images/generations]", "endpoints: [images]"), ("[/v1/chat/completions/]", "endpoints: [chat]"),
        ("[chat/completions, /api/v1/chat/completions, v1/embeddings]", "endpoints: [chat, embeddings]"),
        ("\"/v1/chat/completions\"", "endpoints: [chat]"), ("[/v1/messages, /v1/responses]", "endpoints: [chat]"),
        ("[\"/v1/models/{model_id:path}\"]", "endpoints: [models]"), ("[/v1/chat/completions, /v1/foo]", "endpoints: [chat]"),
        ("[]", "sha256: "), ("[/v1/foo]", nil), ("[/health]", nil), ("{ a: b }", nil), ("[[/v1/models]]", nil),
        ("[/v1/foo/chat/completions]", nil),
    ])
    func `a client's key never gains rights`(endpoints: String, option: String?) throws {
        let text = try imported(Self.providers + Self.models + "user_keys: { k: { api_key: secret, allowed_endpoints: \(endpoints) } }")
        let key = text.firstRange(of: "  k:").map { text[$0.lowerBound...].replacing("\n", with: " ") }
        #expect((key != nil) == (option != nil), "\(text)")
        #expect(key?.contains(option ?? "") != false && key?.contains("endpoints:") == option?.contains("endpoints:"), "\(text)")
        #expect(option != nil || text.contains("# - key 'k': "), "\(text)")
    }

    @Test(arguments: [
        liteLLM([("a", "model: openai/m, extra_headers: { Authorization: Bearer hunter2, X-Any: hunter2, X-Own: Bearer os.environ/T }")]),
        liteLLM([("a", "model: bedrock/m, aws_access_key_id: hunter2, aws_secret_access_key: hunter2")]),
        "providers: { x: { type: openai, base_url: \"http://u:hunter2@x/v1\", headers: { Authorization: Bearer hunter2, X-Api-Key: hunter2 } } }\nmodels: { m: { provider: x } }",
        "providers: { x: { type: anthropic, headers: { x-api-key: hunter2 } } }\nmodels: { m: { provider: x } }",
        "providers: { x: { baseUrl: \"http://h/v1?key=hunter2\", apiKey: hunter2 } }\nmodels: [{ name: m, provider: x }]",
    ])
    func `no secret is copied`(text: String) throws {
        #expect(try !imported(text).contains("hunter2"))
    }

    @Test func `two values of one header field have two variables`() throws {
        let text = try imported(
            "providers: { x: { base_url: \"http://x/v1\", headers: { A: one } }, y: { base_url: \"http://y/v1\", headers: { A: two } }, z: { base_url: \"http://z/v1\", headers: { A: one } } }\nmodels: { m: { provider: x } }"
        )
        #expect(text.components(of: "${A_HEADER}") == 2 && text.components(of: "${A_2_HEADER}") == 1, "\(text)")
    }

    @Test(arguments: [
        (liteLLM([("a", openAI), ("b", claude)], "litellm_settings: { fallbacks: [{ a: [{ model: b, messages: [] }] }] }"), "'messages'"),
        (liteLLM([("a", openAI)], "litellm_settings: { fallbacks: [{ missing: [a] }] }"), "fallbacks of 'missing'"),
        (liteLLM([("a/*", "model: openai/*")], "litellm_settings: { fallbacks: [{ \"a/*\": [a/x] }] }"), "fallbacks of 'a/*'"),
        (liteLLM([("a", openAI)], "litellm_settings: { fallbacks: [a] }"), "fallbacks: the entry at line"),
        (liteLLM([("a", openAI)], "litellm_settings: { fallbacks: a, cooldown_time: 0 }"), "'fallbacks', 'cooldown_time'"),
        (liteLLM([("a", openAI + ", rpm: many, timeout: 10s, weight: -1")]), "'rpm', 'timeout', 'weight'"),
        (liteLLM([("a", openAI + ", input_cost_per_token: 0.1")]), "Its price is not taken over"),
        (liteLLM([("a", openAI)], "router_settings: { model_group_alias: { x: { model: a, hidden: true } } }"), "'hidden'"),
        (liteLLM([("a", openAI + ", litellm_credential_name: lost")]), "credential_list has no 'lost'"),
        (providers + models + "user_keys: { k: { api_key_env: K }, l: {} }", "key 'l': it has no 'api_key'"),
        (
            "providers: { x: { baseUrl: \"http://h/v1\" } }\nmodels: [{ name: m, provider: x }]\nmodelOverrides: [{ name: lost, weight: 2 }]",
            "no model 'lost'"
        ),
        ("providers: { x: { baseUrl: \"http://h/v1\" } }\nmodels: [{ name: m, provider: y }]", "no provider 'y'"),
        (
            "providers: { x: { baseUrl: \"http://h/v1\" }, y: { baseUrl: \"http://i/v1\" } }\nmodels: [{ name: m, provider: x }]\nmodelOverrides: [{ name: m, provider: y, weight: 2 }]",
            "no model 'm' of the provider 'y'"
        ),
        (liteLLM([("a", "model: openai/m, api_base: \"http://h/v1\"")]), "LiteLLM sends the value of OPENAI_API_KEY"),
        (liteLLM([("a", "model: groq/m, api_base: \"http://h/v1\", api_key: \"\"")]), "LiteLLM sends the value of GROQ_API_KEY"),
        (liteLLM([("a", "model: anthropic/m, api_base: \"http://h\"")]), "LiteLLM sends the value of ANTHROPIC_API_KEY"),
        (liteLLM([("a", openAI + ", extra_headers: { \"AI-Resource Group\": x }")]), "'AI-Resource Group'"),
        (liteLLM([("a", openAI + ", tags: [тег]")]), "The tag 'тег' is called"),
        (liteLLM([("a", openAI + ", tags: [\"a b\"]")]), "The tag 'a b' is called a-b"),
        (liteLLM([("a", openAI)], "router_settings: { num_retries: 50, allowed_fails: 2.5 }"), "'num_retries', 'allowed_fails'"),
        (liteLLM([("a", openAI + ", max_retries: -1, rpm: 1.5")]), "'max_retries', 'rpm'"),
        (
            liteLLM([("a", openAI + ", rpm: os.environ/RPM"), ("a", claude + ", rpm: 5")]),
            "LiteLLM draws by 'rpm', which can't be read here"
        ),
        (liteLLM([("a", "model: bedrock/m")]), "AWS_REGION_NAME"),
        (providers + models + "user_keys: { k: { api_key: \"\" } }", "key 'k': it has no 'api_key'"),
        ("providers: { x: { type: cohere, base_url: \"http://h/v1\" } }\nmodels: { m: { provider: x } }", "'type: cohere' is unknown"),
    ])
    func `what is not taken over is said`(text: String, words: String) throws {
        let text = try imported(text)
        #expect(text.split(separator: "\n").filter { $0.contains("#") }.joined().replacing("#", with: "").contains(words), "\(text)")
    }

    @Test(arguments: [
        (
            liteLLM([("a", openAI + ", tpm: 20_000, rpm: os.environ/RPM")]),
            "limits: { requests_per_minute: \"${RPM}\", tokens_per_minute: 20000 }"
        ),
        (
            "model_list: [{ model_name: a, litellm_params: { model: openai/x }, rpm: 3, tpm: 4 }]",
            "{ requests_per_minute: 3, tokens_per_minute: 4 }"
        ),
        (
            liteLLM(
                [("a", "model: openai/m, litellm_credential_name: c")],
                "credential_list: [{ credential_name: c, credential_values: { api_key: os.environ/CK, api_base: \"http://h/v1\" } }]"),
            "base_url: http://h/v1, api_key: \"${CK}\""
        ),
        (
            liteLLM([("a", openAI), ("b", claude)], "router_settings: { model_group_alias: { x: a }, fallbacks: [{ x: [b] }] }"),
            "x: { try: a, fallback: [b] }"
        ),
        (liteLLM([("a", "model: openai/whisper-1, input_cost_per_second: 0.0001")]), "price: { per_minute: 0.006 }"),
        (
            "providers: { x: { baseUrl: \"http://h/v1\" } }\nmodels: [{ name: m, provider: x }]\ncircuitBreaker: { cooldownPeriodMins: 3 }",
            "cooldown: 180s"
        ),
        (
            "providers: { x: { type: anthropic, base_url: \"https://h/v1\", api_key_env: A } }\nmodels: { m: { provider: x } }",
            "plugin: anthropic, base_url: https://h, "
        ),
        ("providers: { openrouter: { apiKey: k, baseUrl: \"http://h/v1\" } }\nmodels: []", "plugin: openrouter, base_url: http://h/v1, "),
        ("providers: { deepseek: { apiKey: k, baseUrl: \"http://h/v1/\" } }\nmodels: []", "plugin: deepseek, base_url: http://h/v1, "),
        (
            "providers: { deepseek: { apiKey: k, baseUrl: \"https://api.deepseek.com/beta\" } }\nmodels: []",
            "plugin: deepseek\n    base_url: https://api.deepseek.com/beta\n"
        ),
        ("providers: { deepseek: { apiKey: k, baseUrl: \"https://api.deepseek.com/v1\" } }\nmodels: []", "plugin: deepseek, api_key: "),
        (
            "providers: { openrouter: { apiKey: k, baseUrl: \"https://openrouter.ai/api/v1/\" } }\nmodels: []",
            "plugin: openrouter, api_key: "
        ),
        (
            "providers: { gemini: { apiKey: k, baseUrl: \"http://h/openai\" } }\nmodels: []",
            "plugin: openai-compatible, base_url: http://h/openai, "
        ),
        (
            "providers: { openai: { apiKey: k, baseUrl: \"http://h/v1\" } }\nmodels: []",
            "plugin: openai-compatible, base_url: http://h/v1, "
        ),
        (
            "providers: { x: { base_url: \"https://api.deepseek.com/beta\" } }\nmodels: { m: { provider: x } }",
            "plugin: deepseek, base_url: https://api.deepseek.com/beta "
        ),
        (
            "providers: { x: { base_url: \"https://api.openai.com\" } }\nmodels: { m: { provider: x } }", "x: { plugin: openai }"
        ),
        ("providers: { x: { base_url: \"http://h/v1\", api_key_env: \"\" } }\nmodels: { m: { provider: x } }", "base_url: http://h/v1 }"),
        (liteLLM([("a", "model: anthropic/m, api_base: \"http://h/v1/messages\", api_key: os.environ/K")]), "base_url: http://h, "),
        (
            liteLLM([("a", "model: azure_text/m, api_base: \"http://h\", api_key: os.environ/K")]),
            "plugin: azure-openai, base_url: http://h, "
        ),
        (liteLLM([("a", "model: vertex_ai/gemini-2.5-pro")]), "project: \"${VERTEXAI_PROJECT}\""),
        (liteLLM([("a", "model: bedrock/m")]), "region: \"${AWS_REGION:-us-west-2}\""),
        (
            liteLLM([("a", "model: openrouter/m, extra_headers: { HTTP-Referer: \"http://a\", X-Title: os.environ/T }")]),
            "app_url: http://a\n    app_title: \"${T}\"\n"
        ),
        (liteLLM([("a", openAI)], "general_settings: { master_key: \"\" }"), "listen: 127.0.0.1:4000"),
        (
            "providers: { transcriber: { base_url: \"http://h/v1\" } }\nmodels: { stt/a: { provider: transcriber }, stt/b: { provider: transcriber } }",
            "auto: { try: stt/a }"
        ),
        (
            "providers: { transcriber: { base_url: \"http://h/v1\" } }\nmodels: { a: { provider: transcriber }, b: { provider: transcriber } }\n"
                + "user_keys: { k: { api_key: x, allowed_models: [b], allowed_endpoints: [/v1/audio/transcriptions] } }",
            "models: [b, auto]"
        ),
    ])
    func `what has a counterpart is taken over`(text: String, words: String) throws {
        let text = try imported(text)
        #expect(text.contains(words), "\(text)")
    }
}

extension String {
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
