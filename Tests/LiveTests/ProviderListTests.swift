import Foundation
import TestSupport
import Testing

/// A provider's own list of models: what `GET /models/{id}` adds from it, and `llm-router models sync`.
@Suite struct ProviderListTests {
    private static let list = #"""
        {"data":[{"id":"up-a","name":"A","description":"A model that listens.","context_length":163840,
        "architecture":{"input_modalities":["text","audio"],"output_modalities":["text","audio"]},
        "pricing":{"prompt":"0.00000055","completion":"0.00000219","input_cache_read":"0.0000001"},"supported_parameters":["tools"]},
        {"id":"free-one","pricing":{"prompt":"0","completion":"0"},"expiration_date":"2999-01-01"},
        {"id":"old-one","deprecation":"2025-01-31T12:00:00Z"}]}
        """#

    private static func upstream() throws -> ScriptedUpstream {
        try ScriptedUpstream { exchange in
            guard exchange.head.target.hasSuffix("/models") else { return try exchange.respond(404, "{}") }
            try exchange.respond(200, list)
        }
    }

    @Test func `a model has the details of its provider's list, which is fetched once`() throws {
        let upstream = try Self.upstream()
        let router = try RouterProcess(
            PolicyText(
                ["a": upstream], keys: ["  open: { secret: key-that-sees-all }", "  shut: { secret: key-that-sees-less, metadata: false }"])
        )
        func model(_ id: String, _ key: String) throws -> JSON {
            try #require(try router.call("GET", "/v1/models/\(id)", fields: ["Authorization: Bearer \(key)"]).json)
        }
        for _ in 0..<2 {
            let model = try model("a", "key-that-sees-all")
            #expect(model["description"]?.string == "A model that listens.")
            #expect(model["context_length"]?.int == 163_840 && model["contextSize"]?.int == 163_840)
            #expect(model["architecture"]?["input_modalities"]?.array?.compactMap(\.string) == ["text", "audio"])
            #expect(model["pricing"]?["prompt"]?.string == "0.00000055" && model["pricing"]?["input_cache_read"]?.string == "0.0000001")
        }
        #expect(upstream.requests.count == 1)
        #expect(try #require(upstream.requests.first).head["authorization"] == "Bearer sk-provider")
        let hidden = try model("a", "key-that-sees-less")
        #expect(hidden["description"] == nil && hidden["pricing"] == nil)
    }

    @Test func `what the policy says comes first`() throws {
        let upstream = try Self.upstream()
        let router = try RouterProcess(
            PolicyText(["a": upstream]).with {
                $0.moreModels = ["  b: { provider: p-a, upstream: up-a, context: 1000, price: { input: 1, output: 2 } }"]
            })
        let model = try #require(try router.get("/models/b").json)
        #expect(model["context_length"]?.int == 1000 && model["pricing"]?["prompt"]?.string == "0.000001")
        #expect(model["description"]?.string == "A model that listens.")
    }

    @Test func `a provider that is down, silent or has no such model adds nothing`() throws {
        let silent = try ScriptedUpstream { $0.hold() }, broken = try ScriptedUpstream { try $0.respond(500, "{}") }
        let router = try RouterProcess(PolicyText(["silent": silent, "broken": broken, "other": try Self.upstream()]))
        for name in ["silent", "broken", "other"] {
            let model = try router.get("/models/\(name)")
            #expect(model.status == 200 && model.json?["id"]?.string == name && model.json?["description"] == nil)
        }
        let off = try RouterProcess(PolicyText(["a": broken], server: "models_ttl: 0s"))
        let count = broken.requests.count
        #expect(try off.get("/models/a").status == 200 && broken.requests.count == count)
    }

    // MARK: models sync

    @Test func `what Ollama's list leaves out is asked for each model, and its absence loses nothing`() throws {
        let upstream = try ScriptedUpstream { exchange in
            switch (exchange.head.target, exchange.json?["model"]?.string) {
            case ("/api/tags", _):
                let models = [#"{"model":"new","capabilities":["embedding"]}"#, #"{"model":"old"}"#, #"{"model":"gone"}"#]
                try exchange.respond(200, #"{"models":[\#(models.joined(separator: ","))]}"#)
            case ("/api/show", "old"):
                try exchange.respond(200, #"{"capabilities":["completion","tools"],"model_info":{"llama.context_length":8192}}"#)
            default: try exchange.respond(404, #"{"error":"no such model"}"#)
            }
        }
        let policy = """
            version: 1
            providers: { o: { plugin: ollama, base_url: "http://127.0.0.1:\(upstream.port)" } }
            models: { own: { provider: o, upstream: mine } }
            """
        let run = try RouterCommand(["models", "sync", "o", "routes.yaml"], files: ["routes.yaml": policy])
        #expect(run.exit == .code(0), "\(run.errors)")
        #expect(run.output.contains("o/old: { provider: o, tags: [free], supports: [tools, json], context: 8192,"), "\(run.output)")
        #expect(run.output.contains("o/gone: { provider: o,") && run.output.contains("o/new: { provider: o, serves: [embeddings]"))
        #expect(upstream.requests.map(\.head.target).sorted() == ["/api/show", "/api/show", "/api/tags"])
    }

    /// A list whose pages have one model each, in the format of the plugin.
    private static func paged(_ plugin: String, count: Int) throws -> ScriptedUpstream {
        try ScriptedUpstream { exchange in
            let query = exchange.head.target.split(separator: "?").last ?? "", number = query.split(separator: "=").last.flatMap { Int($0) }
            let isFirst = !query.contains("after_id") && !query.contains("pageToken"), page = isFirst ? 1 : (number ?? 0) + 1
            let isLast = page == count
            try exchange.respond(
                200,
                plugin == "gemini"
                    ? #"{"models":[{"name":"models/page-\#(page)","description":"D\#(page)"}]\#(isLast ? "" : #","nextPageToken":"\#(page)""#)}"#
                    : #"{"data":[{"id":"page-\#(page)","max_input_tokens":\#(1000 + page)}],"has_more":\#(!isLast),"last_id":"\#(page)"}"#)
        }
    }

    @Test(arguments: ["gemini", "anthropic"])
    func `a list has all of its pages, and one that has no end is an error`(plugin: String) throws {
        let upstream = try Self.paged(plugin, count: 3), endless = try Self.paged(plugin, count: 0)
        func provider(_ name: String, _ upstream: ScriptedUpstream) -> String {
            "\(name): { plugin: \(plugin), base_url: \"http://127.0.0.1:\(upstream.port)\", api_key: sk-provider }"
        }
        let policy = """
            version: 1
            listen: 127.0.0.1:0
            providers: { \(provider("o", upstream)), \(provider("e", endless)) }
            models: { last: { provider: o, upstream: page-3 } }
            """
        let run = try RouterCommand(["models", "sync", "o", "routes.yaml"], files: ["routes.yaml": policy])
        #expect(run.exit == .code(0) && upstream.requests.count == 3, "\(run.errors)")
        for page in 1...2 { #expect(run.output.contains("o/page-\(page): {"), "\(run.output)") }
        let failed = try RouterCommand(["models", "sync", "e", "routes.yaml"], files: ["routes.yaml": policy])
        #expect(failed.exit == .code(1) && failed.errors.contains("the list of models has more than 100 pages"), "\(failed.errors)")
        #expect(endless.requests.count == 100)
    }

    private static func policy(_ upstream: ScriptedUpstream) -> String {
        PolicyText(["a": upstream]).text.replacing(
            "models:\n  a: { provider: p-a, upstream: up-a }", with: "models:\n  own: { provider: p-a, upstream: mine }")
    }

    @Test func `models sync prints a models file, and --free leaves out what costs something`() throws {
        let upstream = try Self.upstream()
        let run = try RouterCommand(["models", "sync", "p-a", "routes.yaml"], files: ["routes.yaml": Self.policy(upstream)])
        #expect(run.exit == .code(0), "\(run.errors)")
        #expect(
            run.output.contains(
                "\n  p-a/up-a: { provider: p-a, supports: [audio, tools], context: 163840, price: { input: 0.55, output: 2.19, cached_input: 0.1 } }  # synced "
            ),
            "\(run.output)")
        let free = try RouterCommand(["models", "sync", "p-a", "routes.yaml", "--free"], files: ["routes.yaml": Self.policy(upstream)])
        #expect(
            free.output.contains("p-a/free-one: { provider: p-a, tags: [free], price: { input: 0, output: 0 } }")
                && !free.output.contains("up-a"))
        #expect(run.output.contains("free-one") && !run.output.contains("old-one"))
        #expect(run.errors.contains("left out, because the provider has ended them: old-one"), "\(run.errors)")
    }

    @Test func `models sync --write makes a file, and updates it without what a person wrote`() throws {
        let upstream = try Self.upstream(), folder = try TemporaryFolder(), path = "\(folder.path)/models.yaml"
        func sync() throws -> RouterCommand {
            try RouterCommand(
                ["models", "sync", "p-a", "-c", "routes.yaml", "--write", path], files: ["routes.yaml": Self.policy(upstream)])
        }
        let first = try sync()
        #expect(first.exit == .code(0) && first.errors.contains("2 models, 2 added, 0 updated, 0 removed"), "\(first.errors)")
        var text = try String(contentsOfFile: path, encoding: .utf8)
        text = text.replacing("  p-a/free-one", with: "  # keep\n  p-a/free-one")
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try sync().errors.contains("2 models, 0 added, 0 updated, 0 removed"))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)

        let empty = try ScriptedUpstream { try $0.respond(200, #"{"data":[]}"#) }
        let run = try RouterCommand(
            ["models", "sync", "p-a", "-c", "routes.yaml", "--write", path], files: ["routes.yaml": Self.policy(empty)])
        #expect(run.exit == .code(1) && run.errors.contains("the list of 'p-a' is empty; '\(path)' is not changed"), "\(run.errors)")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }

    @Test func `models sync makes the first models of a policy`() throws {
        let upstream = try Self.upstream(), policy = Self.policy(upstream)
        let withoutModels = policy.replacing("models:\n  own: { provider: p-a, upstream: mine }", with: "")
        #expect(withoutModels != policy)
        let run = try RouterCommand(["models", "sync", "p-a", "routes.yaml"], files: ["routes.yaml": withoutModels])
        #expect(run.exit == .code(0) && run.output.contains("  p-a/up-a: { provider: p-a, "), "\(run.errors)")
        let check = try RouterCommand(["check", "routes.yaml"], files: ["routes.yaml": withoutModels])
        #expect(check.exit == .code(1) && check.output.contains("there are no models"), "\(check.output)")
    }

    @Test func `models sync says what is wrong`() throws {
        let broken = try ScriptedUpstream { try $0.respond(401, OpenAIReplies.error("bad key sk-provider")) }
        let refused = try RouterCommand(["models", "sync", "p-a", "routes.yaml"], files: ["routes.yaml": Self.policy(broken)])
        #expect(refused.exit == .code(1) && refused.errors.contains("the list of 'p-a' can't be fetched: 401"), "\(refused.errors)")
        #expect(!refused.errors.contains("sk-provider"))
        let unknown = try RouterCommand(["models", "sync", "p-b", "routes.yaml"], files: ["routes.yaml": Self.policy(broken)])
        #expect(unknown.exit == .code(2) && unknown.errors.contains("did you mean 'p-a'?"), "\(unknown.errors)")
    }
}
