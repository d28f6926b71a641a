import Engine
import HTTPWire
import ProviderKit
import RoutingPolicy

/// `POST /admin/explain`: plans the posted request with the current state of this process. It calls no upstream
/// and counts nothing. The explanation is JSON, or the table of `llm-router explain` for clients that prefer text.
enum ExplainEndpoint {
    static func serve(_ exchange: Exchange) {
        do throws(APIError) {
            let query = try Query(exchange.server.head.query ?? "", of: exchange.snapshot.policy)
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

        init(_ text: String, of policy: RoutingPolicy) throws(APIError) {
            for pair in text.split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard let value = String(percentEncoded: parts.last?.utf8 ?? "".utf8[...]), parts.count == 2 else {
                    throw Self.unknownParameter(String(pair))
                }
                switch parts[0] {
                case "operation":
                    guard let known = ProviderKit.Operation(served: value) else {
                        let words = ProviderKit.Operation.served.map(\.rawValue).joined(separator: ", ")
                        throw APIError(400, "'operation' must be one of \(words)", code: "invalid_value", param: "operation")
                    }
                    operation = known
                case "face":
                    guard let known = FaceName(rawValue: value) else {
                        let words = FaceName.allCases.map(\.rawValue).joined(separator: ", ")
                        throw APIError(400, "'face' must be one of \(words)", code: "invalid_value", param: "face")
                    }
                    face = known
                case "key":
                    guard let index = policy.keys.firstIndex(where: { $0.name == value }) else {
                        throw APIError(
                            400, "the policy has no key '\(value.excerpt)'; use a name under 'keys'", code: "invalid_value", param: "key")
                    }
                    key = index
                case "seed":
                    guard let number = UInt64(value) else {
                        throw APIError(400, "'seed' must be an integer of at least 0", code: "invalid_value", param: "seed")
                    }
                    seed = number
                case "width":
                    guard let number = Int(value), 0...10_000 ~= number else {
                        throw APIError(400, "'width' must be an integer from 0 to 10000", code: "invalid_value", param: "width")
                    }
                    width = number == 0 ? nil : number
                default:
                    throw Self.unknownParameter(String(parts[0]))
                }
            }
        }

        private static func unknownParameter(_ text: String) -> APIError {
            APIError(
                400,
                "'\(text.excerpt)' is not a parameter of this endpoint; the parameters are operation=NAME, face=NAME, key=NAME, seed=NUMBER and width=NUMBER",
                code: "invalid_value")
        }
    }
}
