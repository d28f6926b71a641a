import Testing

/// Which variable takes the place of a secret: none that has another secret, and none whose secret belongs elsewhere.
struct ImportSecretsTests {
    private static func liteLLM(_ models: String..., rest: String = "") -> String {
        ImportRulesTests.liteLLM(models.enumerated().map { ("m\($0.offset)", $0.element) }, rest)
    }

    private static func freeRouter(_ providers: String) -> String { "providers: { \(providers) }\nmodels: []" }

    @Test(arguments: [
        // A service's own variable isn't for other hosts.
        (liteLLM("model: openai/qwen, api_base: \"http://127.0.0.1:19860/v1\", api_key: none"), "OPENAI_API_KEY", 0),
        (
            liteLLM(
                "model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY",
                "model: openai/qwen, api_base: \"http://127.0.0.1:19860/v1\", api_key: none"), "OPENAI_API_KEY", 1
        ),
        (liteLLM("model: openai/q, api_base: os.environ/MY_URL, api_key: none"), "OPENAI_API_KEY", 0),
        (liteLLM("model: anthropic/m, api_base: \"http://proxy.example\", api_key: k"), "ANTHROPIC_API_KEY", 0),
        (liteLLM("model: openai/m, api_base: \"https://api.deepseek.com/v1\", api_key: k"), "OPENAI_API_KEY", 0),
        (freeRouter("openrouter: { baseUrl: \"http://h/v1\", apiKey: k }"), "OPENROUTER_API_KEY", 0),
        (freeRouter("openai: { baseUrl: \"http://h/v1\", apiKey: k }"), "OPENAI_API_KEY", 0),
        (freeRouter("OpenAI: { baseUrl: \"http://h/v1\", apiKey: k }"), "OPENAI_API_KEY", 0),
        (
            "providers: { anthropic: { type: anthropic, base_url: \"http://h\", headers: { x-api-key: k } } }\nmodels: {}",
            "ANTHROPIC_API_KEY", 0
        ),
        // At the service's own address it is, unless something else has it.
        (liteLLM("model: openai/m, api_base: \"https://api.openai.com/v1\", api_key: k"), "OPENAI_API_KEY", 1),
        (liteLLM("model: groq/m, api_base: \"https://api.groq.com/openai/v1\", api_key: k"), "GROQ_API_KEY", 1),
        (freeRouter("groq: { baseUrl: \"https://api.groq.com/openai/v1\", apiKey: k }"), "GROQ_API_KEY", 1),
        (
            "providers: { claude: { type: anthropic, base_url: \"https://api.anthropic.com\", headers: { x-api-key: k } } }\nmodels: {}",
            "ANTHROPIC_API_KEY", 1
        ),
        (liteLLM("model: anthropic/m, api_key: k", "model: anthropic/m, api_key: l"), "ANTHROPIC_API_KEY", 1),
        (
            liteLLM(
                "model: azure/a, api_base: \"http://a\", api_key: k",
                "model: azure/c, api_base: \"http://c\", api_key: os.environ/AZURE_API_KEY"),
            "AZURE_API_KEY", 1
        ),
        (liteLLM("model: anthropic/m, api_key: k", "model: anthropic/n"), "ANTHROPIC_API_KEY", 1),
        (liteLLM("model: anthropic/m, api_key: k", "model: anthropic/n, api_key: \"\""), "ANTHROPIC_API_KEY", 1),
        (liteLLM("model: openai/q, api_base: os.environ/MY_URL, api_key: none"), "OPENAI_2_API_KEY", 1),
        (liteLLM("model: claude-3-opus, api_key: k", "model: claude-3-haiku"), "ANTHROPIC_API_KEY", 1),
        (liteLLM("model: openai/m, api_key: k", rest: "environment_variables: { OPENAI_API_KEY: l }"), "OPENAI_API_KEY", 0),
        (
            liteLLM("model: openai/m, api_key: k", rest: "general_settings: { master_key: os.environ/OPENAI_API_KEY }"), "OPENAI_API_KEY", 1
        ),
        (liteLLM("model: bedrock/m, aws_access_key_id: k, aws_secret_access_key: l", "model: bedrock/n"), "AWS_ACCESS_KEY_ID", 1),
        (
            freeRouter("openrouter: { apiKey: k }, x: { baseUrl: \"http://h/v1\", apiKey: \"${OPENROUTER_API_KEY}\" }"),
            "OPENROUTER_API_KEY", 1
        ),
        // Nor is any other name given out twice.
        (
            freeRouter("x: { baseUrl: \"http://h/v1\", apiKey: k }, y: { baseUrl: \"http://i/v1\", apiKey: \"${X_API_KEY}\" }"),
            "X_API_KEY", 1
        ),
        (freeRouter("a-b: { baseUrl: \"http://h/v1\", apiKey: k }, a_b: { baseUrl: \"http://i/v1\", apiKey: l }"), "A_B_API_KEY", 1),
        (
            liteLLM(
                "model: openai/m, api_key: os.environ/X-TEAM_HEADER",
                "model: openai/n, api_key: os.environ/K, extra_headers: { X-Team: k }"), "X_TEAM_HEADER", 1
        ),
        ("providers: { x: { base_url: \"http://h/v1\", api_key_env: A_HEADER, headers: { A: k } } }\nmodels: {}", "A_HEADER", 1),
    ])
    func `a variable has one secret, which belongs where it goes`(text: String, variable: String, uses: Int) throws {
        let text = try imported(text)
        #expect(text.ranges(of: "${\(variable)}").count == uses, "\(text)")
    }

    @Test(arguments: [
        liteLLM("model: anthropic/m, api_key: k", "model: anthropic/n, api_key: k"),
        liteLLM(
            "model: openai/m, api_base: \"http://h/v1\", api_key: k", "model: openai/n, api_base: \"http://h/v1\", api_key: k"),
    ])
    func `the same secret of the same server has one variable`(text: String) throws {
        let text = try imported(text)
        #expect(text.ranges(of: "API_KEY}").count == 1, "\(text)")
    }

    @Test func `a variable is called after the host that gets its secret`() throws {
        let text = try imported(Self.liteLLM("model: openai/m, api_base: \"http://u:hunter2@h.example:8000/v1\", api_key: k"))
        #expect(text.contains("${OPENAI_H_EXAMPLE_8000_API_KEY}") && !text.contains("HUNTER2"), "\(text)")
    }

    @Test(arguments: ["\"\"", "\" \""])
    func `an empty secret is no key of a client`(secret: String) throws {
        let text = try imported(Self.liteLLM("model: openai/m", rest: "general_settings: { master_key: \(secret) }"))
        #expect(!text.contains("keys:\n"), "\(text)")
    }
}
