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

    @Test
    func `a slash at the end of a model's name is sent encoded`() {
        #expect(EndpointTable.match(path: "/v1/models/a%2F")?.parameter == "a/")
    }

    @Test(arguments: [
        "", "///", "/v2/models", "/v1/models//", "/v1/models/%zz", "/v1/models/%ff", "/chat/completions//", "/V1/models", "/ui", "/v1",
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
    func `only the health endpoints and the list of endpoints are open to clients without a key`(row: Endpoint) {
        #expect((row.access == .open) == ["health", "livez", "readyz", "root"].contains(row.name))
    }

    @Test
    func `no endpoint has the name that other paths get in metrics`() {
        #expect(!EndpointTable.rows.contains { $0.name == EndpointTable.otherName })
    }
}
