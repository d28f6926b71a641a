import RoutingPolicy
import Testing

@testable import Gateway

struct EndpointTableTests {
    @Test(arguments: ["", "/v1", "/api/v1"])
    func `OpenAI's paths mean the same under each prefix`(prefix: String) {
        #expect(EndpointTable.match(path: prefix + "/chat/completions")?.endpoint.name == "chat")
        #expect(EndpointTable.match(path: prefix + "/models")?.endpoint.name == "models")
        #expect(EndpointTable.match(path: prefix + "/models/openrouter/llama%203")?.parameter == "openrouter/llama 3")
        #expect(EndpointTable.match(path: prefix + "/health")?.endpoint.name == "health")
    }

    @Test(arguments: ["", "/", "/v2/models", "/v1/models/", "/v1/models/%zz", "/v1/models/%ff", "/chat/completions/", "/V1/models", "/ui"])
    func `any other path is no endpoint`(path: String) {
        #expect(EndpointTable.match(path: path)?.endpoint.name == nil)
    }

    @Test
    func `no path has two rows`() {
        let paths = EndpointTable.rows.flatMap(\.paths)
        #expect(Set(paths).count == paths.count)
    }

    @Test(arguments: KeyOperation.allCases)
    func `every operation that a key can name has an endpoint`(operation: KeyOperation) {
        #expect(EndpointTable.rows.contains { $0.access == .operation(operation) })
    }

    @Test(arguments: EndpointTable.rows)
    func `only health is open to clients without a key`(row: Endpoint) {
        #expect((row.access == .open) == ["health", "livez", "readyz"].contains(row.name))
    }

    @Test
    func `no endpoint is named like the paths that are none`() {
        #expect(!EndpointTable.rows.contains { $0.name == EndpointTable.otherName })
    }
}
