import Codecs

/// `GET /openapi.json`: the endpoints as a description for programs. Source: OpenAPI 3.1.
///
/// It says which paths there are, what each is for, and what a client needs. Of a request it has the members that the
/// router demands; the others, and those of responses, are those of each vendor's API.
enum OpenAPIEndpoint {
    static func serve(_ exchange: Exchange) { exchange.respond(200, document) }

    /// Written at the first request.
    static let document: [UInt8] = {
        var writer = JSONWriter()
        writer.object { root in
            root.member("openapi", "3.1.0")
            root.key("info")
            root.object { info in
                info.member("title", "llm-router")
                info.member("version", "1")
                info.member("description", "One API in front of many language models.")
                info.key("license")
                info.object {
                    $0.member("name", "Apache 2.0")
                    $0.member("identifier", "Apache-2.0")
                }
            }
            root.key("paths")
            root.object { paths in
                for path in Self.paths {
                    paths.key(escaping: path)
                    paths.object { writeItem(path, into: &$0) }
                }
            }
            root.key("components")
            root.object(writeComponents)
        }
        return writer.bytes
    }()

    /// Every path once. Rows that share one differ in their method.
    private static let paths = EndpointTable.rows.flatMap(\.paths).reduce(into: [String]()) { paths, path in
        if !paths.contains(path) { paths.append(path) }
    }

    private static func writeItem(_ path: String, into item: inout JSONWriter) {
        for row in EndpointTable.rows where row.paths.contains(path) {
            item.key(escaping: row.method.name.lowercased())
            item.object { writeOperation(row, at: path, into: &$0) }
        }
    }

    private static func writeOperation(_ row: Endpoint, at path: String, into operation: inout JSONWriter) {
        let words = path.split { !$0.isLetter && !$0.isNumber }.joined(separator: "_")
        operation.member("operationId", row.method.name.lowercased() + "_" + (words.isEmpty ? "root" : words))
        operation.member("summary", row.about)
        operation.key("tags")
        operation.array { $0.string(row.name) }
        let parameters = (path.contains("{id}") ? [(RequestMember.text("id").required, "path")] : []) + row.parameters.map { ($0, "query") }
        if !parameters.isEmpty {
            operation.key("parameters")
            operation.array { list in
                for (member, place) in parameters {
                    list.object { parameter in
                        parameter.member("name", member.name)
                        parameter.member("in", place)
                        parameter.member("required", member.isRequired)
                        parameter.key("schema")
                        parameter.raw(Array(member.schema.utf8))
                    }
                }
            }
        }
        writeBody(of: row, into: &operation)
        operation.key("responses")
        operation.object { responses in
            responses.key("200")
            responses.object { response in
                response.member("description", row.callsModels ? "the response of a model, with '_router'" : row.about)
                response.key("content")
                response.object { writeContent(of: row, into: &$0) }
            }
            responses.key("default")
            responses.object { $0.member("$ref", "#/components/responses/Error") }
        }
        operation.key("security")
        operation.array { security in
            if case .open = row.access { return }
            // Without `keys:` in the policy, no key is needed.
            security.object { _ in }
            for scheme in Scheme.allCases {
                security.object {
                    $0.key(escaping: scheme.rawValue); $0.array { _ in }
                }
            }
        }
    }

    private static func writeBody(of row: Endpoint, into operation: inout JSONWriter) {
        let types: [String]
        switch row.body {
        case .unread, .ignored: return
        case .form: types = ["multipart/form-data"]
        case .buffered:
            // A policy is posted as it is.
            types = row.name == "check" ? ["application/yaml"] : ["application/json"]
        }
        operation.key("requestBody")
        operation.object { body in
            body.member("required", true)
            body.key("content")
            body.object { content in
                for type in types {
                    content.key(escaping: type)
                    content.object { media in
                        media.key("schema")
                        media.object { writeSchema(of: row, isObject: type != "application/yaml", into: &$0) }
                    }
                }
            }
        }
    }

    private static func writeSchema(of row: Endpoint, isObject: Bool, into schema: inout JSONWriter) {
        schema.member("type", isObject ? "object" : "string")
        guard !row.members.isEmpty else { return }
        schema.key("required")
        schema.array { for member in row.members where member.isRequired { $0.string(member.name) } }
        schema.key("properties")
        schema.object { properties in
            for member in row.members {
                properties.key(escaping: member.name)
                properties.raw(Array(member.schema.utf8))
            }
        }
    }

    private static func writeContent(of row: Endpoint, into content: inout JSONWriter) {
        let types = row.types ?? (row.callsModels ? ["application/json", "text/event-stream", "*/*"] : ["application/json"])
        for type in types {
            content.key(escaping: type)
            content.object { _ in }
        }
    }

    /// Where a client puts its key.
    private enum Scheme: String, CaseIterable {
        case bearer, basic, xAPIKey = "x-api-key", apiKey = "api-key", googleAPIKey = "x-goog-api-key"
    }

    private static func writeComponents(_ components: inout JSONWriter) {
        components.key("responses")
        components.object { responses in
            responses.key("Error")
            responses.object { error in
                error.member("description", "an error in the format of the API that was called")
                error.key("content")
                error.object { content in
                    content.key(escaping: "application/json")
                    content.object { _ in }
                    content.key(escaping: "text/plain")
                    content.object { _ in }
                }
            }
        }
        components.key("securitySchemes")
        components.object { schemes in
            for scheme in Scheme.allCases {
                schemes.key(escaping: scheme.rawValue)
                schemes.object { entry in
                    switch scheme {
                    case .bearer, .basic:
                        entry.member("type", "http")
                        entry.member("scheme", scheme.rawValue)
                    case .xAPIKey, .apiKey, .googleAPIKey:
                        entry.member("type", "apiKey")
                        entry.member("in", "header")
                        entry.member("name", scheme.rawValue)
                    }
                }
            }
        }
    }
}
