import HTTPWire
import RoutingPolicy
import Testing

@testable import Gateway

struct EndpointTableTests {
    @Test(arguments: ["", "/v1", "/api/v1"])
    func `the paths of OpenAI's API lead to the same endpoints under each prefix`(prefix: String) {
        #expect(EndpointTable.match(path: prefix + "/chat/completions")?.endpoint.name == "chat")
        #expect(EndpointTable.match(path: prefix + "/models")?.endpoint.name == "models")
        #expect(EndpointTable.match(path: prefix + "/models/openrouter/llama%203")?.parameter == "openrouter/llama 3")
        #expect(EndpointTable.match(path: prefix + "/health")?.endpoint.name == "health")
    }

    @Test(arguments: EndpointTable.rows.flatMap(\.paths))
    func `a slash at the end of a path doesn't matter`(path: String) {
        let path = path.replacing("{id}", with: "openrouter/llama")
        let plain = EndpointTable.match(path: path), slashed = EndpointTable.match(path: path == "/" ? path : path + "/")
        #expect(plain != nil && plain?.endpoint === slashed?.endpoint && plain?.parameter == slashed?.parameter)
    }

    @Test(arguments: [
        ("/v1beta/models/gemini-flash:generateContent", "generate_content", "gemini-flash"),
        ("/v1/models/meta-llama/llama-3.3-70b:free:streamGenerateContent", "generate_content", "meta-llama/llama-3.3-70b:free"),
        ("/v1beta/models/meta-llama%2Fllama%3Afree%3AcountTokens", "count_tokens", "meta-llama/llama:free"),
        ("/v1beta/models/a:embedContent", "embed_content", "a"), ("/v1beta/models/a:batchEmbedContents", "embed_content", "a"),
        ("/v1beta/models/models/a:generateContent", "generate_content", "models/a"),
        ("/v1beta/models/a", "models", "a"), ("/v1beta/models/a:tuneModel", "models", "a:tuneModel"),
        ("/v1/models/a:free", "models", "a:free"),
    ])
    func `the path of Gemini's API names the model and what it is to do`(path: String, name: String, model: String) {
        let match = EndpointTable.match(path: path)
        #expect(match?.endpoint.name == name && match?.parameter == model)
    }

    @Test(arguments: ["/v1beta/models/:generateContent", "/v1beta/models/%ff:generateContent", "/v1beta"])
    func `a path of Gemini's API without a model leads to no endpoint`(path: String) {
        #expect(EndpointTable.match(path: path)?.endpoint.name == nil)
    }

    @Test(arguments: [
        ("/v1beta/cachedContents", FaceName.gemini), ("/v1beta/files/x", .gemini), ("/api/nothing", .ollama), ("/api/v1/nothing", .openai),
        ("/v1beta2/x", .openai), ("/nothing", .openai),
    ])
    func `a path that leads to no endpoint is that of the API whose paths begin so`(path: String, face: FaceName) {
        #expect(EndpointTable.match(path: path) == nil && Face.of(nil, path: path, HTTPFields()).name == face)
    }

    @Test
    func `a slash at the end of a model's name is sent encoded`() {
        #expect(EndpointTable.match(path: "/v1/models/a%2F")?.parameter == "a/")
    }

    @Test(arguments: [
        "", "///", "/v2/models", "/v1/models//", "/v1/models/%zz", "/v1/models/%ff", "/chat/completions//", "/V1/models", "/v1",
        "/v1/",
    ])
    func `any other path leads to no endpoint`(path: String) {
        #expect(EndpointTable.match(path: path)?.endpoint.name == nil)
    }

    @Test
    func `no path has more than one row`() {
        let paths = EndpointTable.rows.flatMap(\.paths)
        #expect(Set(paths).count == paths.count)
    }

    @Test(arguments: KeyOperation.words)
    func `every operation that a key can name has an endpoint`(word: String) throws {
        let operation = try #require(KeyOperation(word: word))
        #expect(EndpointTable.rows.contains { $0.access == .operation(operation) })
    }

    @Test(arguments: EndpointTable.rows)
    func `only health, the lists of endpoints and the page of the dashboard are open to clients without a key`(row: Endpoint) {
        #expect((row.access == .open) == ["health", "livez", "readyz", "openapi", "root", "ui"].contains(row.name))
    }

    @Test
    func `no endpoint has the name that other paths get in metrics`() {
        #expect(!EndpointTable.rows.contains { $0.name == EndpointTable.otherName })
    }
}
