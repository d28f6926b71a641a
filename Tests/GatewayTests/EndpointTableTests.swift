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

    @Test(arguments: ["", "/", "/v2/models", "/v1/models/", "/v1/models/%zz", "/v1/models/%ff", "/chat/completions/", "/V1/models", "/ui"])
    func `any other path leads to no endpoint`(path: String) {
        #expect(EndpointTable.match(path: path)?.endpoint.name == nil)
    }

    @Test
    func `no path has more than one row`() {
        let paths = EndpointTable.rows.flatMap(\.paths)
        #expect(Set(paths).count == paths.count)
    }

    @Test(arguments: KeyOperation.allCases)
    func `every operation that a key can name has an endpoint`(operation: KeyOperation) {
        #expect(EndpointTable.rows.contains { $0.access == .operation(operation) })
    }

    @Test(arguments: EndpointTable.rows)
    func `only the health endpoints are open to clients without a key`(row: Endpoint) {
        #expect((row.access == .open) == ["health", "livez", "readyz"].contains(row.name))
    }

    @Test
    func `no endpoint has the name that other paths get in metrics`() {
        #expect(!EndpointTable.rows.contains { $0.name == EndpointTable.otherName })
    }
}
