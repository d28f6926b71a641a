import Engine
import HTTPWire
import ProviderKit
import RoutingPolicy

/// `POST /admin/explain`: plans the posted request with the current state of this process. It calls no upstream
/// and counts nothing. The explanation is JSON, or the table of `llm-router explain` for clients that prefer text.
enum ExplainEndpoint {
    static let parameters: [RequestMember] = [
        .choice("operation", ProviderKit.Operation.served.map(\.rawValue)), .choice("face", FaceName.allCases.map(\.rawValue)),
        .text("key"), .number("seed", 0...Int.max), .number("width", 0...10_000),
    ]

    static func serve(_ exchange: Exchange) {
        do throws(APIError) {
            let query = try Query(exchange)
            let request = ExplainedRequest(
                query.operation, body: Array(exchange.server.body.readableBytesView), headers: exchange.server.head.fields,
                face: query.face, key: query.key,
                in: exchange.snapshot)
            let explanation = request.explanation(state: .live(exchange.loop, exchange.snapshot, seed: query.seed))
            let accept = MediaRanges(exchange.server.head.fields.value("accept") ?? "*/*")
            guard accept.quality(of: "text/plain") > accept.quality(of: "application/json") else {
                return exchange.respond(200, explanation.json)
            }
            let table = ExplanationTable(explanation, policyName: "in service", width: query.width)
            exchange.respond(200, Array(table.text.utf8), contentType: "text/plain; charset=utf-8")
        } catch {
            exchange.respond(error)
        }
    }

    private struct Query {
        var operation = ProviderKit.Operation.chat
        var face = FaceName.openai
        /// The key that sends the request, an index into the policy's keys. nil: a client that may use everything.
        var key: Int?
        /// The seed of random choices.
        var seed: UInt64 = 1
        /// The columns of a table; nil: the default.
        var width: Int?

        init(_ exchange: Exchange) throws(APIError) {
            let query = try QueryFields(exchange)
            if let value = query["operation"] {
                guard let known = ProviderKit.Operation(served: value) else {
                    let words = ProviderKit.Operation.served.map(\.rawValue).joined(separator: ", ")
                    throw APIError(400, "'operation' must be one of \(words)", code: "invalid_value", param: "operation")
                }
                operation = known
            }
            if let value = query["face"] {
                guard let known = FaceName(rawValue: value) else {
                    let words = FaceName.allCases.map(\.rawValue).joined(separator: ", ")
                    throw APIError(400, "'face' must be one of \(words)", code: "invalid_value", param: "face")
                }
                face = known
            }
            if let value = query["key"] {
                guard let index = exchange.snapshot.policy.keys.firstIndex(where: { $0.name == value }) else {
                    throw APIError(
                        404, "the policy has no key '\(value.excerpt)'; use a name under 'keys'", code: "key_not_found", param: "key")
                }
                key = index
            }
            if let value = query["seed"] {
                guard let number = UInt64(value) else {
                    throw APIError(400, "'seed' must be an integer of at least 0", code: "invalid_value", param: "seed")
                }
                seed = number
            }
            if let number = try query.integer("width", in: 0...10_000), number > 0 { width = number }
        }
    }
}
