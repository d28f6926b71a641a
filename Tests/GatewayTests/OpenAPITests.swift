import TestSupport
import Testing

@testable import Gateway

@Suite struct OpenAPITests {
    @Test func `the description has every endpoint once`() throws {
        let paths = try #require(JSON(OpenAPIEndpoint.document)?["paths"]?.members)
        for row in EndpointTable.rows {
            for path in row.paths {
                let operation = paths[path]?[row.method.name.lowercased()]
                #expect(operation?["summary"]?.string == row.about, "\(row.method.name) \(path)")
            }
        }
        let count = paths.values.reduce(0) { $0 + ($1.members?.count ?? 0) }
        #expect(count == EndpointTable.rows.reduce(0) { $0 + $1.paths.count })
    }

    @Test func `what the router demands of a request is described`() throws {
        let paths = try #require(JSON(OpenAPIEndpoint.document)?["paths"]?.members)
        for row in EndpointTable.rows where row.callsModels {
            let content = paths[row.paths[0]]?["post"]?["requestBody"]?["content"]?.members
            let schema = content?.values.first?["schema"]
            #expect(schema?["required"]?.array?.isEmpty == false, "\(row.paths[0])")
        }
        let limit = paths["/admin/requests"]?["get"]?["parameters"]?.array?.first { $0["name"]?.string == "limit" }
        #expect(limit?["schema"]?["type"]?.string == "integer")
    }

    @Test func `each operation has an id of its own`() throws {
        let paths = try #require(JSON(OpenAPIEndpoint.document)?["paths"]?.members)
        let ids = paths.values.flatMap { ($0.members ?? [:]).values }.compactMap { $0["operationId"]?.string }
        #expect(Set(ids).count == ids.count)
    }

    @Test func `only what is open needs no key`() throws {
        let document = try #require(JSON(OpenAPIEndpoint.document))
        #expect(document["paths"]?["/health"]?["get"]?["security"]?.array?.isEmpty == true)
        #expect(document["paths"]?["/metrics"]?["get"]?["security"]?.array?.isEmpty == false)
    }
}

extension JSON {
    fileprivate var members: [String: JSON]? { if case .object(let members) = self { members } else { nil } }
}
