import RoutingPolicy
import Testing

/// Values that were moved over from another program, or from the environment, as they were.
struct ForeignVariableTests {
    private func issues(_ option: String) -> [String] {
        load("version: 1\nproviders:\n  p: { plugin: fake, \(option) }\nmodels: { m: { provider: p } }\n").issues.map(\.message)
    }

    @Test(arguments: [
        "$OPENAI_API_KEY", "$(OPENAI_API_KEY)", "$env:OPENAI_API_KEY", "os.environ/OPENAI_API_KEY", "os.getenv('OPENAI_API_KEY')",
        "process.env.OPENAI_API_KEY", "env.OPENAI_API_KEY", "env:OPENAI_API_KEY", "{env:OPENAI_API_KEY}", "{{OPENAI_API_KEY}}",
        "{{ .Env.OPENAI_API_KEY }}", "{{ secrets.OPENAI_API_KEY }}", "%OPENAI_API_KEY%", "%env(OPENAI_API_KEY)%", "<OPENAI_API_KEY>",
        "<your-api-key>", "OPENAI_API_KEY", "ENV['OPENAI_API_KEY']", "$ENV{X}", "$$X", "#{X}", "[[X]]", "{%X%}", "@X", "secrets.X", "env!X",
        "file:/run/secrets/key", "vault:secret/data#key", "op://vault/item/key",
    ])
    func `a variable in the syntax of another program is doubtful wherever a secret belongs`(text: String) {
        let quoted = "\"\(text)\""
        if !text.contains(" ") {
            #expect(issues("base_url: http://h/v1, api_key: \(quoted)").contains { $0.contains("'api_key' looks like a variable") })
        }
        #expect(
            issues("base_url: http://h/v1, headers: { Authorization: \(quoted) }").contains { $0.contains("looks like a variable") }
                || text.contains(" "))
        #expect(!issues("base_url: \(quoted)").isEmpty)
    }

    @Test(arguments: [
        "sk-proj-0123456789abcdef", "$2a$10$N9qo8uLOickgx2ZMRZoMye", "gsk_0123456789", "environment-0123456789", "A_B_C_0123456789abcdef",
        "0123456789ABCDEF_KEY0", "eyJhbGciOiJIUzI1NiJ9.e30.abc", "hf_KEYabcdef012345",
    ])
    func `a key that only resembles one is not doubtful`(text: String) {
        #expect(issues("base_url: http://h/v1, api_key: \"\(text)\"") == [])
    }

    @Test(arguments: ["sk-...", "your-api-key", "xxx", "sk-xxxxxxxx", "changeme", "YOUR_KEY_HERE...", "[key-here]"])
    func `a placeholder for a secret is doubtful`(text: String) {
        #expect(issues("base_url: http://h/v1, api_key: \"\(text)\"").contains { $0.contains("looks like a") })
    }

    @Test(arguments: ["{{ .Env.X }}", "{{ env.X }}"])
    func `a template with spaces is named as the cause`(text: String) {
        let report = load(
            "version: 1\nproviders:\n  p: { plugin: fake, base_url: http://h/v1, api_key: \"\(text)\" }\nmodels: { m: { provider: p } }\n")
        #expect(report.issues.contains { $0.hint?.contains("another program") == true })
    }

    @Test(arguments: ["'\"sk-0123456789\"'", "\"'sk-0123456789'\""])
    func `quotation marks that a file of variables left are doubtful`(text: String) {
        #expect(issues("base_url: http://h/v1, api_key: \(text)").contains { $0.contains("quotation mark") })
    }

    @Test(arguments: [
        "/v1/chat/completions", "/v1/chat/completions/", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/embeddings", "/v1/models",
        "/v1/audio/transcriptions", "/v1/images/generations", "/api/chat", "/v1/chat", "/v1/chat/completion", "/api/generate",
        "/V1/Chat/Completions",
    ])
    func `a base URL does not end with the path of an endpoint`(path: String) {
        #expect(issues("base_url: \"http://h\(path)\"").contains { $0.contains("ends with the path of an endpoint") })
    }
}
